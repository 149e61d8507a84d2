#include "rules/H_hardware/architectures.h"

#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

/// "89", "90a", "120f" (names of nvcc), "8.9", "9.0a" (with a dot).
std::optional<Image> parse_target(std::string_view text) {
  Image image;
  if (!text.empty() && (text.back() == 'a' || text.back() == 'f')) {
    image.suffix = text.back();
    text.remove_suffix(1);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos && text.size() < 2) return std::nullopt;
  const auto major = to_number(dot == std::string_view::npos ? text.substr(0, text.size() - 1)
                                                             : text.substr(0, dot));
  const auto minor = to_number(dot == std::string_view::npos ? text.substr(text.size() - 1)
                                                             : text.substr(dot + 1));
  if (!major || !minor || *major > 99 || *minor > 9) return std::nullopt;
  image.target = {static_cast<int>(*major), static_cast<int>(*minor)};
  return image;
}

void add(std::vector<Image>& images, std::string_view target, bool ptx) {
  if (auto image = parse_target(target)) {
    image->ptx = ptx;
    images.push_back(*image);
  }
}

bool is_known(const ComputeCapability& capability) {
  return capability.major > 0;
}

std::optional<Targets> from_cuda(const Fact<CudaProbe>& probe) {
  if (!probe.known() || probe.value().init != 0) return std::nullopt;
  Targets result;
  result.ordered = true;
  for (const auto& device : probe.value().devices) {
    if (!is_known(device.compute_capability)) return std::nullopt;
    result.gpus.push_back({device.name, device.compute_capability, probe.source()});
  }
  if (result.gpus.empty()) return std::nullopt;
  return result;
}

std::optional<Targets> from_nvml(const Fact<NvmlProbe>& probe) {
  if (!probe.known()) return std::nullopt;
  Targets result;
  for (const auto& device : probe.value().devices) {
    if (!device.compute_capability.known()) return std::nullopt;
    result.gpus.push_back({device.name, device.compute_capability.value(), probe.source()});
  }
  if (result.gpus.empty()) return std::nullopt;
  return result;
}

} // namespace

bool Image::runs_on(const ComputeCapability& gpu) const {
  if (suffix == 'a') return gpu == target;
  if (ptx && suffix == 0) return target <= gpu;
  return gpu.major == target.major && gpu.minor >= target.minor;
}

std::string Image::str() const {
  const std::string tail = suffix == 0 ? "" : std::string(1, suffix);
  return ptx ? "PTX " + target.str() + tail : target.sm() + tail;
}

std::vector<Image> stated_code(const std::vector<std::string>& capabilities) {
  std::vector<Image> images;
  for (const std::string_view name : capabilities) {
    if (name.starts_with("sm_")) {
      add(images, name.substr(3), false);
    } else if (name.starts_with("compute_")) {
      add(images, name.substr(8), false);
      add(images, name.substr(8), true);
    } else {
      add(images, name, false);
      add(images, name, true);
    }
  }
  return images;
}

std::vector<Image> code_of(const FrameworkBuild& build) {
  auto stated = stated_code(build.compute_capabilities);
  if (!build.sass.known()) return stated;
  std::vector<Image> images;
  for (const auto& target : build.sass.value()) add(images, target, false);
  if (build.ptx.known()) {
    for (const auto& target : build.ptx.value()) add(images, target, true);
  } else {
    std::copy_if(stated.begin(), stated.end(), std::back_inserter(images),
                 [](const Image& image) { return image.ptx; });
  }
  return images.empty() ? stated : images;
}

std::string code_text(const std::vector<Image>& images) {
  std::vector<std::string> names;
  for (const auto& image : images) names.push_back(image.str());
  return join(names, ", ");
}

Coverage coverage(const std::vector<Image>& images, const ComputeCapability& gpu) {
  auto best = Coverage::none;
  for (const auto& image : images) {
    if (!image.runs_on(gpu)) continue;
    if (!image.ptx) return Coverage::machine_code;
    best = Coverage::ptx;
  }
  return best;
}

