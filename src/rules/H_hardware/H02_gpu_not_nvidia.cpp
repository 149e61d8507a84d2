// There is a GPU, but of another vendor than the one that the installed build is for.
// Truth: PCI vendor ids in sysfs; whether the build carries CUDA or ROCm.
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};

const PciGpu* gpu_of(const std::vector<PciGpu>& gpus, std::string_view vendor) {
  const auto found = std::find_if(gpus.begin(), gpus.end(),
                                  [&](const PciGpu& gpu) { return gpu.vendor == vendor; });
  return found == gpus.end() ? nullptr : &*found;
}

/// A plug-in that brings another vendor's GPUs to TensorFlow.
std::optional<std::string> plugin(const Case& c) {
  constexpr std::array<std::string_view, 3> kPlugins{
      "intel-extension-for-tensorflow", "tensorflow-directml-plugin", "tensorflow-opencl"};
  if (c.python == nullptr) return std::nullopt;
  for (const auto& distribution : c.python->distributions) {
    if (std::find(kPlugins.begin(), kPlugins.end(), distribution.name) != kPlugins.end()) {
      return distribution.name;
    }
  }
  return std::nullopt;
}

Outcome not_nvidia(const Case& c, const std::vector<PciGpu>& gpus, const PciGpu& gpu) {
  const bool amd = gpu.vendor == "amd";
  const std::string vendor = amd ? "AMD" : "Intel";
  auto outcome = Outcome::found("the GPU here is made by " + vendor + ", and " + name_text(c) +
                                "'s CUDA build runs on NVIDIA GPUs only");
  for (const auto& each : gpus) {
    outcome.evidence.push_back({gpu_text(each), c.facts.hardware.gpus.source()});
  }
  Edit other{"run the program on a machine with an NVIDIA GPU", {}, {}};
  if (!amd) return std::move(outcome).mend(std::move(other));
  return std::move(outcome)
      .mend({"install AMD's build, tensorflow-rocm, if ROCm supports this GPU", {}, {}})
      .mend(std::move(other));
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  if (const auto sign = sign_of_gpu(facts)) return Outcome::clear(sign->text);
  const auto& gpus = facts.hardware.gpus;
  if (gpus.open()) return Outcome::unknown(missing_text("GPUs on the PCI bus", gpus));
  const auto nvidia = nvidia_gpus(facts);
  if (!nvidia.empty()) return Outcome::clear(gpus_text(nvidia));
  const auto all = gpus.value_or({});
  const auto* amd = gpu_of(all, "amd");
  const auto* gpu = amd != nullptr ? amd : gpu_of(all, "intel");
  if (gpu == nullptr) return Outcome::not_applicable(); // H01 speaks
  const auto* build = c.build();
  if (amd != nullptr && build != nullptr && build->rocm.value_or(false)) {
    return Outcome::clear("an AMD GPU and a ROCm build");
  }
  if (const auto name = plugin(c)) {
    return Outcome::unknown("whether the plug-in " + *name + " drives " + gpu_text(*gpu));
  }
  return not_nvidia(c, all, *gpu);
}

} // namespace

extern constexpr Rule H02{
    .id = "H02",
    .slug = "gpu-not-nvidia",
    .title = "The GPU is not made by NVIDIA",
    .since = "0.1",
    .gate = Gate::hardware,
    .settled_by_driver = true,
    .explanation =
        R"(TensorFlow's GPU build speaks CUDA, and CUDA runs on NVIDIA GPUs only. Graphics built into Intel and AMD processors, and
AMD's and Intel's own cards, cannot be used by it, whatever driver is installed.

A laptop with an NVIDIA GPU shows it here too, unless it is switched off (see H15).)",
    .fix =
        R"(For AMD cards that ROCm supports there is `tensorflow-rocm`, from AMD. Otherwise run the program on a machine with an NVIDIA
GPU, or in a notebook service that lends one.)",
    .references =
        R"(- [TensorFlow on ROCm](https://rocm.docs.amd.com/projects/install-on-linux/en/latest/install/3rd-party/tensorflow-install.html)
- [CUDA-capable GPUs](https://developer.nvidia.com/cuda-gpus))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
