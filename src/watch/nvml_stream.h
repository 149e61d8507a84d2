// The NVML probe that runs on: started, read, started again when it dies or falls silent, and given
// up with the reason when that does not help.
#pragma once

#include "system/system.h"
#include "use/tick.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {
class Child;
}

namespace gpuwhy::watch {

using Clock = std::chrono::steady_clock;

/// One line of the probe.
struct NvmlLine {
  double time = 0; // seconds on the clock of std::chrono::steady_clock
  std::vector<use::GpuTick> gpus;
};

class NvmlStream {
public:
  NvmlStream(Environment environment, std::chrono::milliseconds interval);
  ~NvmlStream();

  /// Starts the probe and waits for its first line, at most so long.
  void start(std::chrono::milliseconds longest);
  /// What came since the last call; also restarts the probe where that is due. Does not wait.
  std::vector<NvmlLine> take();
  /// To wait on with poll(2); -1: there is nothing to wait for.
  int descriptor() const;
  int process() const; // 0: none runs
  const std::vector<use::GpuIdentity>& gpus() const { return gpus_; }
  const std::string& driver() const { return driver_; }
  const use::SourceState& state() const { return state_; }

private:
  void launch();
  void read_line(std::string_view line, std::vector<NvmlLine>& to);
  void fail_with(std::string problem, bool for_good);

  Environment environment_;
  std::chrono::milliseconds interval_;
  std::unique_ptr<Child> child_;
  std::string partial_;
  bool identified_ = false;
  std::vector<use::GpuIdentity> gpus_;
  std::string driver_;
  use::SourceState state_;
  int failures_ = 0;
  bool given_up_ = false;
  Clock::time_point last_line_;
  Clock::time_point next_start_;
};

} // namespace gpuwhy::watch
