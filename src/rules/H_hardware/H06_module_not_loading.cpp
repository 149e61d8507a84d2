// The NVIDIA driver is installed, and its kernel module is not in the kernel or takes no GPU.
// Truth: modules, module files, DKMS, modprobe.d, Secure Boot, the kernel log (module_refusals.h).
#include "rules/H_hardware/gpus.h"
#include "rules/H_hardware/module_refusals.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

Outcome refused(const Facts& facts, const DriverInstallation& installation, Refusal refusal) {
  auto outcome = Outcome::found(std::move(refusal.summary));
  for (auto& each : refusal.evidence) outcome.evidence.push_back(std::move(each));
  if (facts.driver.module.absent()) {
    outcome.evidence.push_back({"the nvidia module is not loaded", facts.driver.module.source()});
  }
  for (const auto& each : installation.evidence) outcome.evidence.push_back(each);
  return std::move(outcome).mend(std::move(refusal.edit));
}

Refusal unexplained(const Facts& facts) {
  Refusal refusal;
  refusal.summary = "the nvidia kernel module is built for this kernel, but not loaded";
  for (const auto* mark : {"NVRM", "nvidia"}) {
    if (auto line = kernel_log_line(facts, mark)) {
      refusal.evidence.push_back(std::move(*line));
      break;
    }
  }
  refusal.edit.words = "load the module and read what the kernel says";
  refusal.edit.commands = {"sudo modprobe nvidia", "sudo dmesg | grep -iE 'nvrm|nvidia' | tail"};
  return refusal;
}

/// Loaded: then only a GPU that this module does not take is left to find.
Outcome check_loaded(const Facts& facts, const std::vector<const PciGpu*>& gpus) {
  const auto& module = facts.driver.module.value();
  DriverInstallation loaded;
  loaded.state = DriverInstallation::State::installed;
  loaded.version = Version::parse(module.version);
  loaded.evidence.push_back(
      {"the nvidia module " + module.version + " is loaded", facts.driver.module.source()});
  const bool answers = cuinit_result(facts) == 0 || (facts.observed.nvml.known() &&
                                                     !facts.observed.nvml.value().devices.empty());
  const bool has_gpu = std::any_of(gpus.begin(), gpus.end(), [](const PciGpu* gpu) {
    return !gpu->driver.absent(); // bound to it, to another, or not known
  });
  const bool closed = module.open_module.known() && !module.open_module.value();
  if (!answers && !gpus.empty() && (!has_gpu || closed)) {
    if (auto refusal = unsupported_gpu(facts, loaded)) {
      return refused(facts, loaded, std::move(*refusal));
    }
  }
  return Outcome::clear("the nvidia module " + module.version + " is loaded");
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  const auto gpus = nvidia_gpus(facts);
  if (facts.driver.module.known()) return check_loaded(facts, gpus);
  if (facts.hardware.gpus.open()) {
    return Outcome::unknown(missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  }
  // A container sees the host's GPU but not how the host is set up; another driver is H04's.
  const bool held =
      std::any_of(gpus.begin(), gpus.end(), [](const PciGpu* gpu) { return gpu->driver.known(); });
  if (gpus.empty() || held || in_container(facts)) return Outcome::not_applicable();
  if (facts.driver.module.open()) {
    return Outcome::unknown(missing_text("the nvidia kernel module", facts.driver.module));
  }
  if (facts.access.container.open()) {
    return Outcome::unknown(missing_text("whether this is a container", facts.access.container));
  }
  const auto installation = driver_installation(facts);
  if (installation.state == DriverInstallation::State::unknown) {
    return Outcome::unknown(installation.missing);
  }
  if (installation.state != DriverInstallation::State::installed) return Outcome::not_applicable();
  for (const auto reason : {unsupported_gpu, blacklisted, not_built, unsigned_module}) {
    if (auto refusal = reason(facts, installation)) {
      return refused(facts, installation, std::move(*refusal));
    }
  }
  return refused(facts, installation, unexplained(facts));
}

} // namespace

extern constexpr Rule H06{
    .id = "H06",
    .slug = "module-not-loading",
    .title = "The NVIDIA driver is installed, but its kernel module is not loaded",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(The driver's packages are there, yet the kernel runs without `nvidia.ko`. The usual reasons:

- **A new kernel.** The module must be built for each kernel. DKMS does that at each update if the kernel's headers are
  installed; if not, or if the build failed, the new kernel starts without it.
- **Secure Boot.** The kernel then loads only modules signed with a key that the firmware knows. A module built on the machine
  is signed with a key of its own, which must be enrolled once.
- **A blacklist.** A line in `/etc/modprobe.d` or on the kernel command line keeps it out.
- **The wrong driver for the GPU.** New branches drop old GPUs. The open flavour of the module works from Turing (GTX 16, RTX 20)
  on; GPUs from Blackwell (RTX 50) on work with the open flavour only.)",
    .fix =
        R"(`sudo modprobe nvidia` followed by `sudo dmesg | tail` shows the kernel's reason. New kernel: install its headers and run `sudo
dkms autoinstall`. Secure Boot: `sudo mokutil --import KEY`, restart, choose "Enroll MOK". Blacklist: remove the line and write
the boot image again. Old GPU: install the last driver branch that supports it.)",
    .references =
        R"(- [NVIDIA driver README: open kernel modules](https://us.download.nvidia.com/XFree86/Linux-x86_64/555.42.02/README/kernel_open.html)
- [Debian: SecureBoot](https://wiki.debian.org/SecureBoot)
- [RPM Fusion: Secure Boot](https://rpmfusion.org/Howto/Secure%20Boot))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
