// Questions that several rules put to the facts about one machine's GPUs.
#pragma once

#include "rules/rule.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

inline bool in_wsl(const Facts& facts) {
  return facts.access.wsl.known();
}
inline bool in_container(const Facts& facts) {
  return facts.access.container.known();
}
inline bool on_tegra(const Facts& facts) {
  return facts.hardware.tegra.known();
}

/// "not looked" has no reason of its own: "PCI devices: not looked at".
template <class T> std::string missing_text(std::string_view name, const Fact<T>& fact) {
  return std::string(name) + ": " + (fact.reason().empty() ? "not looked at" : fact.reason());
}

/// NVIDIA's on the PCI bus; none where the bus was not read.
std::vector<const PciGpu*> nvidia_gpus(const Facts& facts);
/// "GeForce RTX 4090 (PCI 0000:01:00.0)", "... and 3 more".
std::string gpu_text(const PciGpu& gpu);
std::string gpus_text(const std::vector<const PciGpu*>& gpus);
/// What proves an NVIDIA GPU without the bus: loaded module, device node, an answer of the driver.
std::optional<Evidence> sign_of_gpu(const Facts& facts);

/// The CUresult of cuInit, hiding variables put aside where that was tried; nothing if libcuda
/// could not be asked.
std::optional<int> cuinit_result(const Facts& facts);
/// "cuInit answers 999, CUDA_ERROR_UNKNOWN"; nothing where cuinit_result has none.
std::optional<Evidence> cuinit_evidence(const Facts& facts);
/// The newest line of the kernel log with this part.
std::optional<Evidence> kernel_log_line(const Facts& facts, std::string_view part);

/// The driver's version of a libcuda.so.1 by its path; nothing if its name does not tell.
std::optional<std::string> libcuda_version(const Facts& facts, const std::string& path);
bool is_compat_libcuda(const Facts& facts, const std::string& path);
/// Neither the toolkit's stub nor a compatibility package.
bool is_driver_library(const DriverLibrary& library);
/// One of these files is of a driver; false where they are not known.
bool has_driver_library(const Fact<std::vector<DriverLibrary>>& libraries);

} // namespace gpuwhy::rules
