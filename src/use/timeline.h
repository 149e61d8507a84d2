// A run of any length in a bounded number of moments: when they are full, neighbours are merged and
// each covers twice the time. Sums stay exact; only the resolution falls.
#pragma once

#include "use/tick.h"

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

namespace gpuwhy::use {

/// A mean that can be merged.
struct Mean {
  double sum = 0;
  double weight = 0;
  void add(double value, double with_weight = 1) {
    sum += value * with_weight;
    weight += with_weight;
  }
  void add(const Mean& other) {
    sum += other.sum;
    weight += other.weight;
  }
  bool known() const { return weight > 0; }
  double value() const { return known() ? sum / weight : 0; }
};

struct GpuMoment {
  Mean busy;                          // percent
  Mean sm;                            // percent
  Mean power;                         // W
  Mean sm_clock;                      // MHz
  Mean temperature;                   // degrees
  Mean pcie_rx;                       // KiB/s
  Mean pcie_tx;                       // KiB/s
  Mean power_capped, thermal, braked; // shares of the looks
  std::uint64_t memory = 0;           // most bytes in use by all
  std::uint64_t own_memory = 0;       // most bytes in use by the run
  bool own_memory_known = false;
  Mean own_sm; // percent of time with a kernel of the run
  bool lost = false;
  void add(const GpuMoment& other);
};

struct HostMoment {
  Mean cores, busiest_thread, main_thread, io_wait, switches; // weighted by the time they cover
  Mean compiling; // share of the time in which a process of the run compiled for the GPU
  std::uint64_t rss = 0;
  int processes = 0;
  void add(const HostMoment& other);
};

struct Moment {
  double start = 0;
  double end = 0;
  std::vector<GpuMoment> gpus; // by place in RunStart::gpus
  HostMoment host;
  CudaTick cuda;
  void add(const Moment& other);
};

/// ptxas and its kin, by the name of a process.
bool is_compiler(std::string_view process);

void add(CudaTick& sum, const CudaTick& more);

class Timeline {
public:
  explicit Timeline(std::size_t gpu_count, double width = 0.1, std::size_t capacity = 2400);

  /// Ticks come in the order of time. Processes that NVML names count as the run's own if `own`
  /// holds them.
  void add(const Tick& tick, const std::vector<int>& gpu_indices, const std::vector<int>& own);
  const std::vector<Moment>& moments() const { return moments_; }
  double width() const { return width_; }

private:
  Moment& at(double time);
  void follow_compilers(const std::vector<ProcessTick>& processes);

  std::size_t gpu_count_;
  double width_;
  std::size_t capacity_;
  std::set<int> compilers_;     // that live
  bool compiled_ = false;       // one was there since the last look at the host
  std::vector<Moment> moments_; // moment i covers [i * width, (i + 1) * width)
};

} // namespace gpuwhy::use
