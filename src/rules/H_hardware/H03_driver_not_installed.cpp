// An NVIDIA GPU is on the bus, and NVIDIA's driver is not installed, or only one half of it.
// Truth: loaded modules, module files, packages, and libcuda.so.1 on disk (loader.md 3.2).
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

/// Debian and Fedora keep libcuda in a package of its own.
Edit install_libcuda(const Facts& facts, const std::string& version) {
  Edit edit;
  edit.words = "install the driver's CUDA library, in version " + version;
  const auto id = facts.platform.distribution_id.value_or("");
  const auto branch = version.substr(0, version.find('.'));
  if (id == "debian") edit.commands = {"sudo apt install libcuda1"};
  if (id == "ubuntu" || id == "linuxmint") {
    edit.commands = {"sudo apt install libnvidia-compute-" + branch};
  }
  if (id == "fedora") edit.commands = {"sudo dnf install xorg-x11-drv-nvidia-cuda"};
  if (id == "arch") edit.commands = {"sudo pacman -S nvidia-utils"};
  if (const auto parsed = Version::parse(version)) {
    edit.apply = [driver = *parsed](Facts& after) { put_driver(after, driver); };
  }
  return edit;
}

/// The module runs: is libcuda there too? In a container that is C02's question.
Outcome check_library(const Facts& facts) {
  const auto& module = facts.driver.module;
  const std::string loaded = "the nvidia module " + module.value().version + " is loaded";
  const auto* libraries = facts.driver.libcuda.get();
  if (libraries == nullptr || in_container(facts)) return Outcome::clear(loaded);
  if (std::any_of(libraries->begin(), libraries->end(), is_driver_library)) {
    return Outcome::clear(loaded + ", and libcuda.so.1 is there");
  }
  return Outcome::found(loaded + ", but its CUDA library libcuda.so.1 is not installed")
      .because(loaded, module.source())
      .because(libraries->empty() ? "no libcuda.so.1 in any library directory"
                                  : libraries->front().path + " is no driver library",
               facts.driver.libcuda.source())
      .mend(install_libcuda(facts, module.value().version));
}

Outcome not_installed(const Facts& facts, const DriverInstallation& installation,
                      const std::vector<const PciGpu*>& gpus) {
  const bool half = installation.state == DriverInstallation::State::libraries_only;
  auto outcome =
      Outcome::found(half ? "only the libraries of the NVIDIA driver are installed, not its kernel "
                            "module: " +
                                gpus_text(gpus) + " has no driver"
                          : gpus_text(gpus) + " has no driver: NVIDIA's is not installed");
  outcome.evidence.push_back({gpus_text(gpus), facts.hardware.gpus.source()});
  outcome.evidence.push_back({"the nvidia module is not loaded", facts.driver.module.source()});
  for (const auto& each : installation.evidence) outcome.evidence.push_back(each);
  return std::move(outcome).mend(install_driver(facts, "install the NVIDIA driver, then restart"));
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  const auto& module = facts.driver.module;
  if (module.known()) return check_library(facts);
  if (facts.hardware.gpus.open()) {
    return Outcome::unknown(missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  }
  const auto gpus = nvidia_gpus(facts);
  if (gpus.empty()) return Outcome::not_applicable();
  if (module.open()) return Outcome::unknown(missing_text("the nvidia kernel module", module));
  if (in_container(facts)) {
    return Outcome::unknown("whether the host has the NVIDIA driver: a container cannot tell");
  }
  // With another driver on the GPU, H04 names that and whether NVIDIA's is installed.
  const bool held =
      std::any_of(gpus.begin(), gpus.end(), [](const PciGpu* gpu) { return gpu->driver.known(); });
  if (held) return Outcome::not_applicable();
  const auto installation = driver_installation(facts);
  switch (installation.state) {
  case DriverInstallation::State::unknown: return Outcome::unknown(installation.missing);
  case DriverInstallation::State::installed: return Outcome::clear("a driver is installed");
  case DriverInstallation::State::none:
  case DriverInstallation::State::libraries_only: break;
  }
  return not_installed(facts, installation, gpus);
}

} // namespace

extern constexpr Rule H03{
    .id = "H03",
    .slug = "driver-not-installed",
    .title = "The NVIDIA driver is not installed",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(The GPU is in the machine, but the software that drives it is missing. The driver has two halves that must have the same
version: a module in the kernel (`nvidia.ko`) and libraries for programs, above all `libcuda.so.1`. TensorFlow needs both.

Neither pip, nor conda, nor the CUDA toolkit wheels bring a driver. Some distributions put the CUDA half in a package of its
own: on Debian `libcuda1`, on Fedora `xorg-x11-drv-nvidia-cuda`; without it the screen works and CUDA does not.)",
    .fix =
        R"(Install the driver from your distribution, then restart: `sudo ubuntu-drivers install` on Ubuntu; on Debian add the
`contrib non-free non-free-firmware` sections first, then install `nvidia-driver`; on Fedora take it from RPM Fusion. Prefer
packages over the installer from NVIDIA's site: they follow kernel updates.)",
    .references =
        R"(- [Ubuntu: install NVIDIA drivers](https://ubuntu.com/server/docs/how-to/graphics/install-nvidia-drivers/)
- [Debian: NvidiaGraphicsDrivers](https://wiki.debian.org/NvidiaGraphicsDrivers)
- [RPM Fusion: NVIDIA](https://rpmfusion.org/Howto/NVIDIA)
- [NVIDIA: driver installation guide](https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
