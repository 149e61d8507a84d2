// Seen running: the run failed for want of memory, and other programs held a good part of it before it began.
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr double kMuch = 0.25; // of the memory

Outcome check_run(const use::RunStatistics& run) {
  const bool failed = std::any_of(run.end.signs.begin(), run.end.signs.end(), [](const use::Sign& sign) { return sign.kind == use::Sign::Kind::out_of_memory; });
  if (!failed) return Outcome::clear("no allocation failed");
  if (run.start.before.empty()) return Outcome::unknown("the memory in use before the run");
  for (const auto& gpu : run.gpus) {
    const auto total = static_cast<double>(gpu.identity.memory_total.value_or(0));
    const auto before = static_cast<double>(gpu.memory_before);
    if (total <= 0 || before < total * kMuch || !(gpu.held || gpu.used)) continue;
    return Outcome::found("other programs held " + bytes(before) + " of the " + bytes(total) + " of " + gpu_name(gpu) + " before this one started")
        .because("of what was left the program took " + bytes(static_cast<double>(gpu.own_peak)), {"NVML", 0})
        .mend({"end the other programs, or take another GPU ('gpuwhy watch' lists who holds what)", {}, {}});
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
    .explanation = R"(GPU memory belongs to the process that asked first. TensorFlow takes nearly all of it at its start and JAX three quarters,
whether they need it or not, and a notebook keeps its share until its kernel is shut down. A second program then finds too little.)",
    .fix = R"(See who holds it (`gpuwhy watch`, `nvidia-smi`), and end what is not needed. To share a GPU, stop each program from taking all:
`TF_FORCE_GPU_ALLOW_GROWTH=true`, `XLA_PYTHON_CLIENT_PREALLOCATE=false` or `XLA_PYTHON_CLIENT_MEM_FRACTION`.)",
    .references = R"(- [JAX: GPU memory allocation](https://docs.jax.dev/en/latest/gpu_memory_allocation.html))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
