// Compiling kernels takes the time: again and again, or for long at the start.
#include "rules/R_runtime/waiting.h"

namespace gpuwhy::rules {
namespace {

constexpr double kLongStart = 20;     // seconds
constexpr double kMuchOfTheRun = 0.3; // of the time since the GPU was opened

Outcome at_the_start(const use::RunStatistics& run) {
  const double start = run.steady.from - run.opened.value_or(0);
  const double whole = run.end.time - run.opened.value_or(0);
  if (run.compilers == 0 || start < kLongStart || start < whole * kMuchOfTheRun)
    return Outcome::clear("compiling did not hold the program up");
  return Outcome::found("the first " + seconds(start) +
                        " on the GPU went to compiling and trying kernels")
      .because(std::to_string(run.compilers) + " compiler processes, " +
                   count(run.host_early.cores) + " cores in use",
               {"/proc", 0})
      .mend({"keep compiled programs between runs (JAX_COMPILATION_CACHE_DIR; the autotune cache "
             "of XLA)",
             {"export JAX_COMPILATION_CACHE_DIR=~/.cache/jax"},
             {}});
}

Outcome check_run(const use::RunStatistics& run) {
  if (!run.any_used()) return Outcome::not_applicable();
  if (auto otherwise = waits_for_else(run, {Wait::compilation})) {
    auto start = at_the_start(run);
    return start.state == Outcome::State::found ? std::move(start) : std::move(*otherwise);
  }
  const auto* gpu = run.main_gpu();
  auto outcome = Outcome::found("new kernels are compiled all through the run, and the GPU works " +
                                percent(gpu->busy) + " of the time");
  if (run.calls.late_loads > 0)
    outcome.evidence.push_back({"code was loaded in " + share(run.calls.late_loads) +
                                    " of the looks of the second half, " +
                                    count(run.calls.per_second(run.calls.sums.loads)) +
                                    " times a second",
                                {"CUPTI", 0}});
  if (run.compilers > 0)
    outcome.evidence.push_back(
        {std::to_string(run.compilers) + " compiler processes (ptxas and kin), alive in " +
             share(run.late_compiling) + " of the second half of the run's work",
         {"/proc", 0}});
  outcome.evidence.push_back(busy_evidence(*gpu));
  return std::move(outcome).mend(
      {"keep shapes the same from step to step (pad to a few sizes, drop the last batch that is "
       "not full), and build jitted functions outside of loops",
       {},
       {}});
}

} // namespace

extern constexpr Rule R13{
    .id = "R13",
    .slug = "compile-stall",
    .title = "Compiling takes the time",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(XLA, `tf.function` and `torch.compile` make a program for each shape and type of their arguments. If these change from step to step, or a
function is made anew in a loop, each step compiles first: seconds of work on the processor for milliseconds on the GPU. Large models
take minutes for this once, at their start.)",
    .fix =
        R"(Keep shapes the same: pad to a few sizes, drop incomplete batches. Create compiled functions once. Keep the compilation cache between runs.)",
    .references =
        R"(- [JAX: persistent compilation cache](https://docs.jax.dev/en/latest/persistent_compilation_cache.html)
- [TensorFlow: tf.function and retracing](https://www.tensorflow.org/guide/function))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
