#include "use/timeline.h"

#include <algorithm>

namespace gpuwhy::use {
namespace {

/// A run of a thousand years is a clock gone wrong.
constexpr double kLongest = 3e10;
constexpr std::size_t kMostCompilers = 4096;

void add_known(Mean& mean, const std::optional<double>& value) {
  if (value) mean.add(*value);
}

GpuMoment moment_of(const GpuTick& tick, const std::vector<int>& own) {
  GpuMoment moment;
  add_known(moment.busy, tick.busy);
  add_known(moment.sm, tick.sm);
  add_known(moment.power, tick.power);
  add_known(moment.sm_clock, tick.sm_clock);
  add_known(moment.temperature, tick.temperature);
  add_known(moment.pcie_rx, tick.pcie_rx);
  add_known(moment.pcie_tx, tick.pcie_tx);
  if (tick.reasons) {
    moment.power_capped.add((*tick.reasons & kPowerCap) != 0 ? 1 : 0);
    moment.thermal.add((*tick.reasons & kThermal) != 0 ? 1 : 0);
    moment.braked.add((*tick.reasons & (kPowerBrake | kHardwareSlowdown)) != 0 ? 1 : 0);
  }
  moment.memory = tick.memory.value_or(0);
  moment.lost = tick.error.has_value();
  if (!tick.processes) return moment;
  moment.own_memory_known = true;
  for (const auto& process : *tick.processes) {
    if (std::find(own.begin(), own.end(), process.pid) == own.end()) continue;
    moment.own_memory += process.memory.value_or(0);
    add_known(moment.own_sm, process.sm);
  }
  return moment;
}

} // namespace

void GpuMoment::add(const GpuMoment& other) {
  busy.add(other.busy);
  sm.add(other.sm);
  power.add(other.power);
  sm_clock.add(other.sm_clock);
  temperature.add(other.temperature);
  pcie_rx.add(other.pcie_rx);
  pcie_tx.add(other.pcie_tx);
  power_capped.add(other.power_capped);
  thermal.add(other.thermal);
  braked.add(other.braked);
  memory = std::max(memory, other.memory);
  own_memory = std::max(own_memory, other.own_memory);
  own_memory_known |= other.own_memory_known;
  own_sm.add(other.own_sm);
  lost |= other.lost;
}

void HostMoment::add(const HostMoment& other) {
  cores.add(other.cores);
  busiest_thread.add(other.busiest_thread);
  main_thread.add(other.main_thread);
  io_wait.add(other.io_wait);
  switches.add(other.switches);
  compiling.add(other.compiling);
  rss = std::max(rss, other.rss);
  processes = std::max(processes, other.processes);
}

void add(CudaTick& sum, const CudaTick& more) {
  sum.window += more.window;
  sum.launches += more.launches;
  sum.graphs += more.graphs;
  sum.to_device += more.to_device;
  sum.to_device_bytes += more.to_device_bytes;
  sum.to_host += more.to_host;
  sum.to_host_bytes += more.to_host_bytes;
  sum.copy_time += more.copy_time;
  sum.syncs += more.syncs;
  sum.sync_time += more.sync_time;
  sum.loads += more.loads;
  sum.load_time += more.load_time;
  sum.pauses += more.pauses;
  sum.pause_time += more.pause_time;
  sum.failed_allocations += more.failed_allocations;
  if (sum.error == 0) sum.error = more.error;
}

void Moment::add(const Moment& other) {
  end = std::max(end, other.end);
  if (gpus.size() < other.gpus.size()) gpus.resize(other.gpus.size());
  for (std::size_t i = 0; i < other.gpus.size(); ++i) gpus[i].add(other.gpus[i]);
  host.add(other.host);
  use::add(cuda, other.cuda);
}

Timeline::Timeline(std::size_t gpu_count, double width, std::size_t capacity)
    : gpu_count_(gpu_count), width_(width), capacity_(std::max<std::size_t>(capacity, 2)) {}

Moment& Timeline::at(double time) {
  const double bounded = std::clamp(time, 0.0, kLongest);
  while (bounded >= width_ * static_cast<double>(capacity_)) {
    std::vector<Moment> merged;
    for (std::size_t i = 0; i < moments_.size(); i += 2) {
      merged.push_back(std::move(moments_[i]));
      if (i + 1 < moments_.size()) merged.back().add(moments_[i + 1]);
    }
    moments_ = std::move(merged);
    width_ *= 2;
  }
  const auto place = static_cast<std::size_t>(bounded / width_);
  while (moments_.size() <= place) {
    Moment moment;
    moment.start = static_cast<double>(moments_.size()) * width_;
    moment.end = moment.start + width_;
    moment.gpus.resize(gpu_count_);
    moments_.push_back(std::move(moment));
  }
  return moments_[place];
}

bool is_compiler(std::string_view process) {
  return process == "ptxas" || process == "nvlink" || process == "cicc";
}

void Timeline::follow_compilers(const std::vector<ProcessTick>& processes) {
  for (const auto& process : processes) {
    if (!is_compiler(process.name)) continue;
    compiled_ = true;
    if (process.ended)
      compilers_.erase(process.pid);
    else if (compilers_.size() < kMostCompilers)
      compilers_.insert(process.pid);
  }
}

void Timeline::add(const Tick& tick, const std::vector<int>& gpu_indices,
                   const std::vector<int>& own) {
  auto& moment = at(tick.time);
  for (const auto& gpu : tick.gpus) {
    const auto found = std::find(gpu_indices.begin(), gpu_indices.end(), gpu.index);
    const auto place = static_cast<std::size_t>(found - gpu_indices.begin());
    if (place < moment.gpus.size()) moment.gpus[place].add(moment_of(gpu, own));
  }
  follow_compilers(tick.processes);
  if (tick.host) {
    const auto& host = *tick.host;
    moment.host.compiling.add(compiled_ || !compilers_.empty() ? 1 : 0, host.seconds);
    compiled_ = false;
    moment.host.cores.add(host.cores, host.seconds);
    moment.host.busiest_thread.add(host.busiest_thread, host.seconds);
    moment.host.main_thread.add(host.main_thread, host.seconds);
    moment.host.io_wait.add(host.io_wait, host.seconds);
    moment.host.switches.add(host.switches, host.seconds);
    moment.host.rss = std::max(moment.host.rss, host.rss);
    moment.host.processes = std::max(moment.host.processes, host.processes);
  }
  if (tick.cuda) use::add(moment.cuda, *tick.cuda);
}

} // namespace gpuwhy::use
