// Truth: the Compose specification's device reservations, the NVIDIA device plugin's resource
// names, the NVIDIA container toolkit's variables, sbatch's --gres and --gpus.
#include "rules/C_container/project_files.h"

#include "base/text.h"
#include "rules/P_program/environment_writes.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using program::Document;
using program::Unit;
using program::Workload;

/// The image is one for a GPU: what is built with CUDA in its name.
bool gpu_image(std::string_view image) {
  const auto name = lower(image);
  return contains(name, "cuda") || contains(name, "-gpu") ||
         contains(name, "nvcr.io/nvidia/tensorflow") || contains(name, "nvcr.io/nvidia/pytorch") ||
         contains(name, "nvcr.io/nvidia/jax") || name.ends_with("gpu");
}

bool hides_all(std::string_view value) {
  return hides_every_gpu(std::string(value)) && value.find('$') == std::string_view::npos;
}

} // namespace

void lint_container_without_gpu(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& workload : unit.document->workloads) {
    if (workload.asks_gpu || !gpu_image(workload.image)) continue;
    switch (workload.kind) {
    case Workload::Kind::container_service:
      report.at_line(workload.line, Severity::warning,
                     "the service runs a GPU image, and no GPU is given to it",
                     "deploy.resources.reservations.devices with driver nvidia and capabilities "
                     "[gpu], or gpus: all");
      break;
    case Workload::Kind::pod:
      report.at_line(workload.line, Severity::warning,
                     "the container runs a GPU image, and the pod asks for no GPU",
                     "resources: limits: nvidia.com/gpu: 1");
      break;
    case Workload::Kind::dev_container:
      report.at_line(workload.line, Severity::warning,
                     "the dev container runs a GPU image without a GPU",
                     "\"runArgs\": [\"--gpus\", \"all\"], or hostRequirements.gpu");
      break;
    default: break;
    }
  }
  for (const auto& variable : unit.document->variables) {
    if (variable.name == "NVIDIA_VISIBLE_DEVICES" &&
        (variable.value == "none" || variable.value == "void")) {
      report.at_line(variable.line, Severity::warning,
                     "NVIDIA_VISIBLE_DEVICES=" + variable.value + " gives the container no GPU",
                     "set it to all");
    }
  }
}

void lint_container_capabilities(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  const auto lacks_compute = [](std::string_view value) {
    return !value.empty() && !contains(value, "all") && !contains(value, "compute") &&
           value.find('$') == std::string_view::npos;
  };
  for (const auto& variable : unit.document->variables) {
    if (variable.name != "NVIDIA_DRIVER_CAPABILITIES" || !lacks_compute(variable.value)) continue;
    report.at_line(variable.line, Severity::warning,
                   "without 'compute' the container gets no libcuda",
                   "NVIDIA_DRIVER_CAPABILITIES=compute,utility");
  }
  for (const auto& workload : unit.document->workloads) {
    if (!workload.capabilities || workload.capabilities->name != "capabilities") continue;
    const auto& given = workload.capabilities->value;
    if (contains(given, "gpu") || contains(given, "compute")) continue;
    report.at_line(workload.capabilities->line, Severity::warning,
                   "without the capability gpu or compute the container gets no libcuda",
                   "capabilities: [gpu]");
  }
}

void lint_slurm_without_gres(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& workload : unit.document->workloads) {
    if (workload.kind != Workload::Kind::batch_job || workload.asks_gpu) continue;
    const auto words = lower(workload.command);
    const bool wants = contains(lower(workload.image), "gpu") || contains(words, "load cuda") ||
                       contains(words, "nvidia-smi") || contains(words, "load cudnn") ||
                       contains(words, "--nv ") || contains(words, "cuda_visible_devices");
    if (!wants) continue;
    report.at_line(workload.line, Severity::warning,
                   "the job prepares for a GPU and asks Slurm for none",
                   "#SBATCH --gres=gpu:1, or --gpus=1");
  }
}

void lint_visible_devices(const Unit& unit, lint::Report& report) {
  if (!unit.document || unit.document->kind == Document::Kind::workflow)
    return; // CI machines have no GPU
  for (const auto& variable : unit.document->variables) {
    if (variable.name != "CUDA_VISIBLE_DEVICES" || !hides_all(variable.value)) continue;
    report.at_line(variable.line, Severity::error,
                   "CUDA_VISIBLE_DEVICES=\"" + variable.value + "\" hides every GPU", "remove it");
  }
}

void lint_platform_variable(const Unit& unit, lint::Report& report) {
  if (!unit.document || unit.document->kind == Document::Kind::workflow) return;
  for (const auto& variable : unit.document->variables) {
    const bool jax = variable.name == "JAX_PLATFORMS" || variable.name == "JAX_PLATFORM_NAME";
    if (!jax || lower(variable.value) != "cpu") continue;
    report.at_line(variable.line, Severity::error, variable.name + "=cpu keeps JAX on the CPU",
                   "remove it");
  }
}

void lint_libcuda_stub(const Unit& unit, lint::Report& report) {
  if (!unit.document) return;
  for (const auto& variable : unit.document->variables) {
    if (variable.name != "LD_LIBRARY_PATH" || !contains(variable.value, "/stubs")) continue;
    report.at_line(variable.line, Severity::warning,
                   "the toolkit's stub of libcuda is found before the driver's",
                   "leave the stubs folder out; it is for linking only");
  }
}

} // namespace gpuwhy::rules
