// Memory is held and no kernels run: never, or not any more.
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr std::uint64_t kContext = 900ULL << 20U; // a bare context takes up to this
constexpr double kLongEnough = 4;                 // seconds

Edit look_at_placement() {
  return {"let the framework say where it computes (tf.debugging.set_log_device_placement(True), "
          "array.devices(), "
          "tensor.device), and move the work to the GPU",
          {},
          {}};
}

Outcome check_run(const use::RunStatistics& run) {
  if (!run.start.nvml.works)
    return Outcome::unknown("GPU memory in use (" + run.start.nvml.problem + ")");
  if (!run.any_held()) return Outcome::not_applicable();
  const auto& signs = run.end.signs;
  const bool starved = std::any_of(signs.begin(), signs.end(), [](const use::Sign& sign) {
    return sign.kind == use::Sign::Kind::out_of_memory;
  });
  if (starved && run.end.failed())
    return Outcome::clear("it ended because memory ran out, which allocators wait for");
  const auto most =
      std::max_element(run.gpus.begin(), run.gpus.end(),
                       [](const auto& a, const auto& b) { return a.own_peak < b.own_peak; });
  const double held_for = run.end.time - run.opened.value_or(0);
  if (!run.any_used()) {
    if (most->own_peak < kContext || held_for < kLongEnough)
      return Outcome::clear("only a context was created");
    return Outcome::found("the program held " + bytes(static_cast<double>(most->own_peak)) +
                          " of " + gpu_name(*most) + " for " + seconds(held_for) +
                          " and ran no kernels")
        .because("processors in use meanwhile: " + count(run.host.cores) + " cores", {"/proc", 0})
        .mend(look_at_placement());
  }
  const double idle = run.end.time - run.last_use.value_or(run.end.time);
  const bool still_held = most->own_last > 0;
  if (still_held && idle > kLongEnough && idle > held_for * 0.5) {
    return Outcome::found("the GPU was used until " + seconds(run.last_use.value_or(0)) +
                          " only; for the " + seconds(idle) + " since then it kept " +
                          bytes(static_cast<double>(most->own_last)) + " and ran nothing")
        .because("last kernel seen " + seconds(run.last_use.value_or(0)) + " into a run of " +
                     seconds(run.end.time),
                 {"NVML", 0})
        .mend({"look at what the program does after that: evaluation or export on the processor, "
               "or a wait",
               {},
               {}});
  }
  return Outcome::clear("kernels ran while memory was held");
}

} // namespace

extern constexpr Rule R02{
    .id = "R02",
    .slug = "allocated-but-idle",
    .title = "GPU memory is taken, but no kernels run",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(Memory in use says nothing about work: TensorFlow and JAX take most of the GPU's memory when they start. If no kernels follow, the
computation itself stays on the processor (NumPy, pandas, a model that was not moved), or the program has finished its part on
the GPU and goes on without it, keeping the memory from others.)",
    .fix =
        R"(Let the framework tell where it computes, and move that work to the GPU. If the GPU's part is over, end the process or give the memory
back.)",
    .references = R"(- [TensorFlow: use a GPU](https://www.tensorflow.org/guide/gpu))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
