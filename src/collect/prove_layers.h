// Runs the layers of src/facts/layer.h on the GPU, in child processes (probes/prove.c).
#pragma once

#include "facts/layer.h"
#include "system/system.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gpuwhy {

struct LayerRequest {
  Effort effort = Effort::normal;
  int device = 0;           // CUDA ordinal
  std::uint64_t memory = 0; // bytes that a layer may take; 0: the probe's own measure
  std::string libcuda;      // file; empty: the one that the loader finds
  std::map<Layer, std::vector<std::string>>
      libraries;                         // what to open; a library without an entry is not tried
  std::chrono::milliseconds deadline{0}; // of one layer; 0: by effort
  bool at_once = false; // with quick effort: all that does not rest on one another at the same time
  std::string alone;    // why the other GPUs are left in peace; empty: they take part
};

/// The foundation stops at its first failure, and with it everything; libraries fail each by
/// itself. With normal and full effort each layer has a process of its own and they run one after
/// the other, so that they can measure. With quick effort the foundation shares one process. At
/// once they take some gigabytes of an idle GPU for a moment, as each process has a context there.
std::vector<LayerRun> run_layers(System& system, const LayerRequest& request);

/// What one child printed, one entry a layer that it began; for the tests.
std::vector<LayerRun> read_layer_runs(const std::vector<Layer>& asked, const ProcessResult& result,
                                      std::chrono::milliseconds deadline);

} // namespace gpuwhy
