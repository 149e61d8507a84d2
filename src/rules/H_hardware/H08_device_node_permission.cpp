// The kernel driver runs, but this user may not open its device nodes, or they are not there.
// Truth: tried with driver 580 (loader.md 3.11): without /dev/nvidiactl or /dev/nvidia0 cuInit
// answers 100. Root's driver makes missing nodes itself. A missing /dev/nvidia-uvm is H09.
#include "base/text.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

struct Nodes {
  const DeviceNode* control = nullptr; // /dev/nvidiactl
  const DeviceNode* uvm = nullptr;
  std::vector<const DeviceNode*> gpus;
};

Nodes sort_nodes(const std::vector<DeviceNode>& all) {
  Nodes nodes;
  for (const auto& node : all) {
    const auto name = base_name(node.path);
    if (name == "nvidiactl") {
      nodes.control = &node;
    } else if (name == "nvidia-uvm") {
      nodes.uvm = &node;
    } else {
      nodes.gpus.push_back(&node);
    }
  }
  return nodes;
}

bool refused(const DeviceNode* node) {
  return node != nullptr && node->usable.known() && !node->usable.value();
}

Edit with_driver(const Facts& facts, std::string words, std::vector<std::string> commands) {
  Edit edit{std::move(words), std::move(commands), {}};
  const auto* module = facts.driver.module.get();
  const auto version = Version::parse(module == nullptr ? "" : module->version);
  if (version) {
    edit.apply = [driver = *version](Facts& after) { put_driver(after, driver); };
  }
  return edit;
}

Outcome missing(const Facts& facts, const std::string& path) {
  auto outcome = Outcome::found(path + " does not exist, and only root may create it");
  outcome.evidence.push_back({path + " is missing", facts.access.nodes.source()});
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  if (in_container(facts)) {
    return std::move(outcome).mend(
        with_driver(facts, "give the container this device too: --device " + path, {}));
  }
  return std::move(outcome).mend(
      with_driver(facts, "create the device nodes (running nvidia-smi once as root does it)",
                  {"sudo nvidia-modprobe -c 0 -u", "sudo nvidia-smi"}));
}

Outcome forbidden(const Facts& facts, const DeviceNode& node) {
  const bool by_mode = node.problem == "EACCES";
  auto outcome =
      Outcome::found(by_mode ? "this user may not open " + node.path + " (mode " + node.mode + ")"
                             : node.path + " cannot be opened: " + node.problem);
  outcome.evidence.push_back(
      {node.path + ", mode " + node.mode + ": " + node.problem, node.usable.source()});
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  if (!by_mode) { // a node of a driver that is gone, or a control group's rule
    return std::move(outcome).mend(
        node.problem == "EPERM"
            ? Edit{"ask whoever runs this session (a batch job, a service) to allow the device",
                   {},
                   {}}
            : with_driver(facts, "let the driver make its nodes again",
                          {"sudo rm " + node.path, "sudo nvidia-smi"}));
  }
  if (facts.access.container.value_or("") == "podman" && facts.access.user_namespace.known()) {
    outcome.edits.push_back(with_driver(
        facts, "keep your groups inside the container: podman run --group-add keep-groups", {}));
  }
  const bool group_may = node.mode.size() == 4 && (node.mode[2] == '6' || node.mode[2] == '7');
  if (group_may) {
    outcome.edits.push_back(
        with_driver(facts, "join the group that owns " + node.path + ", then log in again",
                    {"sudo usermod -aG \"$(stat -c %G " + node.path + ")\" \"$USER\""}));
  } else {
    outcome.edits.push_back(
        with_driver(facts, "open the device nodes to all users",
                    {"echo 'options nvidia NVreg_DeviceFileMode=0666' | sudo tee "
                     "/etc/modprobe.d/nvidia-device-mode.conf",
                     "sudo chmod 0666 /dev/nvidia*"}));
  }
  return outcome;
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& access = facts.access;
  if (in_wsl(facts) || on_tegra(facts) || facts.driver.module.absent()) {
    return Outcome::not_applicable();
  }
  if (access.nodes.open())
    return Outcome::unknown(missing_text("NVIDIA device nodes", access.nodes));
  const auto all = access.nodes.value_or({});
  if (in_container(facts) && all.empty()) return Outcome::not_applicable(); // C01
  const auto nodes = sort_nodes(all);
  const auto judged = [&](const DeviceNode& node) { // in a container a control group's no is C01's
    return !(in_container(facts) && node.problem == "EPERM");
  };
  if (refused(nodes.control) && judged(*nodes.control)) return forbidden(facts, *nodes.control);
  const bool no_gpu_opens =
      !nodes.gpus.empty() && std::all_of(nodes.gpus.begin(), nodes.gpus.end(), refused);
  if (no_gpu_opens && judged(*nodes.gpus.front())) return forbidden(facts, *nodes.gpus.front());
  if (refused(nodes.uvm) && judged(*nodes.uvm)) return forbidden(facts, *nodes.uvm);
  if (facts.driver.module.open()) {
    return Outcome::unknown(missing_text("the nvidia kernel module", facts.driver.module));
  }
  const bool creates_nodes = access.root && !access.user_namespace.known() && !in_container(facts);
  if (nodes.control == nullptr && !creates_nodes) return missing(facts, "/dev/nvidiactl");
  if (nodes.gpus.empty() && !creates_nodes) return missing(facts, "/dev/nvidia0");
  for (const auto& node : all) {
    if (node.usable.open())
      return Outcome::unknown(missing_text("may " + node.path + " be opened", node.usable));
  }
  return Outcome::clear(creates_nodes && nodes.control == nullptr
                            ? "root's driver creates the device nodes itself"
                            : "the device nodes are there and open to this user");
}

} // namespace

extern constexpr Rule H08{
    .id = "H08",
    .slug = "device-node-permission",
    .title = "This user may not open the GPU's device files",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(Programs talk to the GPU through files in `/dev`: `nvidiactl`, one `nvidiaN` a GPU, and `nvidia-uvm`. If one of them is
missing, or its permissions keep this user out, CUDA reports that there is no GPU, though the driver is in order and `sudo
nvidia-smi` works.

Usually everyone may read and write them (mode 0666). Some administrators restrict them to a group (`video`, `render`, or one of
their own). A driver that root uses makes missing files by itself; other users depend on the helper `nvidia-modprobe`.)",
    .fix =
        R"(Not allowed: join the group that owns the files (`ls -l /dev/nvidia*`) and log in again. Missing: run `sudo nvidia-smi` once, and
install `nvidia-modprobe` or enable `nvidia-persistenced`, so that they are there after the next start. In rootless Podman add
`--group-add keep-groups`.)",
    .references =
        R"(- [NVIDIA driver README: device files](https://us.download.nvidia.com/XFree86/Linux-x86_64/555.42.02/README/faq.html)
- [CUDA installation guide: device node verification](https://docs.nvidia.com/cuda/cuda-installation-guide-linux/))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
