// Is NVIDIA's driver installed on this system, how would it be, and what are the facts once it
// runs?
#pragma once

#include "base/version.h"
#include "rules/rule.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::rules {

struct DriverInstallation {
  enum class State {
    unknown,        // `missing` says what would tell
    none,           // looked: no package, no kernel module, no library
    libraries_only, // libcuda is there, the kernel's part is not
    installed,      // a package, a DKMS tree or a module file
  };
  State state = State::unknown;
  std::string missing;
  std::optional<Version> version; // as the package, DKMS or libcuda tell it
  std::vector<Evidence> evidence;
};

DriverInstallation driver_installation(const Facts& facts);

/// "525.60.13", "450.80.02": the third number has two digits at least.
std::string driver_text(const Version& version);
/// 12.4 -> 12040, as cuDriverGetVersion counts; 0 for a driver of unknown CUDA version.
int cuda_number(const Version& driver);
/// A driver of today that supports every GPU here: the last branch that does, or a current one.
Version suitable_driver(const Facts& facts);

/// Commands that install the distribution's driver, restart included; none where we know none.
std::vector<std::string> install_driver_commands(const Facts& facts);
/// What writes the image from which the system starts, which holds a copy of modprobe.d.
std::vector<std::string> boot_image_commands(const Facts& facts);

/// The whole driver of this version works: module, nodes, libcuda where the loader finds it,
/// cuInit.
void put_driver(Facts& facts, const Version& version);
/// Asks the driver that is installed, once nothing stands before it: it answers if its module is
/// loaded.
void ask_driver(Facts& facts);
/// Installs the driver and restarts.
Edit install_driver(const Facts& facts, std::string words);

} // namespace gpuwhy::rules
