// The use of GPUs as tools sampled it: nvidia-smi's table, its queries, dmon, gpustat.
#pragma once

#include "explain/reading.h"

#include <optional>

namespace gpuwhy::explain {

struct UseSamples {
  explicit UseSamples(const View& text);

  bool idle = false;              // every moment of several at nothing
  bool low = false;               // samples that show a program, and little of it computing
  double mean = 0;                // percent, of the GPU that is used most
  bool bursts = false;            // mostly idle, and busy now and then
  std::optional<double> hottest;  // degrees
  std::optional<double> received; // MB/s over the bus, the most of all samples
};

} // namespace gpuwhy::explain
