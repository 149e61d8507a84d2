// Memory that grows all through the run. A pool that is taken at once (TensorFlow, JAX) is level
// and no leak; a pool that fills up at the start levels off.
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr double kLeastOnGpu = 128.0 * (1 << 20); // bytes
constexpr double kLeastOnHost = 256.0 * (1 << 20);
constexpr double kShortestOnHost = 60; // seconds: a process fills its caches at first
constexpr int kFewestSteps = 4;
constexpr double kTrend = 0.6;

bool leaks(const use::Growth& growth, double least) {
  return growth.steady && growth.amount > least && growth.steps >= kFewestSteps &&
         growth.slope.trend > kTrend;
}

Evidence slope_evidence(const use::Growth& growth, const char* where) {
  const auto a_minute = [](double per_second) { return bytes(per_second * 60); };
  return {"+" + a_minute(growth.slope.per_second) + " a minute (95 % sure of " +
              a_minute(growth.slope.lowest) + " to " + a_minute(growth.slope.highest) + "), in " +
              std::to_string(growth.steps) + " steps over " + seconds(growth.seconds),
          {where, 0}};
}

Outcome on_gpu(const use::GpuUse& gpu) {
  auto outcome =
      Outcome::found("GPU memory grows all through the run: " + bytes(gpu.growth.amount) + " in " +
                     seconds(gpu.growth.seconds));
  outcome.evidence.push_back(slope_evidence(gpu.growth, "NVML"));
  const double total = static_cast<double>(gpu.identity.memory_total.value_or(0));
  if (total > 0 && gpu.growth.slope.per_second > 0) {
    const double left =
        (total - static_cast<double>(gpu.memory_peak)) / gpu.growth.slope.per_second;
    outcome.evidence.push_back(
        {"at this rate " + gpu_name(gpu) + " is full " + seconds(std::max(left, 0.0)) + " later",
         {"NVML", 0}});
  }
  return std::move(outcome).mend(
      {"find what keeps tensors or models: losses kept with their graph (use loss.item() or "
       ".detach()), lists of outputs, models made in a loop "
       "(keras.utils.clear_session(), or a process for each)",
       {},
       {}});
}

Outcome check_run(const use::RunStatistics& run) {
  for (const auto& gpu : run.gpus) {
    if (leaks(gpu.growth, kLeastOnGpu)) return on_gpu(gpu);
  }
  if (leaks(run.host.growth, kLeastOnHost) && run.host.growth.seconds > kShortestOnHost &&
      run.any_used()) {
    return Outcome::found("the program's memory grows all through the run: " +
                          bytes(run.host.growth.amount) + " in " + seconds(run.host.growth.seconds))
        .because(slope_evidence(run.host.growth, "/proc").text, {"/proc", 0})
        .mend({"find what is kept: lists of results, models made in a loop, functions traced anew "
               "for each shape; or a process for each run",
               {},
               {}});
  }
  if (!run.any_held()) return Outcome::not_applicable();
  return Outcome::clear("memory levels off");
}

} // namespace

extern constexpr Rule R07{
    .id = "R07",
    .slug = "memory-leak",
    .title = "Memory grows until it is gone",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::breaks,
    .explanation =
        R"(Something keeps what it no longer needs: losses with the whole graph behind them, outputs in a list, a new model in each turn of a loop.
Memory climbs at a steady rate until an allocation fails, often hours into the run.

TensorFlow and JAX take a pool at their start and share it out themselves: from outside it is level, and a leak within it only
shows when the pool runs out.)",
    .fix =
        R"(Keep numbers, not tensors (`loss.item()`, `.detach()`); clear lists; make the model once, or call `keras.utils.clear_session()`; give each
trial of a search a process of its own.)",
    .references =
        R"(- [PyTorch: frequently asked questions on memory](https://docs.pytorch.org/docs/stable/notes/faq.html))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
