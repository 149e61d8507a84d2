// Other processes hold the GPU's memory. Truth: NVML; a context of CUDA alone takes a few hundred
// MB. Seen running: the run failed for want of memory, and other programs held a good part of it
// before it began.
#include "rules/H_hardware/gpus.h"
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr std::uint64_t kMegabyte = 1ULL << 20U;
constexpr std::uint64_t kForAContext = 600 * kMegabyte;

/// Nothing useful fits: less than a context needs, or less than a twentieth.
bool is_full(const NvmlDevice& device) {
  if (!device.memory_total.known() || !device.memory_free.known()) return false;
  const auto free = device.memory_free.value();
  return free < kForAContext || free < device.memory_total.value() / 20;
}

Outcome check(const Case& c) {
  const auto* nvml = c.facts.observed.nvml.get();
  if (nvml == nullptr || nvml->init != 0 || nvml->devices.empty()) return Outcome::not_applicable();
  const auto& devices = nvml->devices;
  const bool told = std::all_of(devices.begin(), devices.end(), [](const NvmlDevice& device) {
    return device.memory_free.known() && device.memory_total.known();
  });
  if (!told) return Outcome::unknown("free memory of the GPUs: NVML does not tell");
  if (!std::all_of(devices.begin(), devices.end(), is_full))
    return Outcome::clear("a GPU has free memory");
  const auto& first = devices.front();
  auto outcome = Outcome::found(
      "the memory of the GPU is taken: " + std::to_string(first.memory_free.value() / kMegabyte) +
      " MiB of " + std::to_string(first.memory_total.value() / kMegabyte) + " MiB are free");
  std::vector<std::string> commands;
  for (const auto& process : first.processes.value_or({})) {
    outcome.evidence.push_back({"process " + std::to_string(process.pid) + " holds " +
                                    std::to_string(process.memory / kMegabyte) + " MiB",
                                c.facts.observed.nvml.source()});
    commands.push_back("kill " + std::to_string(process.pid));
  }
  if (commands.empty()) commands.push_back("sudo fuser -v /dev/nvidia*");
  return std::move(outcome).mend({"end the programs that hold it, often notebooks that are done",
                                  std::move(commands), [](Facts& facts) {
                                    if (auto* probe = facts.observed.nvml.get()) {
                                      for (auto& device : probe->devices)
                                        device.memory_free = device.memory_total;
                                    }
                                  }});
}

constexpr double kMuch = 0.25; // of the memory

Outcome check_run(const use::RunStatistics& run) {
  const bool failed =
      std::any_of(run.end.signs.begin(), run.end.signs.end(), [](const use::Sign& sign) {
        return sign.kind == use::Sign::Kind::out_of_memory;
      });
  if (!failed) return Outcome::clear("no allocation failed");
  if (run.start.before.empty()) return Outcome::unknown("the memory in use before the run");
  for (const auto& gpu : run.gpus) {
    const auto total = static_cast<double>(gpu.identity.memory_total.value_or(0));
    const auto before = static_cast<double>(gpu.memory_before);
    if (total <= 0 || before < total * kMuch || !(gpu.held || gpu.used)) continue;
    return Outcome::found("other programs held " + bytes(before) + " of the " + bytes(total) +
                          " of " + gpu_name(gpu) + " before this one started")
        .because("of what was left the program took " + bytes(static_cast<double>(gpu.own_peak)),
                 {"NVML", 0})
        .mend({"end the other programs, or take another GPU ('gpuwhy watch' lists who holds what)",
               {},
               {}});
  }
  return Outcome::clear("next to nothing was in use before the run");
}

} // namespace

extern constexpr Rule R01{
    .id = "R01",
    .slug = "memory-taken",
    .title = "Other programs hold the GPU's memory",
    .since = "0.1",
    .gate = Gate::capacity,
    .effect = Effect::breaks,
    .explanation =
        R"(The GPU's memory belongs to whoever takes it first. TensorFlow takes nearly all of it when it starts, JAX
three quarters, and a notebook keeps it until its kernel ends, also when nothing runs. The next program lists the GPU and
fails with "out of memory".)",
    .fix =
        R"(End what `nvidia-smi` shows. Where programs must share: `TF_FORCE_GPU_ALLOW_GROWTH=true`,
`XLA_PYTHON_CLIENT_PREALLOCATE=false`.)",
    .references =
        R"(- [TensorFlow: limiting GPU memory growth](https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth)
- [JAX: GPU memory allocation](https://docs.jax.dev/en/latest/gpu_memory_allocation.html))",
    .explains = {},
    .check = check,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
