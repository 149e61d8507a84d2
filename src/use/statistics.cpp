#include "use/statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gpuwhy::use {
namespace {

/// Of the work that was done, what may lie outside of the steady phase at either end.
constexpr double kTrimmed = 0.01;
/// Processes remembered by number.
constexpr std::uint64_t kMostProcesses = 4096;

bool inside(const Moment& moment, const Span& span) {
  return moment.end > span.from && moment.start < span.to;
}

/// NVML's utilisation covers up to a second before it is read: what it says before the run has
/// opened the GPU is another program's.
constexpr double kOpeningSlack = 0.6;

/// When a program ends, the driver clears the memory that it gives back, with kernels: 0.3 s for
/// 105 GiB on an H200. From then on nothing is its work.
double end_of_work(const std::vector<Moment>& moments, std::size_t gpu) {
  constexpr double kEnding = 2; // seconds
  std::uint64_t most = 0;
  for (const auto& moment : moments) most = std::max(most, moment.gpus[gpu].memory);
  double end = moments.empty() ? 0 : moments.back().end;
  const double earliest = end - kEnding;
  for (auto moment = moments.rbegin(); moment != moments.rend(); ++moment) {
    if (moment->start < earliest || moment->gpus[gpu].memory * 2 >= most) break;
    end = moment->start;
  }
  return end;
}

/// The time in which a GPU can have worked for this run.
Span time_for_work(const std::vector<Moment>& moments, std::size_t gpu, double opened) {
  return {opened - kOpeningSlack, end_of_work(moments, gpu)};
}

/// What counts as work of this run in a moment: percent of time with kernels.
double work_in(const Moment& moment, std::size_t gpu, const Span& time) {
  return moment.start >= time.from && moment.start < time.to ? moment.gpus[gpu].busy.value() : 0;
}

/// Where the beginning ends in which code is compiled and loaded: the start of the span where there
/// is none, or where it goes on through the run.
double start_of_steady(const std::vector<Moment>& moments, const Span& span) {
  constexpr double kDense = 0.3;    // share of the windows up to there in which code was loaded
  constexpr double kSparse = 0.1;   // and of those after it
  constexpr double kShortest = 1.5; // seconds that must be left to judge
  double end = span.from;
  Mean before;
  Mean after;
  for (const auto& moment : moments) {
    if (!inside(moment, span) || moment.cuda.window <= 0) continue;
    const bool loads = moment.cuda.loads > 0;
    before.add(loads ? 1 : 0);
    after.add(loads ? 1 : 0);
    if (!loads || before.value() < kDense) continue;
    end = moment.end;
    after = {};
  }
  const bool enough_left = span.to - end >= std::max(kShortest, 0.2 * span.length());
  return enough_left && after.value() <= kSparse ? end : span.from;
}

std::optional<Span> steady_phase(const std::vector<Moment>& moments, std::size_t gpu,
                                 double opened) {
  const auto time = time_for_work(moments, gpu, opened);
  double total = 0;
  for (const auto& moment : moments) total += work_in(moment, gpu, time);
  if (total <= 0) return std::nullopt;
  Span span;
  double sum = 0;
  bool started = false;
  for (const auto& moment : moments) {
    sum += work_in(moment, gpu, time);
    if (!started && sum > total * kTrimmed) {
      span.from = moment.start;
      started = true;
    }
    if (sum >= total * (1 - kTrimmed)) {
      span.to = moment.end;
      break;
    }
  }
  span.from = start_of_steady(moments, span);
  return span;
}

/// A little work is done for every context: a page cleared, a constant copied.
constexpr double kContextWork = 2; // per cent of the time since the GPU was opened

/// Whether kernels of the run ran on this GPU. NVML's list of processes settles it where it can:
/// inside a container or a virtual machine it may not know our processes by their number.
bool ran_kernels(const GpuUse& gpu, const RunStatistics& run, std::size_t place) {
  std::uint64_t launches = 0;
  double window = 0;
  Mean busy;
  for (const auto& moment : run.moments) {
    launches += moment.cuda.launches + moment.cuda.graphs;
    window += moment.cuda.window;
    if (run.opened && moment.start >= *run.opened) busy.add(moment.gpus[place].busy);
  }
  // The calls are not told by GPU: of several, the one that was busy has run them.
  if (launches > 0 && run.start.gpus.size() == 1)
    return gpu.held || (run.opened && !gpu.by_others && gpu.busy_whole > 0);
  if (!gpu.steady || !(gpu.held || !gpu.by_others)) return false;
  return busy.value() > (window > 1 ? kContextWork : 0.5);
}

template <class Value>
Growth growth_of(const std::vector<Moment>& moments, const Span& span, Value value) {
  std::vector<std::pair<double, double>> points;
  for (const auto& moment : moments) {
    if (!inside(moment, span)) continue;
    if (const auto level = value(moment)) points.emplace_back(moment.start, *level);
  }
  Growth growth;
  if (points.size() < 12) return growth;
  // The first quarter is warm-up: caches fill, the allocator takes its first blocks.
  points.erase(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(points.size() / 4));
  growth.slope = robust_slope(points);
  growth.amount = points.back().second - points.front().second;
  growth.seconds = points.back().first - points.front().first;
  for (std::size_t i = 1; i < points.size(); ++i)
    growth.steps += points[i].second > points[i - 1].second ? 1 : 0;
  const auto at = [&](std::size_t third) {
    return points[std::min(third * points.size() / 3, points.size() - 1)].second;
  };
  growth.steady = growth.slope.lowest > 0 && growth.amount > 0;
  for (std::size_t third = 0; third < 3; ++third) {
    growth.steady &= at(third + 1) - at(third) > growth.amount * 0.1;
  }
  return growth;
}

std::optional<double> known(const Mean& mean) {
  return mean.known() ? std::optional(mean.value()) : std::nullopt;
}

GpuUse use_of(const RunStatistics& run, std::size_t place, bool by_others) {
  GpuUse gpu;
  gpu.identity = run.start.gpus[place];
  gpu.by_others = by_others;
  Mean whole;
  const double ended = end_of_work(run.moments, place);
  for (const auto& moment : run.moments) {
    const auto& seen = moment.gpus[place];
    whole.add(seen.busy);
    gpu.memory_peak = std::max(gpu.memory_peak, seen.memory);
    gpu.own_peak = std::max(gpu.own_peak, seen.own_memory);
    if (seen.own_memory_known && moment.start < ended) gpu.own_last = seen.own_memory;
    gpu.held |= seen.own_memory > 0;
    gpu.lost |= seen.lost;
    gpu.hottest = std::max(gpu.hottest, seen.temperature.value());
  }
  gpu.busy_whole = whole.value();
  gpu.steady = run.opened ? steady_phase(run.moments, place, *run.opened) : std::nullopt;
  gpu.used = ran_kernels(gpu, run, place);
  Mean busy, sm, power, clock, thermal, braked, capped, rx, tx, idle, extreme;
  const Span span = gpu.steady.value_or(Span{0, run.end.time});
  for (const auto& moment : run.moments) {
    if (!inside(moment, span)) continue;
    const auto& seen = moment.gpus[place];
    busy.add(seen.busy);
    sm.add(seen.sm);
    power.add(seen.power);
    rx.add(seen.pcie_rx);
    tx.add(seen.pcie_tx);
    if (seen.busy.known()) {
      idle.add(seen.busy.value() < 5 ? 1 : 0);
      extreme.add(seen.busy.value() < 5 || seen.busy.value() > 90 ? 1 : 0);
    }
    if (seen.busy.value() < 20) continue;
    clock.add(seen.sm_clock);
    thermal.add(seen.thermal);
    braked.add(seen.braked);
    capped.add(seen.power_capped);
  }
  gpu.busy = busy.value();
  gpu.sm = known(sm);
  gpu.power = known(power);
  gpu.sm_clock = known(clock);
  gpu.pcie_rx = known(rx);
  gpu.pcie_tx = known(tx);
  gpu.idle_looks = idle.value();
  gpu.alternation = extreme.value();
  gpu.thermal = thermal.value();
  gpu.braked = braked.value();
  gpu.power_capped = capped.value();
  for (const auto& before : run.start.before) {
    if (before.index == gpu.identity.index) gpu.memory_before = before.memory.value_or(0);
  }
  for (const auto& after : run.end.after) {
    if (after.index != gpu.identity.index) continue;
    gpu.after_known = after.memory.has_value();
    gpu.memory_after = after.memory.value_or(0);
  }
  double first_held = -1;
  for (const auto& moment : run.moments) {
    if (moment.gpus[place].own_memory == 0) continue;
    if (first_held < 0) first_held = moment.start;
  }
  if (first_held >= 0) {
    gpu.growth = growth_of(run.moments, {first_held, run.end.time},
                           [&](const Moment& moment) -> std::optional<double> {
                             const auto& seen = moment.gpus[place];
                             if (!seen.own_memory_known || seen.own_memory == 0)
                               return std::nullopt;
                             return static_cast<double>(seen.own_memory);
                           });
  }
  return gpu;
}

HostUse host_in(const std::vector<Moment>& moments, const Span& span) {
  HostMoment sum;
  for (const auto& moment : moments) {
    if (inside(moment, span)) sum.add(moment.host);
  }
  HostUse use;
  use.cores = sum.cores.value();
  use.busiest_thread = sum.busiest_thread.value();
  use.main_thread = sum.main_thread.value();
  use.io_wait = sum.io_wait.value();
  use.switches = sum.switches.value();
  use.compiling = sum.compiling.value();
  use.rss_peak = sum.rss;
  use.processes = sum.processes;
  use.growth = growth_of(moments, span, [](const Moment& moment) -> std::optional<double> {
    if (moment.host.rss == 0) return std::nullopt;
    return static_cast<double>(moment.host.rss);
  });
  return use;
}

/// Of a phase, a moment that ends a window; the window lies before its end.
struct Look {
  const Moment* moment;
  double begin() const { return moment->end - moment->cuda.window; }
  double end() const { return moment->end; }
};

std::vector<Look> looks_in(const std::vector<Moment>& moments, const Span& span) {
  std::vector<Look> looks;
  for (const auto& moment : moments) {
    const Look look{&moment};
    const double middle = (look.begin() + look.end()) / 2;
    if (inside(moment, span) && moment.cuda.window > 0 && middle >= span.from && middle <= span.to)
      looks.push_back(look);
  }
  return looks;
}

/// Windows are short where calls are dense and long where hardly any is made, and come often at
/// first: each counts for the time around it that is nearer to it than to another. In seconds.
double stands_for(const std::vector<Look>& looks, std::size_t at, const Span& span) {
  const double from = at == 0 ? span.from : (looks[at - 1].end() + looks[at].begin()) / 2;
  const double to =
      at + 1 == looks.size() ? span.to : (looks[at].end() + looks[at + 1].begin()) / 2;
  return std::max(to - from, looks[at].moment->cuda.window);
}

CudaTick scaled(CudaTick tick, double factor) {
  const auto scale = [&](std::uint64_t& count) {
    if (count > 0)
      count = std::max<std::uint64_t>(
          1, static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * factor)));
  };
  for (auto* count : {&tick.launches, &tick.graphs, &tick.to_device, &tick.to_device_bytes,
                      &tick.to_host, &tick.to_host_bytes, &tick.syncs, &tick.loads, &tick.pauses})
    scale(*count);
  for (auto* time :
       {&tick.window, &tick.copy_time, &tick.sync_time, &tick.load_time, &tick.pause_time})
    *time *= factor;
  return tick;
}

