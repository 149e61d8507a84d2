// A laptop with two GPUs has switched NVIDIA's off: prime-select took it from the bus, or it does
// not wake. Truth: prime-select's own file; the kernel's words where a device stays in D3cold.
// D3cold alone proves nothing: an idle GPU sleeps in it and wakes at first use.
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 5> kExplains{"H01", "H02", "H03", "H06", "H18"};

bool held_by_nvidia(const std::vector<const PciGpu*>& gpus) {
  return std::any_of(gpus.begin(), gpus.end(), [](const PciGpu* gpu) {
    return gpu->driver.known() && gpu->driver.value() == "nvidia";
  });
}

Outcome switched_off(const Facts& facts, const std::vector<const PciGpu*>& gpus) {
  auto outcome = Outcome::found("prime-select is set to intel: the NVIDIA GPU is switched off");
  outcome.evidence.push_back({"prime-select: intel", facts.driver.prime_select.source()});
  outcome.evidence.push_back({gpus.empty() ? std::string("no NVIDIA GPU on the PCI bus")
                                           : gpu_text(*gpus.front()) + " has no driver",
                              facts.hardware.gpus.source()});
  const bool suse = facts.platform.distribution_id.value_or("").starts_with("opensuse");
  const std::string mode = suse ? "offload" : "on-demand";
  Edit edit;
  edit.words = "switch the NVIDIA GPU on with prime-select " + mode + ", then restart";
  edit.commands = {"sudo prime-select " + mode, "sudo reboot"};
  const auto installed = driver_installation(facts);
  if (installed.version) {
    edit.apply = [version = *installed.version](Facts& after) {
      after.driver.prime_select = Fact<std::string>::known("on-demand", {"edit", 0});
      put_driver(after, version);
    };
  }
  return std::move(outcome).mend(std::move(edit));
}

Outcome does_not_wake(const PciGpu& gpu, Evidence line) {
  auto outcome = Outcome::found(gpu_text(gpu) + " is powered off and does not wake up");
  outcome.evidence.push_back(std::move(line));
  if (gpu.power_state.known()) {
    outcome.evidence.push_back(
        {"power state " + gpu.power_state.value(), gpu.power_state.source()});
  }
  return std::move(outcome).mend(
      {"shut the laptop down fully and start it again; then check that the firmware has the "
       "discrete GPU enabled",
       {"sudo poweroff"},
       {}});
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  const auto gpus = nvidia_gpus(facts);
  const auto line = kernel_log_line(facts, "Unable to change power state from D3cold");
  const auto stuck = std::find_if(gpus.begin(), gpus.end(), [&](const PciGpu* gpu) {
    return line && line->text.find(gpu->address) != std::string::npos &&
           gpu->power_state.value_or("D3cold") == "D3cold";
  });
  if (stuck != gpus.end()) return does_not_wake(**stuck, *line);
  if (held_by_nvidia(gpus)) return Outcome::clear("the nvidia driver holds " + gpus_text(gpus));
  const auto& choice = facts.driver.prime_select;
  if (choice.absent()) return Outcome::clear("no prime-select here");
  if (choice.open() || facts.hardware.gpus.open()) {
    return Outcome::unknown(choice.open()
                                ? missing_text("prime-select", choice)
                                : missing_text("GPUs on the PCI bus", facts.hardware.gpus));
  }
  if (choice.value() != "intel") return Outcome::clear("prime-select: " + choice.value());
  return switched_off(facts, gpus);
}

} // namespace

extern constexpr Rule H15{
    .id = "H15",
    .slug = "optimus-powered-off",
    .title = "The laptop's NVIDIA GPU is switched off",
    .since = "0.1",
    .gate = Gate::hardware,
    .settled_by_driver = true,
    .explanation =
        R"(Many laptops have two GPUs: a small one in the processor and NVIDIA's. To save power the NVIDIA GPU can be switched off. With
`prime-select intel` it vanishes from the list of devices and its driver is kept from loading, so everything looks as if the
machine had no NVIDIA GPU.

An NVIDIA GPU that merely sleeps (power state D3cold) is healthy: it wakes when a program uses it. Only when the kernel
reports that it cannot be woken is that the cause.)",
    .fix =
        R"(`sudo prime-select on-demand` (on openSUSE `offload`) and a restart. The screen stays on the small GPU, CUDA gets the big one.
Laptops with a switch in the firmware or in the maker's tool (ASUS, Lenovo, MSI) need that switch set to hybrid.)",
    .references =
        R"(- [NVIDIA driver README: PCI-Express runtime power management](https://us.download.nvidia.com/XFree86/Linux-x86_64/555.42.02/README/dynamicpowermanagement.html)
- [Ubuntu: HybridGraphics](https://help.ubuntu.com/community/HybridGraphics))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
