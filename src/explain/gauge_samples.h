// What gauges printed of the GPUs, look after look: nvidia-smi's table, its --query and dmon,
// gpustat, a program's own monitor.
#pragma once

#include "explain/reading.h"

#include <map>
#include <optional>
#include <string>

namespace gpuwhy::explain {

struct GaugeSamples {
  explicit GaugeSamples(const View& text);

  struct Gpu {
    int looks = 0;
    int busy = 0;       // looks at which it computed
    double sum = 0;     // of the shares, percent
    double highest = 0; // share
    double held = 0;    // MiB, the most that was seen
    const Sighting* first = nullptr;
    double mean() const { return looks == 0 ? 0 : sum / looks; }
  };
  std::map<std::string, Gpu> gpus; // by index, or in their order in the table

  int looks() const;
  /// Of the GPU that is used most; nothing: no gauge was read.
  std::optional<double> mean_use() const;
  std::optional<double> highest_use() const;
  /// It stands still at most looks and computes at others.
  bool in_bursts() const;
  const Sighting* first() const;

private:
  void take(const std::string& index, double share, double held, const Sighting& seen,
            std::uint64_t times);
};

} // namespace gpuwhy::explain