CallUse calls_in(const std::vector<Moment>& moments, const Span& span) {
  CallUse use;
  Mean with_loads;
  const auto looks = looks_in(moments, span);
  double observed = 0;
  double stood_for = 0;
  for (std::size_t at = 0; at < looks.size(); ++at) {
    observed += looks[at].moment->cuda.window;
    stood_for += stands_for(looks, at, span);
  }
  for (std::size_t at = 0; at < looks.size(); ++at) {
    const auto& moment = *looks[at].moment;
    const double weight = stands_for(looks, at, span) / moment.cuda.window;
    add(use.sums, scaled(moment.cuda, weight * observed / stood_for));
    if (moment.start > (span.from + span.to) / 2) with_loads.add(moment.cuda.loads > 0 ? 1 : 0);
  }
  use.window = use.sums.window;
  if (use.window <= 0) return use;
  const auto share = [&](double seconds) { return std::clamp(seconds / use.window, 0.0, 1.0); };
  use.pause = share(use.sums.pause_time);
  use.copy = share(use.sums.copy_time);
  use.sync = share(use.sums.sync_time);
  use.load = share(use.sums.load_time);
  use.issue = std::max(0.0, 1 - use.pause - use.copy - use.sync - use.load);
  use.late_loads = with_loads.value();
  return use;
}

} // namespace

