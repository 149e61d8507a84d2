// The GPU is well used, and the gauge that people look at first says otherwise.
#include "rules/R_runtime/waiting.h"

namespace gpuwhy::rules {
namespace {

Outcome check_run(const use::RunStatistics& run) {
  const auto* gpu = run.main_gpu();
  if (gpu == nullptr || !gpu->steady) return Outcome::not_applicable();
  if (bottleneck_of(run).wait != Wait::nothing) return Outcome::not_applicable();
  if (!gpu->held && run.opened) {
    return Outcome::found(
               "the GPU is well used, but tools that list processes do not show this program")
        .because("NVML does not know its process number here: a container or virtual machine with "
                 "numbers of its own",
                 {"NVML", 0})
        .because(gpu_name(*gpu) + " had a kernel " + percent(gpu->busy) + " of the time",
                 {"NVML", 0})
        .mend({"nothing; look at the GPU's utilisation, or at processes from the host", {}, {}});
  }
  return Outcome::clear("nvidia-smi shows what is the case");
}

} // namespace

extern constexpr Rule R10{
    .id = "R10",
    .slug = "false-alarm",
    .title = "The GPU is in use; the gauge misleads",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(Windows' Task Manager shows the 3D engine, not CUDA. Inside a container nvidia-smi cannot list processes, and in WSL it shows no
utilisation. A look once a second misses bursts of work. Lines of TensorFlow about NUMA nodes, TensorRT or allocations that are tried
again do no harm.)",
    .fix =
        R"(Nothing needs mending. Look at utilisation and power in `nvidia-smi dmon`, `gpuwhy watch`, or the Compute graph of Task Manager.)",
    .references = "",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
