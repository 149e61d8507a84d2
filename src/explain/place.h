// Where the program runs, and whether a GPU of NVIDIA's can be there at all: the scheduler, the
// cloud, the bus, the laptop's switch.
#pragma once

#include "explain/suspect.h"

#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

/// The cause by which there can be no driver here, whatever the message: the place decides. Empty:
/// it does not.
std::string_view place_without_driver(const Scene& scene);
/// The same in words.
std::string place_words(const Scene& scene, std::string_view id);
/// The line that tells the place; nullptr if no single one does.
const Sighting* place_evidence(const Scene& scene, std::string_view id);

/// The scheduler's own account of the job, where it holds no GPU.
const Sighting* given_no_gpu(const Scene& scene);
/// The kind of machine that was rented has no GPU.
const Sighting* instance_without_gpu(const Scene& scene);

/// A laptop's NVIDIA GPU that is stated and is not on the bus.
std::optional<Suspect> switched_off(const Scene& scene, const Sighting& seen);
/// dkms lists kernels, and none of them is the one that runs.
std::optional<Suspect> built_for_another(const Scene& scene, const Sighting* seen);
/// The driver that is installed has dropped this GPU: an older branch is the last that drives it.
std::optional<Suspect> dropped_by_driver(const Scene& scene, const Sighting& seen);
/// The whole bus was listed, and holds none.
void bus_without_gpu(const Scene& scene, Suspects& out);

} // namespace gpuwhy::explain
