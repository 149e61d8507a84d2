// The GPU lowers its clocks while it works: heat, a failing supply, or a limit below the usual one.
// A card that reaches its own power limit under full load is not at fault.
#include "rules/R_runtime/waiting.h"

namespace gpuwhy::rules {
namespace {

constexpr double kOften = 0.2;       // of the time at work
constexpr double kSlower = 0.9;      // of the highest clock
constexpr double kHardlyAtWork = 20; // per cent busy; clocks are read above that
constexpr double kLowered = 0.9;     // of the usual power limit

Outcome throttled(const use::GpuUse& gpu, const std::string& why, double often, Edit edit) {
  auto outcome = Outcome::found(gpu_name(gpu) + " ran slower " + why + " for " + share(often) +
                                " of its working time");
  if (gpu.sm_clock && gpu.identity.sm_clock_limit) {
    outcome.evidence.push_back({"multiprocessors at " + count(*gpu.sm_clock) + " of " +
                                    count(*gpu.identity.sm_clock_limit) + " MHz, " +
                                    count(gpu.hottest) + " °C at most",
                                {"NVML", 0}});
  }
  if (gpu.power && gpu.identity.power_limit) {
    outcome.evidence.push_back(
        {count(*gpu.power) + " W of " + count(*gpu.identity.power_limit) + " W", {"NVML", 0}});
  }
  return std::move(outcome).mend(std::move(edit));
}

Outcome check_run(const use::RunStatistics& run) {
  if (!run.any_used()) return Outcome::not_applicable();
  for (const auto& gpu : run.gpus) {
    if (!gpu.used) continue;
    const auto& limit = gpu.identity.sm_clock_limit;
    if (!gpu.sm_clock && gpu.busy < kHardlyAtWork) continue;
    if (!gpu.sm_clock || !limit) return Outcome::unknown("the clocks of " + gpu_name(gpu));
    if (gpu.braked > kOften) {
      return throttled(
          gpu, "because its power supply or the system's brake signal demanded it", gpu.braked,
          {"check the power cables, the supply and the server's power budget", {}, {}});
    }
    if (*gpu.sm_clock > *limit * kSlower) continue;
    if (gpu.thermal > kOften) {
      return throttled(
          gpu, "because it was too hot", gpu.thermal,
          {"better cooling: fans, filters, air flow, the distance to its neighbours", {}, {}});
    }
    const auto& identity = gpu.identity;
    const bool lowered = identity.power_limit && identity.power_default &&
                         *identity.power_limit < *identity.power_default * kLowered;
    if (lowered && gpu.power_capped > kOften) {
      return throttled(gpu,
                       "because its power limit was set to " + count(*identity.power_limit) + " W",
                       gpu.power_capped,
                       {"set the limit back to " + count(*identity.power_default) + " W",
                        {"sudo nvidia-smi -i " + std::to_string(identity.index) + " -pl " +
                         count(*identity.power_default)},
                        {}});
    }
  }
  return Outcome::clear("clocks stayed up");
}

} // namespace

extern constexpr Rule R06{
    .id = "R06",
    .slug = "throttled",
    .title = "The GPU slows itself down: heat or power",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(A GPU lowers its clocks when it gets too hot, when its supply cannot follow, or when its power limit is reached. Training starts fast
and slows down after minutes; a benchmark of the first steps promises too much.)",
    .fix =
        R"(Heat: cooling. A brake signal: cables and supply. A lowered limit: raise it (`nvidia-smi -pl`). A card that draws its full power under
full load does what it can.)",
    .references =
        R"(- [NVML: clocks event reasons](https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
