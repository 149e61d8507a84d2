// The container was started without a GPU: no device nodes, or its control group refuses them.
// Truth: /dev, and the host's bus and module, which containers see (loader.md 3.1, 3.6).
#include "rules/C_container/given_gpus.h"
#include "rules/C_container/project_files.h"
#include "rules/H_hardware/gpus.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 4> kExplains{"C02", "H08", "H09", "H18"};

/// How the host stands, as far as a container sees it.
void add_host(Outcome& outcome, const Facts& facts) {
  const auto gpus = nvidia_gpus(facts);
  if (!gpus.empty()) {
    outcome.evidence.push_back({"the host has " + gpus_text(gpus), facts.hardware.gpus.source()});
  }
  const auto& module = facts.driver.module;
  if (module.known()) {
    outcome.evidence.push_back({"the host's driver is " + module.value().version, module.source()});
  } else if (module.absent()) {
    outcome.evidence.push_back(
        {"no nvidia kernel module is loaded: the host may lack the driver", module.source()});
  }
  const auto* variable = facts.environment.find("NVIDIA_VISIBLE_DEVICES");
  if (variable != nullptr && variable->value == "all") {
    outcome.evidence.push_back({"NVIDIA_VISIBLE_DEVICES=all proves nothing: CUDA's images set it",
                                {"$NVIDIA_VISIBLE_DEVICES", 0}});
  }
}

Outcome without_gpu(const Facts& facts, std::string summary, Evidence first) {
  auto outcome = Outcome::found(std::move(summary));
  outcome.evidence.push_back(std::move(first));
  outcome.evidence.push_back(
      {"container: " + facts.access.container.value(), facts.access.container.source()});
  add_host(outcome, facts);
  auto edit = start_with_gpus(facts);
  if (facts.driver.module.absent() && !in_wsl(facts)) {
    edit.words = "make sure that nvidia-smi works on the host; then " + edit.words;
  }
  return std::move(outcome).mend(std::move(edit));
}

Outcome check_nodes(const Case& c) {
  const auto& facts = c.facts;
  const auto& nodes = facts.access.nodes;
  const auto name = container_text(facts);
  if (nodes.open()) return Outcome::unknown(missing_text("NVIDIA device nodes", nodes));
  if (const auto* node = refused_node(facts)) {
    return without_gpu(facts,
                       name + " shows " + node->path +
                           ", but was not given the right to open it, or lost it",
                       {node->path + ": EPERM from the control group", node->usable.source()});
  }
  if (has_gpu_nodes(facts)) {
    // Apptainer shows the host's /dev in any case; --nv is what brings the libraries.
    if (facts.access.container.value() == "apptainer" && lacks_libcuda(c)) {
      return without_gpu(facts, name + " was started without --nv: it has no libcuda.so.1",
                         {"no libcuda.so.1 in the container", facts.driver.libcuda.source()});
    }
    return Outcome::clear(name + " has the GPU's device nodes");
  }
  const bool host_has_none =
      facts.hardware.gpus.known() && nvidia_gpus(facts).empty() && !facts.driver.module.known();
  if (host_has_none) return Outcome::not_applicable(); // H01 and H02 speak
  if (names_gpus(facts)) return Outcome::clear("GPUs were asked for, but not delivered: C02");
  return without_gpu(facts, name + " was started without a GPU",
                     {"no /dev/nvidia* in the container", nodes.source()});
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto& container = facts.access.container;
  if (container.absent()) return Outcome::not_applicable();
  if (container.open())
    return Outcome::unknown(missing_text("whether this is a container", container));
  if (!in_wsl(facts)) return check_nodes(c);
  const auto& dxg = facts.access.dxg;
  if (dxg.open()) return Outcome::unknown(missing_text("/dev/dxg", dxg));
  if (dxg.value_or(false)) return Outcome::clear("/dev/dxg is in the container");
  return without_gpu(facts, container_text(facts) + " was started without a GPU",
                     {"no /dev/dxg, through which WSL reaches the GPU", dxg.source()});
}

} // namespace

extern constexpr Rule C01{
    .id = "C01",
    .slug = "container-without-gpu",
    .title = "The container was started without a GPU",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(A container sees only the devices that it is given when it starts. The GPU is not among them unless someone asks for it, even if
the host itself uses it. Setting `NVIDIA_VISIBLE_DEVICES=all` inside, as CUDA's images do, gives nothing by itself.

A running container can also lose its GPU: `systemctl daemon-reload` on the host rewrites the rules by which it may open devices.

With Docker Compose the service needs:

```yaml
deploy:
  resources:
    reservations:
      devices:
        - driver: nvidia
          count: all
          capabilities: [gpu]
```)",
    .fix = R"(Start it again with the GPU:

- Docker: `docker run --gpus all IMAGE`
- Podman: `podman run --device nvidia.com/gpu=all IMAGE`
- Apptainer, Singularity: `apptainer exec --nv IMAGE ...`
- Kubernetes: `resources: {limits: {nvidia.com/gpu: 1}}` in the container's specification
- VS Code dev container: `"runArgs": ["--gpus", "all"]`

All but Apptainer need the NVIDIA container toolkit on the host (C02).)",
    .references = R"(- [Docker: GPU access](https://docs.docker.com/engine/containers/gpu/)
- [Docker Compose: GPU support](https://docs.docker.com/compose/how-tos/gpu-support/)
- [NVIDIA container toolkit](https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/)
- [Kubernetes: schedule GPUs](https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/)
- [Apptainer: GPU support](https://apptainer.org/docs/user/main/gpu.html))",
    .explains = kExplains,
    .check = check,
    .lint = lint_container_without_gpu,
};

} // namespace gpuwhy::rules