bool older_than_all(const std::vector<Image>& images, const ComputeCapability& gpu) {
  return !images.empty() && std::all_of(images.begin(), images.end(),
                                        [&](const Image& image) { return gpu < image.target; });
}

Targets targets(const Facts& facts) {
  const auto& observed = facts.observed;
  if (auto found = from_cuda(observed.cuda)) return *found;
  if (auto found = from_cuda(observed.cuda_unhidden)) return *found;
  if (auto found = from_nvml(observed.nvml)) return *found;
  Targets result;
  for (const auto* gpu : nvidia_gpus(facts)) {
    const auto& capability = gpu->compute_capability;
    if (!capability.known() || !is_known(capability.value())) {
      return {{}, false, missing_text("compute capability of " + gpu_text(*gpu), capability)};
    }
    result.gpus.push_back(
        {gpu->product.value_or("NVIDIA GPU"), capability.value(), capability.source()});
  }
  if (result.gpus.empty()) result.missing = "compute capability of the GPU";
  return result;
}

ComputeCapability taken_from(const Case& c) {
  constexpr ComputeCapability kUsual{3,
                                     5}; // gpu_device.cc of TensorFlow 2.x, platform_util.cc of XLA
  if (c.kind() == "torch") return {};    // lists every GPU
  const auto* release = release_of(c);
  if (release == nullptr) return kUsual;
  return release->registers_from.value_or(kUsual);
}

std::optional<Target> counting_gpu(const Targets& all, const ComputeCapability& taken,
                                   bool (*fault)(const std::vector<Image>&,
                                                 const ComputeCapability&),
                                   const std::vector<Image>& images) {
  std::optional<Target> counting;
  for (const auto& gpu : all.gpus) {
    if (gpu.capability < taken) continue;
    const bool bad = fault(images, gpu.capability);
    if (all.ordered) return bad ? std::optional(gpu) : std::nullopt;
    if (!bad) return std::nullopt;
    if (!counting) counting = gpu;
  }
  return counting;
}

std::optional<int> driver_cuda(const Facts& facts) {
  for (const auto* fact : {&facts.observed.cuda_unhidden, &facts.observed.cuda}) {
    const auto* probe = fact->get();
    if (probe != nullptr && probe->init == 0 && probe->driver_version > 0)
      return probe->driver_version;
  }
  const auto* nvml = facts.observed.nvml.get();
  if (nvml != nullptr && nvml->cuda_version > 0) return nvml->cuda_version;
  const auto* module = facts.driver.module.get();
  const auto version = Version::parse(module == nullptr ? "" : module->version);
  const auto cuda = version ? cuda_number(*version) : 0;
  return cuda > 0 ? std::optional(cuda) : std::nullopt;
}

Edit install_newest(const Case& c, const std::string& purpose,
                    const std::function<bool(const Release&)>& fits) {
  const auto all = releases_for(c);
  const Release* best = nullptr;
  for (const auto& release : all) {
    if (fits(release)) best = &release;
  }
  if (best == nullptr) {
    return {"no release of " + name_text(c) + " for this Python " + purpose +
                ": use another Python, NVIDIA's container images, or a build of your own",
            {},
            {}};
  }
  auto edit = install_release(c, *best);
  edit.words = "install " + name_text(c) + " " + best->version + ", which " + purpose;
  return edit;
}

Edit install_release_for(const Case& c, const Target& gpu) {
  return install_newest(c, "has code for " + gpu.capability.sm(), [&](const Release& release) {
    if (release.registers_from && gpu.capability < *release.registers_from) return false;
    return coverage(stated_code(release.capabilities), gpu.capability) != Coverage::none;
  });
}

Edit install_machine_code_for(const Case& c, const Target& gpu) {
  return install_newest(c, "has machine code for " + gpu.capability.sm(),
                        [&](const Release& release) {
                          return coverage(stated_code(release.capabilities), gpu.capability) ==
                                 Coverage::machine_code;
                        });
}

} // namespace gpuwhy::rules
