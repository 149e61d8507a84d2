// What links and chips can do at most: the measure of a measured figure.
#pragma once

#include "facts/hardware.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// Bytes a second in one direction of a PCIe link, after its line code; nothing for a generation
/// that is not known. Source: PCI Express Base Specifications 1.0 to 6.0.
std::optional<double> pcie_limit(int generation, int lanes);
/// Bytes a second in one direction of one NVLink. `version` as NVML numbers it: 6 is NVLink 4.0
/// (seen on an H200). Source: nvml.h, nvmlNvlinkVersion_t; NVIDIA's white papers of P100 to B200.
std::optional<double> nvlink_limit(int version);

struct ChipRate {
  ComputeCapability capability;
  double single = 0;          // operations of one multiprocessor in one clock
  std::optional<double> half; // in 16-bit matrix arithmetic with 32-bit sums
};
const ChipRate* find_chip_rate(ComputeCapability capability);

/// For the tests, as knowledge_problems().
const std::vector<std::string>& chip_problems();

} // namespace gpuwhy
