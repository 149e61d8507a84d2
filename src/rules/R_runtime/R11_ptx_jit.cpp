// The driver translates PTX for this GPU when the program starts, as the build carries no code for
// it.
#include "rules/R_runtime/waiting.h"

namespace gpuwhy::rules {
namespace {

constexpr double kLong = 3; // seconds

Outcome check_run(const use::RunStatistics& run) {
  if (!run.opened) return Outcome::not_applicable();
  if (!run.maps("libnvidia-ptxjitcompiler"))
    return Outcome::clear("the driver's compiler was not loaded");
  if (!run.calls_early.known()) return Outcome::unknown("how long code took to load at the start");
  const double start = run.steady.from - *run.opened;
  const double loading = start * run.calls_early.load;
  if (loading < kLong) return Outcome::clear("loading code took about " + seconds(loading));
  return Outcome::found(
             "for about " + seconds(loading) +
             " at its start the program waited for the driver to compile kernels for this GPU")
      .because(share(run.calls_early.load) + " of the time before the first steps went to loading "
                                             "code, with the driver's PTX compiler loaded",
               {"CUPTI", 0})
      .because("a thread of the program used " + share(run.host_early.busiest_thread) +
                   " of a core meanwhile",
               {"/proc", 0})
      .mend({"a build that carries code for this GPU; until then keep the driver's cache "
             "(CUDA_CACHE_DISABLE unset, CUDA_CACHE_MAXSIZE=4294967296)",
             {"export CUDA_CACHE_MAXSIZE=4294967296"},
             {}});
}

} // namespace

extern constexpr Rule R11{
    .id = "R11",
    .slug = "ptx-jit",
    .title = "The first start compiles kernels for this GPU",
    .since = "0.1",
    .gate = Gate::architecture,
    .effect = Effect::slows,
    .explanation =
        R"(A framework's build carries machine code for some generations of GPUs and PTX for newer ones. On a GPU without machine code the driver
compiles the PTX when the program starts: minutes in which it seems to hang, with one thread at work. The result is cached in
`~/.nv/ComputeCache`, if there is room and the cache is not turned off.)",
    .fix =
        R"(Install a build for this GPU. Where there is none, let the cache be large (`CUDA_CACHE_MAXSIZE`) and on a disk that stays.)",
    .references =
        R"(- [CUDA: just-in-time compilation](https://docs.nvidia.com/cuda/cuda-c-programming-guide/#just-in-time-compilation))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