bool RunStatistics::any_used() const {
  return std::any_of(gpus.begin(), gpus.end(), [](const GpuUse& gpu) { return gpu.used; });
}

bool RunStatistics::any_held() const {
  return std::any_of(gpus.begin(), gpus.end(), [](const GpuUse& gpu) { return gpu.held; });
}

const GpuUse* RunStatistics::main_gpu() const {
  const GpuUse* best = nullptr;
  for (const auto& gpu : gpus) {
    if (gpu.used && (best == nullptr || gpu.busy_whole > best->busy_whole)) best = &gpu;
  }
  return best;
}

bool RunStatistics::maps(std::string_view library) const {
  for (const auto& [pid, process] : processes) {
    for (const auto& name : process.libraries) {
      if (name.starts_with(library)) return true;
    }
  }
  return false;
}

RunObserver::RunObserver(RunStart start)
    : start_(std::move(start)), by_others_(start_.gpus.size(), false),
      timeline_(start_.gpus.size()) {
  for (const auto& gpu : start_.gpus) indices_.push_back(gpu.index);
}

void RunObserver::add(const Tick& tick) {
  if (!tick.gpus.empty()) newest_ = tick.gpus;
  for (const auto& process : tick.processes) {
    if (processes_.size() >= kMostProcesses && !processes_.contains(process.pid)) continue;
    processes_[process.pid] = process;
    if (std::find(own_.begin(), own_.end(), process.pid) == own_.end()) own_.push_back(process.pid);
    if (process.opens_gpu && !opened_) opened_ = tick.time;
  }
  for (const auto& gpu : tick.gpus) {
    if (!gpu.processes) continue;
    const auto place = static_cast<std::size_t>(
        std::find(indices_.begin(), indices_.end(), gpu.index) - indices_.begin());
    if (place >= by_others_.size()) continue;
    for (const auto& process : *gpu.processes) {
      // A process may be on the GPU before we have met it: only one that was there before us is
      // another's.
      const bool before =
          std::any_of(start_.before.begin(), start_.before.end(), [&](const GpuTick& seen) {
            if (seen.index != gpu.index || !seen.processes) return false;
            return std::any_of(seen.processes->begin(), seen.processes->end(),
                               [&](const GpuProcess& other) { return other.pid == process.pid; });
          });
      const bool ours = std::find(own_.begin(), own_.end(), process.pid) != own_.end();
      if (before && !ours) by_others_[place] = true;
      if (ours && !opened_) opened_ = tick.time;
    }
  }
  if (tick.cuda && tick.cuda->launches > 0 && !opened_) opened_ = tick.time;
  timeline_.add(tick, indices_, own_);
}

