// The processor cannot issue the many small kernels as fast as the GPU runs them.
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

Edit remedy(const use::RunStatistics& run) {
  std::string words = "more work a call: a larger batch";
  if (run.maps("libtorch"))
    words += ", torch.compile(model, mode=\"reduce-overhead\") or a CUDA graph";
  else if (run.maps("libtensorflow") || run.maps("_pywrap_tensorflow"))
    words += ", jit_compile=True, steps_per_execution";
  else if (run.maps("jaxlib"))
    words += ", several steps in one jit (jax.lax.scan; steps_per_execution in Keras)";
  else
    words += ", or several steps compiled into one";
  return {words + "; a model this small may be faster on the processor", {}, {}};
}

Outcome check_run(const use::RunStatistics& run) {
  if (auto otherwise = waits_for_else(run, {Wait::issue, Wait::small_kernels}))
    return std::move(*otherwise);
  const auto* gpu = run.main_gpu();
  const bool small = bottleneck_of(run).wait == Wait::small_kernels;
  auto outcome = Outcome::found(
      small ? "kernels run all the time, but fill only " + percent(gpu->sm.value_or(0)) +
                  " of the multiprocessors: too little work in each"
            : "the processor cannot launch work fast enough: the GPU idles " +
                  percent(100 - gpu->busy) + " of the time between small kernels");
  outcome.evidence.push_back(busy_evidence(*gpu));
  const auto& calls = run.calls;
  const double launches = calls.per_second(calls.sums.launches);
  const double graphs = calls.per_second(calls.sums.graphs);
  if (launches + graphs > 0) {
    std::string text = count(launches) + " kernel launches a second";
    if (graphs >= 1)
      text += " and " + count(graphs) + " of whole graphs";
    else
      text += ", " + seconds(gpu->busy / 100 / std::max(launches, 1.0)) + " of work in each";
    outcome.evidence.push_back({std::move(text), {"CUPTI", 0}});
  }
  if (auto evidence = calls_evidence(run)) outcome.evidence.push_back(std::move(*evidence));
  return std::move(outcome).mend(remedy(run));
}

} // namespace

extern constexpr Rule R04{
    .id = "R04",
    .slug = "launch-bound",
    .title = "Many tiny kernels: the processor is slower at launching than the GPU at computing",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(To start a kernel costs the processor a few microseconds, and a framework's own work for each operation costs more. A small model, a
small batch or a recurrent layer without its cuDNN form gives kernels that take less than that: the GPU finishes before the next
one arrives. Utilisation may look high, as it counts any kernel; power and multiprocessors in use tell that little is done.)",
    .fix =
        R"(Give each call more work: larger batches, fused operations (XLA, `torch.compile`), CUDA graphs, several steps an execution, and cuDNN's
recurrent layers. For a small model the processor may simply be the better place.)",
    .references =
        R"(- [TensorFlow: optimize GPU performance](https://www.tensorflow.org/guide/gpu_performance_analysis)
- [PyTorch: CUDA graphs](https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
