// An NVIDIA GPU is on the bus, and NVIDIA's driver is not installed, or only one half of it.
// Truth: loaded modules, module files, packages, and libcuda.so.1 on disk (loader.md 3.2).
#include "rules/F_framework/installation.h"
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

/// The libraries that CUDA and NVML are. Debian has a package for each, others have one for both.
Edit install_libnvidia_ml(const Facts& facts, const std::string& version) {
  auto edit = install_libcuda(facts, version);
  edit.words = "install the driver's NVML library, in version " + version;
  const auto id = facts.platform.distribution_id.value_or("");
  if (id == "debian") edit.commands = {"sudo apt install libnvidia-ml1"};
  if (id == "fedora") edit.commands = {"sudo dnf install xorg-x11-drv-nvidia-cuda-libs"};
  return edit;
}

Outcome half_installed(const std::string& text, const std::string& loaded, const Facts& facts,
                       const std::string& name, const Fact<std::vector<DriverLibrary>>& found,
                       Edit edit) {
  return Outcome::found(text)
      .because(loaded, facts.driver.module.source())
      .because(found.value().empty() ? "no " + name + " in any library directory"
                                     : found.value().front().path + " is no driver library",
               found.source())
      .mend(std::move(edit));
}

/// The module runs: are its libraries there too? In a container that is C02's question.
Outcome check_libraries(const Case& c) {
  const auto& facts = c.facts;
  const auto& version = facts.driver.module.value().version;
  const std::string loaded = "the nvidia module " + version + " is loaded";
  const auto& libcuda = facts.driver.libcuda;
  if (!libcuda.known() || in_container(facts)) return Outcome::clear(loaded);
  const auto& container = facts.access.container;
  if (!has_driver_library(libcuda)) {
    if (container.open())
      return Outcome::unknown(missing_text("whether this is a container", container));
    return half_installed(loaded + ", but its CUDA library libcuda.so.1 is not installed", loaded,
                          facts, "libcuda.so.1", libcuda, install_libcuda(facts, version));
  }
  const auto& nvml = facts.driver.libnvidia_ml;
  if (c.libnvidia_ml && nvml.known() && !has_driver_library(nvml)) {
    return half_installed(loaded +
                              ", but its library libnvidia-ml.so.1 is not installed, without "
                              "which " +
                              framework_text(c) + " lists no GPU",
                          loaded, facts, "libnvidia-ml.so.1", nvml,
                          install_libnvidia_ml(facts, version));
  }
  return Outcome::clear(loaded + ", and libcuda.so.1 is there");
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
  if (module.known()) return check_libraries(c);
  if (facts.hardware.gpus.open()) {
    return Outcome::unknown(missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  }
  const auto gpus = nvidia_gpus(facts);
  if (gpus.empty()) return Outcome::not_applicable();
  if (module.open()) return Outcome::unknown(missing_text("the nvidia kernel module", module));
  if (in_container(facts)) {
    return Outcome::unknown("whether the host has the NVIDIA driver: a container cannot tell");
  }
  if (facts.access.container.open()) {
    return Outcome::unknown(missing_text("whether this is a container", facts.access.container));
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
own: on Debian `libcuda1`, on Fedora `xorg-x11-drv-nvidia-cuda`; without it the screen works and CUDA does not. TensorFlow 2.21
also needs NVML, `libnvidia-ml.so.1`, on Debian in `libnvidia-ml1`: without it no GPU is listed, and nothing is said.)",
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
