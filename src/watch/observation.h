// All sources of a run together: NVML's stream, the process tree, the counts of CUDA calls. Its
// ticks go to the statistics, and to whoever else listens (a recording, a status line).
#pragma once

#include "system/system.h"
#include "use/statistics.h"
#include "watch/call_counts.h"
#include "watch/nvml_stream.h"
#include "watch/process_tree.h"

#include <functional>
#include <memory>
#include <optional>

namespace gpuwhy::watch {

struct Listener {
  std::function<void(const use::RunStart&)> start;
  std::function<void(const use::Tick&)> tick;
};

class Observation {
public:
  Observation(System& system, Listener listener);

  /// Asks NVML how the GPUs are before anything starts; waits at most so long for its first answer.
  void look_before(std::chrono::milliseconds longest);
  /// Counting of CUDA calls is for programs that we start.
  CallCounts& calls() { return calls_; }
  /// From here on time counts. `owned`: the process is a child of ours, and its orphans come to us.
  void begin(use::RunStart start, int process, bool owned);
  /// Takes what the sources have and looks at those that are due. Does not wait.
  void step();
  /// When step() should be called again at the latest, and what to wait for besides.
  Clock::time_point due() const { return next_look_; }
  std::vector<int> descriptors() const { return {nvml_.descriptor()}; }
  bool alive() const { return tree_ && tree_->alive(); }
  std::vector<int> living() const { return tree_ ? tree_->living() : std::vector<int>{}; }
  double seconds() const;
  /// How the run ended. Looks once more, and waits a little for the driver to take the memory back.
  use::RunStatistics finish(use::RunEnd end);
  /// Of the ticks so far; nothing before NVML has answered.
  const use::RunObserver* observer() const { return observer_ ? &*observer_ : nullptr; }

private:
  void publish(use::Tick tick);
  void settle(bool now);
  void look();

  System& system_;
  Listener listener_;
  NvmlStream nvml_;
  CallCounts calls_;
  std::optional<ProcessTree> tree_;
  use::RunStart start_;
  std::optional<use::RunObserver> observer_;
  std::vector<use::Tick> waiting_; // until NVML has said which GPUs there are
  Clock::time_point begun_;
  Clock::time_point next_look_;
  std::vector<use::GpuTick> newest_;
};

} // namespace gpuwhy::watch
