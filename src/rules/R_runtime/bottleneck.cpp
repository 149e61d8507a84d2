// The limits were set on recordings of an H100 (tests/fixtures/runs): a well-fed GPU reads 75 to
// 100 per cent there, a starved one 0 to 70.
#include "rules/R_runtime/bottleneck.h"

#include "rules/R_runtime/figures.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using use::GpuUse;
using use::RunStatistics;

constexpr double kWellFed =
    70; // per cent; a host that is away for less of the time is no bottleneck
constexpr double kWellDriven = 80; // likewise, for a host that is busy with calls
constexpr double kShortest = 1.0;  // seconds of steady phase that can be judged
constexpr double kShort = 5.0;     // seconds: one end of an epoch weighs much in so short a phase
constexpr double kBenefit = 10;    // per cent less are well fed there
constexpr double kFewMultiprocessors = 12; // per cent
constexpr double kHardlyAny = 3;           // likewise
constexpr double kManyLaunches = 5'000;    // a second
constexpr double kShortPause = 0.005;      // seconds: a framework's own work between two steps
constexpr double kLittleWork = 0.0005;     // seconds of kernels between two pauses
constexpr double kLaunchesPerSync = 40;
constexpr double kLateLoads = 0.3; // of the late windows
// Of the steady phase's second half. Programs that compile all along read 0.9 to 1, those that are
// done with it 0 to 0.3.
constexpr double kLateCompilers = 0.6;
constexpr double kEnoughSeen = 0.2;        // seconds of windows; or, where calls are dense,
constexpr double kEnoughCalls = 1000;      // as many launches
constexpr double kTensor = 64 << 10;       // bytes: more than a loss or a metric
constexpr double kSmallCopy = 4096;        // bytes: a scalar or so
constexpr double kMuchTraffic = 2'000'000; // KiB/s

double launches(const RunStatistics& run) {
  return static_cast<double>(run.calls.sums.launches + run.calls.sums.graphs);
}

double mean_bytes(std::uint64_t bytes, std::uint64_t copies) {
  return copies == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(copies);
}

/// Tensors go to the host and come back in each step, and processors work in between.
bool computes_on_host(const RunStatistics& run) {
  const auto& sums = run.calls.sums;
  if (sums.pauses == 0 || run.host.cores < 1.5) return false;
  const auto a_pause = [&](std::uint64_t total) {
    return static_cast<double>(total) / static_cast<double>(sums.pauses);
  };
  return a_pause(sums.to_host_bytes) > kTensor && a_pause(sums.to_device_bytes) > kTensor;
}

/// Copies of next to nothing: their time is that of waiting for what they bring.
bool copies_scalars(const RunStatistics& run) {
  const auto& sums = run.calls.sums;
  return mean_bytes(sums.to_host_bytes + sums.to_device_bytes, sums.to_host + sums.to_device) <
         kSmallCopy;
}

double benefit_of_doubt(const GpuUse& gpu) {
  return gpu.steady->length() < kShort ? kBenefit : 0;
}

Wait by_calls(const RunStatistics& run, const GpuUse& gpu) {
  const auto& calls = run.calls;
  const double busy = gpu.busy / 100;
  const bool many = calls.per_second(calls.sums.launches) > kManyLaunches;
  const double benefit = benefit_of_doubt(gpu);
  if (gpu.busy >= kWellDriven - benefit) {
    return gpu.sm && *gpu.sm < kFewMultiprocessors && many ? Wait::small_kernels : Wait::nothing;
  }
  const double blocked = calls.copy + std::max(0.0, calls.sync - busy);
  const bool paused = calls.pause >= calls.issue && calls.pause >= blocked;
  if (paused) {
    if (gpu.busy >= kWellFed - benefit) return Wait::nothing;
    if (calls.late_loads >= kLateLoads || run.late_compiling >= kLateCompilers)
      return Wait::compilation;
    if (computes_on_host(run)) return Wait::part_on_cpu;
    const double work = busy * calls.window / std::max(1.0, static_cast<double>(calls.sums.pauses));
    return calls.mean_pause() < kShortPause && work < kLittleWork ? Wait::issue : Wait::input;
  }
  if (blocked > calls.issue) {
    if (computes_on_host(run) && calls.pause > calls.copy) return Wait::part_on_cpu;
    return copies_scalars(run) ? Wait::sync : Wait::transfer;
  }
  const auto& sums = calls.sums;
  const double asked = static_cast<double>(sums.syncs + (copies_scalars(run) ? sums.to_host : 0));
  const bool often = asked * kLaunchesPerSync > launches(run);
  const double waited = calls.sync + (copies_scalars(run) ? calls.copy : 0);
  if (often && waited > 0.2) return Wait::sync;
  return Wait::issue;
}

