// The container was meant to have a GPU, but the driver's libraries were not brought in with it:
// the NVIDIA container toolkit is absent on the host, was by-passed, or was told to leave CUDA out.
// Truth: device nodes, driver files among the mounts, libcuda.so.1 (loader.md 3.6).
#include "base/text.h"
#include "rules/C_container/given_gpus.h"
#include "rules/C_container/project_files.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

/// NVIDIA_DRIVER_CAPABILITIES is set, and `capability` is not in it: "compute" brings CUDA,
/// "utility" NVML.
const Variable* leaves_out(const Facts& facts, std::string_view capability) {
  const auto* variable = facts.environment.find("NVIDIA_DRIVER_CAPABILITIES");
  if (variable == nullptr || trim(variable->value).empty()) return nullptr;
  for (const auto word : split(variable->value, ',')) {
    if (trim(word) == capability || trim(word) == "all") return nullptr;
  }
  return variable;
}

Edit set_capabilities(const Facts& facts) {
  const bool podman = facts.access.container.value_or("") == "podman";
  Edit edit;
  edit.words = "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility";
  edit.commands = {
      podman ? "podman run --device nvidia.com/gpu=all -e "
               "NVIDIA_DRIVER_CAPABILITIES=compute,utility IMAGE"
             : "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility IMAGE"};
  if (const auto works = given(facts)) {
    edit.apply = [works](Facts& after) {
      edit::set_variable(after, "NVIDIA_DRIVER_CAPABILITIES", "compute,utility");
      works(after);
    };
  }
  return edit;
}

Edit set_up_toolkit(const Facts& facts) {
  const auto kind = facts.access.container.value_or("");
  Edit edit;
  edit.apply = given(facts);
  if (kind == "podman") {
    edit.words = "on the host: install nvidia-container-toolkit, write its device list, then start "
                 "the container with --device nvidia.com/gpu=all";
    edit.commands = {"sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
                     "podman run --device nvidia.com/gpu=all IMAGE"};
  } else if (kind == "kubernetes") {
    edit.words =
        "on the node: install nvidia-container-toolkit and make it containerd's runtime; in "
        "the cluster: the NVIDIA device plugin, and runtimeClassName: nvidia in the pod";
    edit.commands = {"sudo nvidia-ctk runtime configure --runtime=containerd",
                     "sudo systemctl restart containerd"};
  } else {
    edit.words = "on the host: install nvidia-container-toolkit and make it Docker's runtime, then "
                 "start the container with --gpus all";
    edit.commands = {"sudo nvidia-ctk runtime configure --runtime=docker",
                     "sudo systemctl restart docker", "docker run --gpus all IMAGE"};
  }
  return edit;
}

/// `library` is what the program asks for in vain.
Outcome not_delivered(const Facts& facts, std::string summary, const Variable* capabilities,
                      const std::string& library = "libcuda.so.1") {
  auto outcome = Outcome::found(std::move(summary));
  if (has_gpu_nodes(facts)) {
    outcome.evidence.push_back({"the GPU's device nodes are there", facts.access.nodes.source()});
    const auto mounts = facts.access.driver_mounts.value_or({});
    outcome.evidence.push_back(
        {"no " + library + " of a driver in the container" +
             std::string(mounts.empty() ? ", no driver file is mounted" : ""),
         facts.driver.libcuda.source()});
  } else {
    outcome.evidence.push_back({"no /dev/nvidia* in the container", facts.access.nodes.source()});
  }
  for (const auto* name : {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}) {
    const auto* variable = facts.environment.find(name);
    if (variable == nullptr) continue;
    outcome.evidence.push_back({variable->name + "=" + variable->value, {"$" + variable->name, 0}});
  }
  outcome.edits.push_back(capabilities != nullptr ? set_capabilities(facts)
                                                  : set_up_toolkit(facts));
  return outcome;
}

Outcome without_nvml(const Case& c, const std::string& name) {
  const auto* capabilities = leaves_out(c.facts, "utility");
  const std::string why = ", without which " + framework_text(c) + " lists no GPU";
  return not_delivered(
      c.facts,
      capabilities != nullptr
          ? "NVIDIA_DRIVER_CAPABILITIES=" + capabilities->value + " leaves NVML out of " + name +
                why + ": \"utility\" is missing"
          : name + " has the GPU and CUDA, but not the driver's libnvidia-ml.so.1" + why,
      capabilities, "libnvidia-ml.so.1");
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& container = facts.access.container;
  if (container.open())
    return Outcome::unknown(missing_text("whether this is a container", container));
  if (container.absent() || container.value() == "apptainer" || in_wsl(facts)) {
    return Outcome::not_applicable();
  }
  if (facts.access.nodes.open()) {
    return Outcome::unknown(missing_text("NVIDIA device nodes", facts.access.nodes));
  }
  const auto name = container_text(facts);
  if (!has_gpu_nodes(facts)) {
    const bool host_has_gpu = !nvidia_gpus(facts).empty() || facts.driver.module.known();
    if (!names_gpus(facts) || !host_has_gpu) return Outcome::not_applicable(); // C01
    return not_delivered(
        facts, "GPUs were asked for " + name + ", but the container runtime brought none in",
        nullptr);
  }
  if (!lacks_libcuda(c)) {
    if (facts.driver.libcuda.open() && c.libcuda.outcome == loader::Outcome::unknown) {
      return Outcome::unknown(missing_text("libcuda.so.1 in the container", facts.driver.libcuda));
    }
    if (c.libnvidia_ml && facts.driver.libnvidia_ml.known() &&
        !has_driver_library(facts.driver.libnvidia_ml)) {
      return without_nvml(c, name);
    }
    return Outcome::clear("the driver's libraries are in the container");
  }
  const auto* capabilities = leaves_out(facts, "compute");
  if (capabilities != nullptr) {
    return not_delivered(facts,
                         "NVIDIA_DRIVER_CAPABILITIES=" + capabilities->value +
                             " leaves CUDA out of " + name + ": \"compute\" is missing",
                         capabilities);
  }
  return not_delivered(facts, name + " has the GPU's devices, but not the driver's libraries",
                       nullptr);
}

} // namespace

extern constexpr Rule C02{
    .id = "C02",
    .slug = "container-toolkit-missing",
    .title = "The container lacks the driver's libraries",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(A GPU in a container takes two things: the device files, and the driver's libraries in exactly the host's version. Images
must not carry the libraries; the **NVIDIA container toolkit** on the host mounts them when the container starts.

They are missing if the toolkit is not installed or not registered with Docker, Podman or containerd; if only devices were passed
(`--device /dev/nvidia0`, `--privileged`); or if `NVIDIA_DRIVER_CAPABILITIES` lacks `compute`: with `utility` alone `nvidia-smi`
works and CUDA does not. TensorFlow 2.21 needs `utility` too: without NVML it lists no GPU, and says nothing.)",
    .fix =
        R"(On the host install `nvidia-container-toolkit`, then `sudo nvidia-ctk runtime configure --runtime=docker` and `sudo systemctl
restart docker`; for Podman `sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`. Start the container with `--gpus all`
(Podman: `--device nvidia.com/gpu=all`), not with single devices. Set `NVIDIA_DRIVER_CAPABILITIES` to `compute,utility` or leave it
out.)",
    .references =
        R"(- [Installing the NVIDIA container toolkit](https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html)
- [Driver capabilities](https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html)
- [Container device interface](https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/cdi-support.html))",
    .explains = kExplains,
    .check = check,
    .lint = lint_container_capabilities,
};

} // namespace gpuwhy::rules
