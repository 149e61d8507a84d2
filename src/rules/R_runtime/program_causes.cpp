#include "rules/R_runtime/program_causes.h"

#include "base/text.h"
#include "rules/R_runtime/waiting.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

/// P01, in part: a layer that was left on the processor.
Outcome part_on_cpu(const use::RunStatistics& run) {
  if (auto otherwise = waits_for_else(run, {Wait::part_on_cpu})) return std::move(*otherwise);
  const auto* gpu = run.main_gpu();
  const auto& sums = run.calls.sums;
  auto outcome = Outcome::found("a part of the model runs on the processor: in each step tensors "
                                "leave the GPU and come back, and it idles " +
                                percent(100 - gpu->busy) + " of the time");
  outcome.evidence.push_back({bytes(run.calls.per_second(sums.to_host_bytes)) +
                                  "/s from the GPU, " +
                                  bytes(run.calls.per_second(sums.to_device_bytes)) + "/s to it, " +
                                  count(run.host.cores) + " cores at work between the two",
                              {"CUPTI", 0}});
  outcome.evidence.push_back(busy_evidence(*gpu));
  return std::move(outcome).mend(
      {"look for device scopes and moves: with tf.device('/CPU:0'), jax.default_device(cpu), "
       ".to('cpu'), .cpu(), a layer that was not moved",
       {},
       {}});
}

constexpr std::uint64_t kOwnContext = 1ULL << 30U;

/// P10: several GPUs, one at work.
Outcome one_of_many(const use::RunStatistics& run) {
  if (run.gpus.size() < 2) return Outcome::not_applicable();
  if (run.start.visible_devices) return Outcome::clear("CUDA_VISIBLE_DEVICES chooses the GPUs");
  const auto used = std::count_if(run.gpus.begin(), run.gpus.end(), [](const use::GpuUse& gpu) {
    return gpu.used && gpu.busy_whole >= 1;
  });
  if (used != 1)
    return used == 0 ? Outcome::not_applicable()
                     : Outcome::clear(std::to_string(used) + " GPUs were used");
  const auto free = std::count_if(run.gpus.begin(), run.gpus.end(), [](const use::GpuUse& gpu) {
    return gpu.busy_whole < 1 && !gpu.by_others && gpu.memory_before < kOwnContext;
  });
  if (free == 0) return Outcome::clear("the other GPUs were taken by other programs");
  const auto* gpu = run.main_gpu();
  if (gpu->busy < 50) return Outcome::clear("one GPU is not kept busy either");
  return Outcome::found("one of " + std::to_string(run.gpus.size()) + " GPUs was used; " +
                        std::to_string(free) + (free == 1 ? " stood" : " stood") + " idle")
      .because(gpu_name(*gpu) + " had a kernel " + percent(gpu->busy) + " of the time", {"NVML", 0})
      .mend({"spread the batch: keras.distribution.DataParallel or tf.distribute.MirroredStrategy, "
             "jax.sharding, torchrun with DistributedDataParallel: at most " +
                 std::to_string(free + 1) + " times faster",
             {},
             {}});
}

/// P15: PyTorch never moves anything by itself.
Outcome not_moved(const use::RunStatistics& run) {
  if (run.any_used() || run.any_held()) return Outcome::not_applicable();
  if (!run.maps("libtorch_cuda")) return Outcome::not_applicable();
  if (!run.start.nvml.works || run.gpus.empty())
    return Outcome::unknown("whether there was a GPU to use");
  if (run.end.time < 5) return Outcome::unknown("the run was too short");
  return Outcome::found("PyTorch ran for " + seconds(run.end.time) +
                        " on the processor: nothing was moved to the GPU")
      .because("a CUDA build of PyTorch, and no memory of a GPU was ever taken by it; " +
                   count(run.host.cores) + " cores in use",
               {"/proc", 0})
      .mend({"model.to('cuda'), and each batch .to('cuda'); or let a trainer do it (accelerate, "
             "lightning)",
             {},
             {}});
}

/// E01: hidden before it began.
Outcome hidden(const use::RunStatistics& run) {
  if (run.any_used() || run.any_held()) return Outcome::not_applicable();
  if (!run.start.visible_devices) return Outcome::clear("CUDA_VISIBLE_DEVICES is not set");
  const auto value = std::string(trim(*run.start.visible_devices));
  if (!value.empty() && !value.starts_with("-") && value != "NoDevFiles" && value != "none")
    return Outcome::clear("CUDA_VISIBLE_DEVICES=" + value);
  return Outcome::found("CUDA_VISIBLE_DEVICES=" + (value.empty() ? "\"\"" : value) +
                        " hides every GPU from the program")
      .because("CUDA_VISIBLE_DEVICES=" + value, {"$CUDA_VISIBLE_DEVICES", 0})
      .mend({"unset CUDA_VISIBLE_DEVICES", {"unset CUDA_VISIBLE_DEVICES"}, {}});
}

constexpr std::array kCauses{
    SeenRunning{"E01", "visible-devices-hides-all", "CUDA_VISIBLE_DEVICES hides every GPU",
                Gate::visibility, Effect::hides, hidden},
    SeenRunning{"P01", "pinned-to-cpu", "The program pins work to the CPU", Gate::code,
                Effect::slows, part_on_cpu},
    SeenRunning{"P10", "single-gpu-of-many", "One of several GPUs is used", Gate::code,
                Effect::slows, one_of_many},
    SeenRunning{"P15", "not-moved-to-device", "Model or data are not moved to the GPU", Gate::code,
                Effect::hides, not_moved},
};

} // namespace

std::span<const SeenRunning> causes_seen_running() {
  return kCauses;
}

} // namespace gpuwhy::rules
