// What a run was like, computed from its timeline: what the rules of room R_runtime read.
//
// The steady phase of a GPU is the time between the first and the last hundredth of the work that
// it did, less the beginning in which code was compiled and loaded if that came to an end:
// start-up, the few kernels that create a context, autotuning, and what follows the last use lie
// outside.
#pragma once

#include "use/slope.h"
#include "use/tick.h"
#include "use/timeline.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::use {

struct Span {
  double from = 0;
  double to = 0;
  double length() const { return to - from; }
  bool operator==(const Span&) const = default;
};

/// Growth of a quantity that should stay level.
struct Growth {
  Slope slope;         // a second
  double amount = 0;   // last minus first level of the look
  double seconds = 0;  // that the look covers
  int steps = 0;       // times it rose
  bool steady = false; // it rose in each third of the look, and no trend speaks against it
};

struct GpuUse {
  GpuIdentity identity;
  bool held = false;      // a process of the run holds memory on it
  bool used = false;      // kernels of the run ran on it
  bool by_others = false; // somebody else's processes hold memory on it
  bool lost = false;
  std::optional<Span> steady;
  // In the steady phase:
  double busy = 0;             // percent of time with a kernel
  std::optional<double> sm;    // percent of the multiprocessors with work
  std::optional<double> power; // W
  std::optional<double> sm_clock;
  double idle_looks = 0;  // share of moments with next to no kernel
  double alternation = 0; // share of moments that are nearly idle or nearly full
  double thermal = 0, braked = 0, power_capped = 0; // shares of the busy moments
  std::optional<double> pcie_rx, pcie_tx;           // KiB/s
  double hottest = 0;
  // In the whole run:
  double busy_whole = 0;
  std::uint64_t memory_before = 0, memory_peak = 0, memory_after = 0; // of all
  std::uint64_t own_peak = 0;
  std::uint64_t own_last = 0; // when it was last seen
  bool after_known = false;
  Growth growth; // of the run's memory
};

struct HostUse {
  double cores = 0;
  double busiest_thread = 0;
  double main_thread = 0;
  double io_wait = 0;
  double switches = 0;
  double compiling = 0; // share of the time in which a process of the run compiled for the GPU
  std::uint64_t rss_peak = 0;
  int processes = 0;
  Growth growth; // of resident memory
};

/// Where the time of the threads that call CUDA goes, in the windows of a phase; shares of the time
/// observed.
struct CallUse {
  double window = 0; // seconds observed; 0: nothing is known
  CudaTick sums;     // of the time observed, each window weighed by the time that it stands for
  double pause = 0, copy = 0, sync = 0, load = 0;
  double issue = 0;      // the rest: preparing and making calls
  double late_loads = 0; // share of the windows of the second half in which code was loaded
  double per_second(std::uint64_t count) const {
    return window > 0 ? static_cast<double>(count) / window : 0;
  }
  double mean_pause() const {
    return sums.pauses > 0 ? sums.pause_time / static_cast<double>(sums.pauses) : 0;
  }
  bool known() const { return window > 0; }
};

struct RunStatistics {
  RunStart start;
  RunEnd end;
  std::vector<Moment> moments;
  double moment_width = 0.1;
  std::vector<GpuUse> gpus;
  std::map<int, ProcessTick> processes;
  Span steady;                     // of the GPU that did most; the whole run if none did anything
  std::optional<double> opened;    // when a process of the run first held a GPU
  std::optional<double> first_use; // when the first kernel was seen; any GPU
  std::optional<double> last_use;
  int compilers = 0;         // processes of the run that compile for the GPU
  double late_compiling = 0; // HostUse::compiling of the steady phase's second half
  HostUse host;              // in the steady phase
  CallUse calls;             // in the steady phase
  CallUse calls_early;       // before it
  HostUse host_early;        // between the opening of the GPU and the steady phase

  bool any_used() const;
  bool any_held() const;
  /// The GPU that did most of the work; nothing if none did any.
  const GpuUse* main_gpu() const;
  /// Whether a process of the run has a library mapped whose name starts so.
  bool maps(std::string_view library) const;
  bool ended_badly() const { return end.signal != 0 || end.exit_status.value_or(0) != 0; }
};

/// Takes ticks one by one in constant memory.
class RunObserver {
public:
  explicit RunObserver(RunStart start);
  void add(const Tick& tick);
  RunStatistics finish(RunEnd end) const;
  const RunStart& start() const { return start_; }
  const std::map<int, ProcessTick>& processes() const { return processes_; }
  const std::vector<GpuTick>& newest() const { return newest_; }

private:
  RunStart start_;
  std::vector<GpuTick> newest_;
  std::vector<int> indices_;
  std::vector<int> own_;
  std::vector<bool> by_others_;
  std::map<int, ProcessTick> processes_;
  std::optional<double> opened_;
  Timeline timeline_;
};

} // namespace gpuwhy::use
