// The live view as plain values: GPUs with their recent past, and the processes on them.
#pragma once

#include "use/tick.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::use {

struct BoardGpu {
  GpuIdentity identity;
  GpuTick now;
  std::vector<double> busy_history;   // one value a second, oldest first; negative: not known
  std::vector<double> memory_history; // per cent
};

struct BoardProcess {
  int pid = 0;
  int gpu = 0;
  std::optional<std::uint64_t> memory;
  std::optional<double> sm;
  std::optional<double> cores; // processor time over time
  std::string command;
  std::vector<std::string> frameworks;
  std::string unseen; // why nothing more is known of it
};

struct Board {
  std::string driver;
  SourceState nvml;
  std::vector<BoardGpu> gpus;
  std::vector<BoardProcess> processes;
};

enum class BoardOrder { memory, busy, cores, pid };

/// What the reader chose.
struct BoardView {
  BoardOrder order = BoardOrder::memory;
  std::string filter;   // part of a command, framework or number; empty: all
  bool editing = false; // the filter is being typed
};

} // namespace gpuwhy::use
