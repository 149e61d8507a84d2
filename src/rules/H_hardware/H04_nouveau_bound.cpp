// Another kernel driver holds the GPU: nouveau as a rule, vfio-pci where it is kept for a virtual
// machine. Truth: the driver link of the PCI device in sysfs.
#include "base/text.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 3> kExplains{"H03", "H06", "H18"};
const std::string kBlacklist = "/etc/modprobe.d/blacklist-nouveau.conf";

bool kept_for_guests(const std::string& driver) {
  return driver == "vfio-pci" || driver == "pci-stub" || driver.ends_with("pciback");
}

Edit keep_out(const Facts& facts, const std::string& driver,
              const DriverInstallation& installation) {
  Edit edit;
  edit.words = "keep " + driver + " from loading (" + kBlacklist + "), then restart";
  edit.commands = {"printf 'blacklist " + driver + "\\noptions " + driver +
                   " modeset=0\\n' | sudo tee " + kBlacklist};
  for (auto& command : boot_image_commands(facts)) edit.commands.push_back(std::move(command));
  edit.commands.push_back("sudo reboot");
  const auto version = installation.version.value_or(suitable_driver(facts));
  edit.apply = [version](Facts& after) { put_driver(after, version); };
  return edit;
}

Outcome held(const Facts& facts, const PciGpu& gpu) {
  const auto& driver = gpu.driver.value();
  const auto evidence = Evidence{gpu_text(gpu) + " is bound to " + driver, gpu.driver.source()};
  if (kept_for_guests(driver)) {
    auto outcome = Outcome::found(driver + " holds " + gpu_text(gpu) +
                                  ": it is set aside for a virtual machine");
    outcome.evidence.push_back(evidence);
    return std::move(outcome).mend({"run the program in that virtual machine, or give the GPU back "
                                    "to this system: remove its id from the options of " +
                                        driver + " and restart",
                                    {"grep -rn " + driver + " /etc/modprobe.d /etc/default/grub"},
                                    {}});
  }
  const auto installation = driver_installation(facts);
  const bool installed =
      installation.state == DriverInstallation::State::installed || facts.driver.module.known();
  const bool none = installation.state == DriverInstallation::State::none ||
                    installation.state == DriverInstallation::State::libraries_only;
  auto outcome = Outcome::found("the open-source driver " + driver + " holds " + gpu_text(gpu) +
                                (none && !installed ? ", and NVIDIA's driver is not installed"
                                                    : ", so NVIDIA's driver cannot have it"));
  outcome.evidence.push_back(evidence);
  for (const auto& each : installation.evidence) outcome.evidence.push_back(each);
  if (in_container(facts)) {
    return std::move(outcome).mend(
        {"on the host: install the NVIDIA driver, which replaces " + driver + ", and restart it",
         {},
         {}});
  }
  if (installed) return std::move(outcome).mend(keep_out(facts, driver, installation));
  return std::move(outcome).mend(install_driver(
      facts, "install the NVIDIA driver, which replaces " + driver + ", then restart"));
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  if (facts.hardware.gpus.open()) {
    if (facts.driver.module.known()) return Outcome::clear("the nvidia module is loaded");
    return Outcome::unknown(missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  }
  const PciGpu* other = nullptr;
  const PciGpu* untold = nullptr;
  for (const auto* gpu : nvidia_gpus(facts)) {
    if (gpu->driver.open()) untold = gpu;
    if (!gpu->driver.known()) continue;
    if (gpu->driver.value() == "nvidia") {
      return Outcome::clear("the nvidia driver holds " + gpu_text(*gpu));
    }
    other = gpu;
  }
  if (other != nullptr) return held(facts, *other);
  const auto& nouveau = facts.driver.nouveau_loaded;
  if (untold != nullptr && nouveau.value_or(true)) {
    return Outcome::unknown(
        missing_text("which driver holds " + gpu_text(*untold), untold->driver));
  }
  return Outcome::clear("no other driver holds the GPU");
}

} // namespace

extern constexpr Rule H04{
    .id = "H04",
    .slug = "nouveau-bound",
    .title = "Another driver (nouveau) holds the GPU",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(Linux ships with nouveau, a free driver for NVIDIA's GPUs. It draws the screen but knows no CUDA. A GPU has one driver at a time:
while nouveau has it, NVIDIA's module finds nothing to drive and does not stay loaded.

That is the state of a fresh installation. It also returns when the driver's packages are removed in part, or when the image
from which the system starts was not written again after nouveau was put on the blacklist.)",
    .fix =
        R"(Install NVIDIA's driver from your distribution: its packages put nouveau on the blacklist. If it is installed already, put
`blacklist nouveau` and `options nouveau modeset=0` into a file in `/etc/modprobe.d`, write the boot image again
(`update-initramfs -u` or `dracut --force`) and restart.)",
    .references =
        R"(- [NVIDIA: driver installation guide](https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/)
- [Debian: NvidiaGraphicsDrivers](https://wiki.debian.org/NvidiaGraphicsDrivers))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
