#include "rules/C_container/given_gpus.h"

#include "base/text.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

std::string kind(const Facts& facts) {
  return facts.access.container.value_or("");
}

} // namespace

std::string container_text(const Facts& facts) {
  const auto name = kind(facts);
  if (name == "kubernetes") return "this Kubernetes pod";
  if (name == "docker") return "this Docker container";
  if (name == "podman") return "this Podman container";
  if (name == "apptainer") return "this Apptainer container";
  return "this " + name + " container";
}

bool has_gpu_nodes(const Facts& facts) {
  const auto nodes = facts.access.nodes.value_or({});
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const DeviceNode& node) { return base_name(node.path) != "nvidia-uvm"; });
}

const DeviceNode* refused_node(const Facts& facts) {
  const auto* nodes = facts.access.nodes.get();
  if (nodes == nullptr) return nullptr;
  const auto found = std::find_if(nodes->begin(), nodes->end(), [](const DeviceNode& node) {
    return node.usable.known() && !node.usable.value() && node.problem == "EPERM";
  });
  return found == nodes->end() ? nullptr : &*found;
}

bool names_gpus(const Facts& facts) {
  const auto* variable = facts.environment.find("NVIDIA_VISIBLE_DEVICES");
  if (variable == nullptr) return false;
  const auto value = trim(variable->value);
  return !value.empty() && value != "all" && value != "none" && value != "void";
}

bool lacks_libcuda(const Case& c) {
  const auto& facts = c.facts;
  if (const auto* libraries = facts.driver.libcuda.get()) {
    return std::none_of(libraries->begin(), libraries->end(), is_driver_library);
  }
  return c.libcuda.outcome == loader::Outcome::missing;
}

std::function<void(Facts&)> given(const Facts& facts) {
  const auto* module = facts.driver.module.get();
  const auto version = Version::parse(module == nullptr ? "" : module->version);
  if (!version) return {};
  return [driver = *version](Facts& after) { put_driver(after, driver); };
}

Edit start_with_gpus(const Facts& facts) {
  const auto name = kind(facts);
  Edit edit;
  edit.apply = given(facts);
  if (name == "kubernetes") {
    edit.words = "ask for a GPU in the pod's container: resources.limits nvidia.com/gpu: 1";
    edit.commands = {"kubectl set resources deployment/NAME --limits=nvidia.com/gpu=1"};
  } else if (name == "podman") {
    edit.words = "start the container with --device nvidia.com/gpu=all";
    edit.commands = {"podman run --device nvidia.com/gpu=all IMAGE"};
  } else if (name == "apptainer") {
    edit.words = "start the container with --nv";
    edit.commands = {"apptainer exec --nv IMAGE python3 PROGRAM"};
  } else if (name == "lxc") {
    edit.words = "add the GPU to the container and set nvidia.runtime, then start it again";
    edit.commands = {"lxc config device add NAME gpu gpu",
                     "lxc config set NAME nvidia.runtime true", "lxc restart NAME"};
  } else if (name == "systemd-nspawn") {
    edit.words =
        "bind /dev/nvidia0, /dev/nvidiactl, /dev/nvidia-uvm and the driver's libraries into "
        "the container (--bind, with DeviceAllow= in its unit)";
  } else {
    edit.words = "start the container with --gpus all";
    edit.commands = {"docker run --gpus all IMAGE"};
  }
  return edit;
}

} // namespace gpuwhy::rules
