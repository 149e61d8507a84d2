// Nothing on the PCI bus that a framework could compute on.
// Truth: sysfs (loader.md 3.1). WSL, Jetson and some sandboxes do not show their GPU there.
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

Outcome no_gpu(const Facts& facts) {
  const auto& gpus = facts.hardware.gpus;
  const auto* machine = facts.hardware.virtual_machine.get();
  std::string where = "this machine";
  const bool named = machine != nullptr && *machine != "other";
  if (machine != nullptr) where = "this virtual machine" + (named ? " (" + *machine + ")" : "");
  if (in_container(facts)) where = "the machine that runs this container";
  auto outcome = Outcome::found(where + " has no GPU on its PCI bus");
  const auto seen = gpus.known() ? gpus.value().size() : 0;
  outcome.evidence.push_back({seen == 0 ? std::string("no display or 3D controller is listed")
                                        : gpu_text(gpus.value().front()) + " only draws a screen",
                              gpus.source()});
  if (machine != nullptr) {
    outcome.evidence.push_back(
        {named ? "this is a virtual machine of " + *machine : "this is a virtual machine",
         facts.hardware.virtual_machine.source()});
    return std::move(outcome).mend(
        {"give the virtual machine a GPU (PCI passthrough or vGPU, set on the host), or in a cloud "
         "choose a machine type with an NVIDIA GPU",
         {},
         {}});
  }
  return std::move(outcome).mend({"run the program on a machine with an NVIDIA GPU", {}, {}});
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (const auto sign = sign_of_gpu(facts)) return Outcome::clear(sign->text);
  if (on_tegra(facts)) {
    return Outcome::clear(facts.hardware.tegra.value() + ": the GPU is part of the chip");
  }
  if (in_wsl(facts)) {
    if (facts.access.wsl_driver.known()) return Outcome::clear("Windows has an NVIDIA driver");
    return Outcome::unknown("whether Windows has an NVIDIA GPU: WSL does not show it on the bus");
  }
  const auto& gpus = facts.hardware.gpus;
  if (gpus.open()) return Outcome::unknown(missing_text("GPUs on the PCI bus", gpus));
  const auto nvidia = nvidia_gpus(facts);
  if (!nvidia.empty()) return Outcome::clear(gpus_text(nvidia));
  if (facts.access.dxg.value_or(false)) {
    return Outcome::unknown("what is behind /dev/dxg: such a GPU is not on the PCI bus");
  }
  const auto all = gpus.value_or({});
  const bool other = std::any_of(all.begin(), all.end(), [](const PciGpu& gpu) {
    return gpu.vendor == "amd" || gpu.vendor == "intel";
  });
  if (other) return Outcome::clear("there is a GPU, though not NVIDIA's");
  return no_gpu(facts);
}

} // namespace

extern constexpr Rule H01{
    .id = "H01",
    .slug = "no-gpu-hardware",
    .title = "This machine has no GPU",
    .since = "0.1",
    .gate = Gate::hardware,
    .settled_by_driver = true,
    .explanation =
        R"(The list of devices that the kernel keeps holds no graphics processor at all, or only a simple adapter that draws a screen
(servers and virtual machines have one). No software can change that: TensorFlow uses the CPU.

In a virtual machine the GPU of the host is not there by itself. It must be handed through to the guest, or the guest must
be given a part of it (vGPU). In a cloud the machine type decides: most types have no GPU. On a cluster the login node often
has none, while the compute nodes do.)",
    .fix =
        R"(Run the program on a machine with an NVIDIA GPU: another cloud machine type, a compute node, or a notebook service with the GPU
runtime switched on. In a virtual machine of your own, set up PCI passthrough on the host. If there should be a card in this
machine, check that it is seated, powered, and enabled in the firmware.)",
    .references = R"(- [CUDA-capable GPUs](https://developer.nvidia.com/cuda-gpus)
- [The Linux kernel: sysfs-bus-pci](https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-bus-pci))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
