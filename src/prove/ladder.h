// From what the layers did to a ladder for a reader: ticks with measured figures, the first layer
// that fails, what explains it, and where the fault lies. Pure.
#pragma once

#include "facts/facts.h"
#include "prove/libraries.h"
#include "verdict/proof.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// `runs` in the order of running; a layer without a run was not reached.
Proof prove(const Facts& facts, const Case& subject, const FrameworkVerdict& verdict, Effort effort,
            int ordinal, const std::map<Layer, LibraryChoice>& libraries,
            const std::vector<LayerRun>& runs);

/// The driver's layer, where asking cuInit for the facts has already hung or crashed: nobody waits
/// twice.
std::optional<LayerRun> failed_already(const Facts& facts);

/// Before any work: why the GPU should be left alone. Empty: nothing speaks against it.
struct Objection {
  std::string reason;   // "GPU 0 is in exclusive-process mode and process 4711 has it"
  bool may_ask = false; // a person may overrule it
};
std::optional<Objection> objection_to(const NvmlDevice* device, std::uint64_t memory_limit);
/// Nobody works on it, and several processes may.
bool is_idle(const NvmlDevice* device);

/// The GPU of NVML with this CUDA ordinal; nullptr where they cannot be matched.
const NvmlDevice* nvml_device(const Facts& facts, int ordinal);

/// The measures of a layer that passed, and a line made of them.
std::vector<Measure> measures_of(const LayerRun& run, const std::vector<LayerRun>& all,
                                 const NvmlDevice* device);
std::string summary_of(const LayerRun& run, const std::vector<Measure>& measures);

} // namespace gpuwhy
