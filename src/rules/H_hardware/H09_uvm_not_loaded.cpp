// The kernel module nvidia_uvm, through which CUDA reaches memory, is missing or stuck: cuInit
// answers 999. Truth: tried with driver 580 (loader.md 3.11): node missing or stale gives 999 while
// nvidia-smi works; root's driver loads the module and makes the node itself.
#include "base/text.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};
constexpr int kUnknownError = 999; // CUDA_ERROR_UNKNOWN
constexpr const char* kNode = "/dev/nvidia-uvm";

const DeviceNode* uvm_node(const Facts& facts) {
  const auto* nodes = facts.access.nodes.get();
  if (nodes == nullptr) return nullptr;
  const auto found = std::find_if(nodes->begin(), nodes->end(),
                                  [](const DeviceNode& node) { return node.path == kNode; });
  return found == nodes->end() ? nullptr : &*found;
}

/// What of it is not there, as far as was looked.
std::vector<Evidence> missing_parts(const Facts& facts) {
  std::vector<Evidence> parts;
  const auto& access = facts.access;
  const auto& loaded = facts.driver.uvm_loaded;
  if (loaded.known() && !loaded.value()) {
    parts.push_back({"the module nvidia_uvm is not loaded", loaded.source()});
  } else if (access.uvm_major.absent()) {
    parts.push_back({"nvidia-uvm is not registered in /proc/devices", access.uvm_major.source()});
  }
  const auto* node = uvm_node(facts);
  if (access.nodes.known() && node == nullptr) {
    parts.push_back({std::string(kNode) + " does not exist", access.nodes.source()});
  }
  if (node != nullptr && access.uvm_major.known() && node->major != access.uvm_major.value()) {
    parts.push_back({std::string(kNode) + " has the number " + std::to_string(node->major) +
                         " of an earlier load, the module has " +
                         std::to_string(access.uvm_major.value()),
                     access.uvm_major.source()});
  }
  return parts;
}

Edit load(const Facts& facts, bool stuck) {
  Edit edit;
  if (in_container(facts)) {
    edit.words = stuck
                     ? "on the host: reload nvidia_uvm, then start the container again"
                     : "start the container with --gpus all, which brings /dev/nvidia-uvm, or add "
                       "--device /dev/nvidia-uvm";
    edit.commands =
        stuck ? std::vector<std::string>{"sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm"}
              : std::vector<std::string>{"docker run --gpus all IMAGE"};
  } else if (stuck) {
    edit.words =
        "reload nvidia_uvm (stop the programs that use the GPU first); if that fails, restart";
    edit.commands = {"sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm"};
  } else {
    edit.words = "load nvidia_uvm and make its device node";
    edit.commands = {"sudo modprobe nvidia_uvm", "sudo nvidia-modprobe -c 0 -u"};
  }
  const auto* module = facts.driver.module.get();
  if (const auto version = Version::parse(module == nullptr ? "" : module->version)) {
    edit.apply = [driver = *version](Facts& after) { put_driver(after, driver); };
  }
  return edit;
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& nodes = facts.access.nodes;
  if (in_wsl(facts) || on_tegra(facts) || facts.driver.module.absent()) {
    return Outcome::not_applicable();
  }
  if (in_container(facts) && nodes.known() && nodes.value().empty()) {
    return Outcome::not_applicable(); // C01
  }
  const auto result = cuinit_result(facts);
  const auto* node = uvm_node(facts);
  if (node != nullptr && node->usable.known() && !node->usable.value()) {
    return Outcome::clear(std::string(kNode) +
                          " is there; that it cannot be opened is H08's or C01's");
  }
  const auto parts = missing_parts(facts);
  if (parts.empty() && result != kUnknownError) {
    if (nodes.open()) return Outcome::unknown(missing_text("NVIDIA device nodes", nodes));
    return Outcome::clear(std::string(kNode) + " is there");
  }
  if (facts.driver.module.open() && result != kUnknownError) {
    return Outcome::unknown(missing_text("the nvidia kernel module", facts.driver.module));
  }
  const bool root = facts.access.root && !facts.access.user_namespace.known();
  if (root && result != kUnknownError) {
    if (in_container(facts) && !result) {
      return Outcome::unknown("whether root of this container may make " + std::string(kNode));
    }
    return Outcome::clear("root's driver loads nvidia_uvm and makes its node itself");
  }
  const bool stuck = parts.empty();
  auto outcome = Outcome::found(
      stuck
          ? std::string("CUDA does not start (unknown error 999) although its device files are in "
                        "order: nvidia_uvm is stuck, as after suspend and resume")
          : "CUDA cannot start: " + parts.front().text);
  for (const auto& part : parts) outcome.evidence.push_back(part);
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  if (facts.observed.nvml.known() && facts.observed.nvml.value().init == 0) {
    outcome.evidence.push_back(
        {"NVML works: it does without nvidia_uvm", facts.observed.nvml.source()});
  }
  return std::move(outcome).mend(load(facts, stuck));
}

} // namespace

extern constexpr Rule H09{
    .id = "H09",
    .slug = "uvm-not-loaded",
    .title = "The kernel module nvidia_uvm is missing or stuck",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(Besides `nvidia`, CUDA needs a second kernel module, `nvidia_uvm` (unified virtual memory), and its device file
`/dev/nvidia-uvm`. `nvidia-smi` and the screen do without it: so everything looks fine, and CUDA fails with "unknown error"
(999).

It is loaded on demand by the small helper `nvidia-modprobe`; where that is not installed, the first user must be root. On
laptops it is often stuck after suspend and resume. Containers that were given single devices by hand often lack it.)",
    .fix =
        R"(`sudo modprobe nvidia_uvm`, then `sudo nvidia-modprobe -c 0 -u` for the device file. After suspend: `sudo rmmod nvidia_uvm && sudo
modprobe nvidia_uvm`, and enable `nvidia-suspend.service` and `nvidia-resume.service` so that it does not come back. In a
container: `--gpus all` instead of single `--device` options.)",
    .references =
        R"(- [CUDA installation guide](https://docs.nvidia.com/cuda/cuda-installation-guide-linux/)
- [NVIDIA driver README: power management](https://us.download.nvidia.com/XFree86/Linux-x86_64/555.42.02/README/powermanagement.html)
- [cuInit: unknown error (tensorflow#32623)](https://github.com/tensorflow/tensorflow/issues/32623))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