RunStatistics RunObserver::finish(RunEnd end) const {
  RunStatistics run;
  run.start = start_;
  run.end = std::move(end);
  run.moments = timeline_.moments();
  run.moment_width = timeline_.width();
  run.processes = processes_;
  run.opened = opened_;
  for (std::size_t i = 0; i < start_.gpus.size(); ++i)
    run.gpus.push_back(use_of(run, i, by_others_[i]));
  const auto* gpu = run.main_gpu();
  run.steady = gpu != nullptr && gpu->steady ? *gpu->steady : Span{0, run.end.time};
  std::vector<Span> times;
  for (std::size_t i = 0; i < start_.gpus.size(); ++i)
    times.push_back(time_for_work(run.moments, i, opened_.value_or(0)));
  for (const auto& moment : run.moments) {
    if (!opened_ || !run.any_used() || moment.start < *opened_ - kOpeningSlack) continue;
    bool busy = false;
    for (std::size_t i = 0; i < moment.gpus.size(); ++i)
      busy = busy || work_in(moment, i, times[i]) >= 1;
    if (!busy && moment.cuda.launches == 0 && moment.cuda.graphs == 0) continue;
    if (!run.first_use) run.first_use = moment.start;
    run.last_use = moment.end;
  }
  for (const auto& [pid, process] : processes_) {
    run.compilers += is_compiler(process.name) ? 1 : 0;
  }
  const Span early{opened_.value_or(0), run.steady.from};
  run.host = host_in(run.moments, run.steady);
  if (run.host.processes == 0) run.host = host_in(run.moments, {0, run.end.time});
  run.host_early = host_in(run.moments, early);
  run.late_compiling =
      host_in(run.moments, {run.steady.to - run.steady.length() / 2, run.steady.to}).compiling;
  run.calls = calls_in(run.moments, run.steady);
  run.calls_early = calls_in(run.moments, early);
  return run;
}

} // namespace gpuwhy::use
