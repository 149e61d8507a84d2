// Why an installed nvidia module is not in the kernel, or is there and takes no GPU. Pure.
#pragma once

#include "rules/H_hardware/driver_installation.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::rules {

struct Refusal {
  std::string summary;
  std::vector<Evidence> evidence;
  Edit edit;
};

/// The GPU and this driver do not go together: dropped from the branch, open or closed flavour.
std::optional<Refusal> unsupported_gpu(const Facts& facts, const DriverInstallation& installation);
/// modprobe.d or the kernel command line keeps the module out.
std::optional<Refusal> blacklisted(const Facts& facts, const DriverInstallation& installation);
/// No module file for the kernel that runs.
std::optional<Refusal> not_built(const Facts& facts, const DriverInstallation& installation);
/// Secure Boot or lockdown, and a module without a signature that the kernel trusts.
std::optional<Refusal> unsigned_module(const Facts& facts, const DriverInstallation& installation);

} // namespace gpuwhy::rules
