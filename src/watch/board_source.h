// Fills a Board, second by second.
#pragma once

#include "system/system.h"
#include "use/board.h"
#include "watch/nvml_stream.h"

#include <deque>
#include <map>

namespace gpuwhy::watch {

class BoardSource {
public:
  explicit BoardSource(System& system);
  /// Waits at most so long for NVML's first answer.
  void start(std::chrono::milliseconds longest) { nvml_.start(longest); }
  int descriptor() const { return nvml_.descriptor(); }
  /// Takes what NVML said; true once a second, when there is something new to show.
  bool step();
  const use::Board& board() const { return board_; }

private:
  struct History {
    std::deque<double> busy, memory;
    double busy_sum = 0;
    int looks = 0;
  };
  struct Cpu {
    double seconds = 0;
    Clock::time_point seen;
  };
  void publish();
  void describe(use::BoardProcess& process);

  System& system_;
  NvmlStream nvml_;
  use::Board board_;
  std::map<int, History> history_;
  std::map<int, Cpu> cpu_;
  std::vector<use::GpuTick> newest_;
  std::map<int, std::vector<use::GpuProcess>> processes_;
  Clock::time_point next_;
};

} // namespace gpuwhy::watch