/// NVML and /proc alone: only what is plain.
Bottleneck by_gauges(const RunStatistics& run, const GpuUse& gpu) {
  const double benefit = benefit_of_doubt(gpu);
  if (gpu.busy >= kWellDriven - benefit) return {Wait::nothing, {}};
  const double traffic = gpu.pcie_rx.value_or(0) + gpu.pcie_tx.value_or(0);
  if (gpu.busy < kWellFed - benefit) {
    if (traffic > kMuchTraffic) return {Wait::transfer, {}};
    if (run.late_compiling >= kLateCompilers) return {Wait::compilation, {}};
    const bool bursts = gpu.idle_looks > 0.3 && gpu.alternation > 0.6;
    if (bursts || run.host.io_wait > 0.3 || (run.host.processes > 2 && run.host.cores > 2))
      return {Wait::input, {}};
    const bool trickle = gpu.sm && *gpu.sm < kFewMultiprocessors && gpu.idle_looks < 0.3;
    // TensorFlow's steps wander from thread to thread: together they keep a core busy.
    const bool wanders = gpu.sm && *gpu.sm < kHardlyAny && run.host.cores > 0.8;
    if (trickle && (run.host.busiest_thread > 0.8 || wanders) && traffic < kMuchTraffic / 4)
      return {Wait::issue, {}};
  }
  const auto& why = run.end.cuda.problem;
  return {Wait::unknown,
          "what the program does while the GPU waits (" +
              (why.empty() ? "too few looks at its CUDA calls; a longer run tells more"
                           : "CUDA calls were not counted: " + why) +
              ")"};
}

} // namespace

/// A kernel of NCCL that waits runs on a few multiprocessors: two H200 of which one rank was late
/// read 99 % busy, 22 % of the multiprocessors, 181 of 700 W, and 4 % busy.
std::optional<LateRank> late_rank(const RunStatistics& run) {
  constexpr double kAlways = 90;       // per cent of the time
  constexpr double kLate = 50;         // likewise
  constexpr double kFew = 40;          // per cent of the multiprocessors
  constexpr double kLittlePower = 0.5; // of the limit
  if (!run.maps("libnccl")) return std::nullopt;
  LateRank found{nullptr, nullptr};
  for (const auto& gpu : run.gpus) {
    if (!gpu.used || !gpu.steady) continue;
    if (found.waiting == nullptr || gpu.busy > found.waiting->busy) found.waiting = &gpu;
    if (found.late == nullptr || gpu.busy < found.late->busy) found.late = &gpu;
  }
  if (found.waiting == nullptr || found.waiting->busy < kAlways || found.late->busy > kLate)
    return std::nullopt;
  const auto& gpu = *found.waiting;
  const bool idles = gpu.sm && *gpu.sm < kFew;
  const bool cool = gpu.power && gpu.identity.power_limit &&
                    *gpu.power < *gpu.identity.power_limit * kLittlePower;
  return idles && cool ? std::optional(found) : std::nullopt;
}

Bottleneck bottleneck_of(const RunStatistics& run) {
  const auto* gpu = run.main_gpu();
  if (gpu == nullptr) return {Wait::nothing, {}}; // other rules speak of that
  if (!gpu->steady || gpu->steady->length() < kShortest)
    return {Wait::unknown, "the GPU was used for too short a time to judge"};
  if (late_rank(run)) return {Wait::late_rank, {}};
  if (run.calls.window < kEnoughSeen && launches(run) < kEnoughCalls) return by_gauges(run, *gpu);
  return {by_calls(run, *gpu), {}};
}

} // namespace gpuwhy::rules
