// The GPU waits for the program between the steps: data that are read, decoded or made too slowly.
#include "rules/R_runtime/waiting.h"

namespace gpuwhy::rules {
namespace {

/// What the processor does meanwhile tells what to change.
Edit remedy(const use::RunStatistics& run) {
  if (run.host.processes > 2) {
    return {"more workers for the data (num_workers), or less work a sample: " +
                std::to_string(run.host.processes - 1) + " processes prepare it now",
            {},
            {}};
  }
  if (run.host.busiest_thread > 0.6) {
    return {"prepare the next batches while the GPU works: Dataset.map(..., "
            "num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE), "
            "DataLoader(num_workers=...), keras.utils.PyDataset(workers=...)",
            {},
            {}};
  }
  return {"read ahead: prefetch, more parallel reads, or a copy of the data on a local disk; "
          "nobody computes while the GPU waits",
          {},
          {}};
}

Evidence work_of(const use::GpuUse& gpu) {
  std::string text = gpu_name(gpu) + " had a kernel " + percent(gpu.busy) + " of the time";
  if (gpu.sm) text += ", on " + percent(*gpu.sm) + " of its multiprocessors";
  if (gpu.power) text += ", at " + count(*gpu.power) + " W";
  return {std::move(text), {"NVML", 0}};
}

/// One process of several is slow, and the GPUs of the others spin in NCCL.
Outcome late_process(const use::RunStatistics& run, const LateRank& ranks) {
  const auto late = gpu_name(*ranks.late);
  auto outcome = Outcome::found(gpu_name(*ranks.waiting) + " waits in NCCL for " + late +
                                ", whose process brings its work too slowly");
  outcome.evidence = {work_of(*ranks.waiting), work_of(*ranks.late)};
  if (auto calls = calls_evidence(run)) outcome.evidence.push_back(std::move(*calls));
  return std::move(outcome).mend({"look at what the process of " + late +
                                      " does between its steps: its data, its share of the batch, "
                                      "work that only this rank has",
                                  {},
                                  {}});
}

Outcome check_run(const use::RunStatistics& run) {
  if (auto otherwise = waits_for_else(run, {Wait::input, Wait::late_rank}))
    return std::move(*otherwise);
  if (const auto ranks = late_rank(run)) return late_process(run, *ranks);
  const auto* gpu = run.main_gpu();
  auto outcome = Outcome::found("the GPU waits for the program " + percent(100 - gpu->busy) +
                                " of the time: input is slower than the step");
  outcome.evidence.push_back(busy_evidence(*gpu));
  if (auto calls = calls_evidence(run)) outcome.evidence.push_back(std::move(*calls));
  if (run.calls.sums.pauses > 0) {
    outcome.evidence.push_back(
        {"between the steps " + seconds(run.calls.mean_pause()) + " pass without a CUDA call, " +
             count(run.calls.per_second(run.calls.sums.pauses)) + " times a second",
         {"CUPTI", 0}});
  }
  std::string host = "meanwhile the busiest thread used " + share(run.host.busiest_thread) +
                     " of a core, all together " + count(run.host.cores) + " cores";
  if (run.host.io_wait > 0.05)
    host += "; " + share(run.host.io_wait) + " of the time went to waiting for a disk";
  outcome.evidence.push_back({std::move(host), {"/proc", 0}});
  return std::move(outcome).mend(remedy(run));
}

} // namespace

extern constexpr Rule R03{
    .id = "R03",
    .slug = "input-bound",
    .title = "The GPU waits for input",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(A training step cannot start before its batch is there. If reading, decoding or making a batch takes longer than the step, the GPU
works in short bursts and idles in between; a faster GPU would change nothing. Utilisation then jumps between 0 and 100 per cent.)",
    .fix =
        R"(Prepare batches in parallel and ahead of the GPU: `prefetch`, parallel `map`, worker processes, formats that are cheap to read, a cache
of what is the same in each epoch, and preprocessing as layers on the GPU.)",
    .references =
        R"(- [tf.data: better performance](https://www.tensorflow.org/guide/data_performance)
- [PyTorch: performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
