// A build for AMD's ROCm, or for DirectML, on a machine with an NVIDIA GPU. Truth: what the build
// says of itself (torch/version.py: hip, build_info.py: is_rocm_build), the names of the
// distributions, the PCI bus.
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

/// DirectML is a matter of Windows and of WSL.
const Distribution* directml(const Case& c) {
  for (const auto* name : {"tensorflow-directml", "tensorflow-directml-plugin", "torch-directml"}) {
    const auto* found = find_distribution(*c.python, name);
    const bool torch = std::string_view(name).starts_with("torch");
    if (found != nullptr && torch == (c.kind() == "torch")) return found;
  }
  return nullptr;
}

Outcome check(const Case& c) {
  if (c.framework == nullptr) return Outcome::not_applicable();
  const auto* build = c.build();
  const bool rocm = build != nullptr && build->rocm.value_or(false);
  const bool cuda = build != nullptr && build->cuda.value_or(false);
  const auto* microsoft = cuda ? nullptr : directml(c);
  if (!rocm && microsoft == nullptr) return Outcome::not_applicable();
  const auto nvidia = nvidia_gpus(c.facts);
  if (nvidia.empty()) {
    if (c.facts.hardware.gpus.open())
      return Outcome::unknown("whose GPU this is: the PCI bus was not read");
    if (rocm)
      return Outcome::clear(framework_text(c) +
                            " is built for AMD's GPUs, and no NVIDIA GPU is here");
    return Outcome::not_applicable();
  }
  if (!rocm && (in_wsl(c.facts) || c.facts.platform.system == "windows"))
    return Outcome::clear(microsoft->name + " uses the GPU through DirectX");
  const auto what = rocm ? framework_text(c) + " is built for AMD's ROCm"
                         : microsoft->name + " works on Windows only";
  auto outcome = Outcome::found(what + ", the GPU here is NVIDIA's")
                     .because(gpus_text(nvidia), c.facts.hardware.gpus.source());
  if (rocm) outcome.evidence.push_back({"the build says ROCm of itself", build->rocm.source()});
  if (microsoft != nullptr)
    outcome.evidence.push_back({microsoft->name + " is installed", {microsoft->location, 0}});
  std::vector<std::string> remove = c.framework->distributions;
  if (microsoft != nullptr) remove.push_back(microsoft->name);
  return std::move(outcome).mend(install_gpu_framework(c, "replace it by the CUDA build", remove));
}

} // namespace

extern constexpr Rule F14{
    .id = "F14",
    .slug = "rocm-or-directml-misfit",
    .title = "The build is for another vendor's GPU",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(There are builds for GPUs other than NVIDIA's: ROCm is AMD's counterpart of CUDA
(`torch 2.6.0+rocm6.2`, `tensorflow-rocm`, `jax-rocm7-plugin`), DirectML is Microsoft's way to any GPU, on Windows
and in WSL. Such a build does not see an NVIDIA GPU on Linux.)",
    .fix = R"(Install the CUDA build in its place.)",
    .references = R"(- [PyTorch: get started](https://pytorch.org/get-started/locally/))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
