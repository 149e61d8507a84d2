// What a text states of how a GPU is used, in figures: shares, times, temperatures, memory, and how
// they change. People state them in sentences ("0 in Task Manager, 70 in nvidia-smi"), tools in
// columns.
#pragma once

#include "explain/reading.h"

#include <optional>
#include <string>

namespace gpuwhy::explain {

constexpr double kBusTraffic = 1000; // MB/s, of a program that copies in every step

struct UseFigures {
  explicit UseFigures(const View& text);

  std::optional<double> lowest_use; // of the GPU, percent, by a gauge that shows compute work
  std::optional<double> highest_use;
  std::optional<double> gauge_use; // the same by a gauge that may not (Windows' Task Manager)
  bool said_low = false;           // in words only
  bool sampled_idle = false;       // nothing but idle moments
  bool sampled_low = false;        // by tools
  std::optional<double> received;  // MB/s over the bus, as a tool sampled it
  bool use_unreadable = false;     // "N/A"
  bool in_bursts = false;          // "idle between batches"
  bool compared = false;           // figures of two programs or cards stand side by side
  bool processor_busy = false;     // all of it
  bool memory_full = false;        // as much as there is, or nearly
  bool memory_grows = false;       // in words, or figure by figure
  bool memory_shared = false;      // several processes hold it
  std::optional<double> temperature;
  std::optional<double> start_seconds; // until the first step
  std::optional<double> slowdown;      // times slower later than at first
  bool epochs_differ = false;          // by far: something was changed between them
  bool worse_on_more_gpus = false;
  bool slower_than_cpu = false;
  std::optional<double> gpu_step; // seconds, where the processor's are stated too
  std::optional<double> waits;    // share of a step that goes into waiting for data
  bool stated = false;            // anything of how the program runs
  std::string quote;              // the statement that told last, for the reader

  bool low(double most) const { return highest_use && *highest_use <= most && !compared; }
  bool low_or_said(double most) const {
    return low(most) || sampled_low || (said_low && !highest_use);
  }
};

} // namespace gpuwhy::explain
