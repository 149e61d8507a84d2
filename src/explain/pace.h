// How the time of a step and the memory change while the program runs, as its own lines show, and
// what the same work costs elsewhere.
#pragma once

#include "explain/reading.h"

#include <string>
#include <vector>

namespace gpuwhy::explain {

struct Pace {
  explicit Pace(const View& text);

  double slower = 1;                  // how many times longer the last steps take than the first
  double memory = 1;                  // how many times more memory is held at the end
  const Sighting* memory_from = nullptr;
  const Sighting* memory_to = nullptr;
  const Sighting* step_from = nullptr;
  const Sighting* step_to = nullptr;
  double differs = 1; // how many times longer the slowest step takes than the fastest
  bool gpu_loses = false;             // the processor does the same work in less time
  const Sighting* gpu_time = nullptr;
  bool more_gpus_lose = false;        // several GPUs do no more than one
  const Sighting* rate = nullptr;

  bool memory_rises() const { return memory > 1; }
  bool steps_rise() const { return slower > 1; }
};

} // namespace gpuwhy::explain
