// A virtual machine that was made for a GPU and has none, or a host whose GPU is set aside for
// virtual machines. Truth: the PCI bus of the guest; the driver vfio-pci, which holds a GPU for a
// guest (loader.md 3.1).
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 5> kExplains{"H01", "H03", "H04", "H06", "H18"};

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || in_container(facts) || on_tegra(facts)) return Outcome::not_applicable();
  const auto& gpus = facts.hardware.gpus;
  if (gpus.open()) return Outcome::unknown(missing_text("GPUs on the PCI bus", gpus));
  const auto nvidia = nvidia_gpus(facts);
  const auto set_aside = [](const PciGpu* gpu) { return gpu->driver.value_or("") == "vfio-pci"; };
  if (!nvidia.empty()) {
    if (!std::all_of(nvidia.begin(), nvidia.end(), set_aside))
      return Outcome::clear(gpus_text(nvidia));
    return Outcome::found(
               "the GPU is set aside for virtual machines: vfio-pci holds it, not NVIDIA's driver")
        .because(gpus_text(nvidia) + ": driver vfio-pci", gpus.source())
        .mend({"run the program in the virtual machine that has the GPU, or give it back: take its "
               "ids out of vfio-pci.ids "
               "(kernel command line, /etc/modprobe.d) and restart",
               {},
               {}});
  }
  const auto* machine = facts.hardware.virtual_machine.get();
  if (machine == nullptr) return Outcome::not_applicable();
  // Somebody expected a GPU here: else H01 says all there is to say.
  const auto installed = driver_installation(facts);
  if (installed.state != DriverInstallation::State::installed) return Outcome::not_applicable();
  auto outcome = Outcome::found("this virtual machine (" + *machine +
                                ") has NVIDIA's driver, but was given no GPU");
  outcome.evidence.push_back({"hypervisor: " + *machine, facts.hardware.virtual_machine.source()});
  outcome.evidence.insert(outcome.evidence.end(), installed.evidence.begin(),
                          installed.evidence.end());
  return std::move(outcome).mend({"pass the GPU to the virtual machine (PCI passthrough or vGPU, "
                                  "on the host), or choose a machine type with a GPU",
                                  {},
                                  {}});
}

} // namespace

extern constexpr Rule C05{
    .id = "C05",
    .slug = "vm-without-passthrough",
    .title = "The virtual machine was given no GPU",
    .since = "0.1",
    .gate = Gate::hardware,
    .settled_by_driver = true,
    .explanation =
        R"(A virtual machine has the devices that its host gives it, and a GPU is not among them by itself. On
the host the GPU must be set aside for the guest (PCI passthrough: the driver `vfio-pci` holds it), or shared by
NVIDIA's vGPU software. A GPU that is set aside is of no use to programs on the host.)",
    .fix =
        R"(Set up PCI passthrough or vGPU on the host; in a cloud choose a machine type with a GPU. VirtualBox cannot
pass a GPU on.)",
    .references = R"(- [NVIDIA vGPU software](https://docs.nvidia.com/vgpu/index.html))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
