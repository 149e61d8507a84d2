#include "rules/H_hardware/gpus.h"

#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

const Fact<CudaProbe>& telling_probe(const Facts& facts) {
  return facts.observed.cuda_unhidden.known() ? facts.observed.cuda_unhidden : facts.observed.cuda;
}

bool is_gpu_node(const DeviceNode& node) {
  const auto name = base_name(node.path);
  return name.starts_with("nvidia") && to_number(name.substr(6)).has_value();
}

} // namespace

std::vector<const PciGpu*> nvidia_gpus(const Facts& facts) {
  std::vector<const PciGpu*> found;
  const auto* gpus = facts.hardware.gpus.get();
  if (gpus == nullptr) return found;
  for (const auto& gpu : *gpus) {
    if (gpu.vendor == "nvidia") found.push_back(&gpu);
  }
  return found;
}

std::string gpu_text(const PciGpu& gpu) {
  const std::string vendor = gpu.vendor == "nvidia"  ? "NVIDIA"
                             : gpu.vendor == "amd"   ? "AMD"
                             : gpu.vendor == "intel" ? "Intel"
                                                     : "other";
  const auto name = gpu.product.known() ? gpu.product.value()
                                        : vendor + " GPU " + gpu.vendor_id + ":" + gpu.device_id;
  return name + " (PCI " + gpu.address + ")";
}

std::string gpus_text(const std::vector<const PciGpu*>& gpus) {
  if (gpus.empty()) return "no GPU";
  const auto more = gpus.size() - 1;
  return gpu_text(*gpus.front()) + (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

std::optional<Evidence> sign_of_gpu(const Facts& facts) {
  const auto& probe = telling_probe(facts);
  if (probe.known() && probe.value().count > 0) {
    return Evidence{"the CUDA driver reports a GPU", probe.source()};
  }
  if (facts.observed.nvml.known() && !facts.observed.nvml.value().devices.empty()) {
    return Evidence{"NVML reports " + facts.observed.nvml.value().devices.front().name,
                    facts.observed.nvml.source()};
  }
  // The module refuses to stay where it finds no GPU.
  if (const auto* module = facts.driver.module.get()) {
    return Evidence{"the nvidia module " + module->version + " is loaded",
                    facts.driver.module.source()};
  }
  if (const auto* nodes = facts.access.nodes.get()) {
    const auto node = std::find_if(nodes->begin(), nodes->end(), is_gpu_node);
    if (node != nodes->end()) return Evidence{node->path + " exists", {node->path, 0}};
  }
  return std::nullopt;
}

std::optional<int> cuinit_result(const Facts& facts) {
  const auto* probe = telling_probe(facts).get();
  if (probe == nullptr || !probe->load_error.empty()) return std::nullopt;
  return probe->init;
}

std::optional<Evidence> cuinit_evidence(const Facts& facts) {
  const auto result = cuinit_result(facts);
  if (!result) return std::nullopt;
  const auto name = cuda_error_name(*result);
  return Evidence{"cuInit answers " + std::to_string(*result) +
                      (name.empty() ? "" : ", " + std::string(name)),
                  telling_probe(facts).source()};
}

std::optional<Evidence> kernel_log_line(const Facts& facts, std::string_view part) {
  const auto* lines = facts.driver.kernel_log.get();
  if (lines == nullptr) return std::nullopt;
  for (auto line = lines->rbegin(); line != lines->rend(); ++line) {
    if (contains(line->text, part)) return Evidence{line->text, facts.driver.kernel_log.source()};
  }
  return std::nullopt;
}

std::optional<std::string> libcuda_version(const Facts& facts, const std::string& path) {
  for (const auto& library : facts.driver.libcuda.value_or({})) {
    if (library.path != path && library.real_path != path) continue;
    if (const auto* version = library.version.get()) return *version;
  }
  std::string real = path;
  const auto file = facts.libraries.files.find(path);
  if (file != facts.libraries.files.end()) real = file->second.real_path;
  const auto name = base_name(real);
  constexpr std::string_view kPrefix = "libcuda.so.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto version = Version::parse(name.substr(kPrefix.size()));
  if (!version || version->parts.size() < 2 || version->major() < 100) return std::nullopt;
  return std::string(name.substr(kPrefix.size()));
}

bool is_compat_libcuda(const Facts& facts, const std::string& path) {
  std::string both = path;
  const auto file = facts.libraries.files.find(path);
  if (file != facts.libraries.files.end()) both += " " + file->second.real_path;
  if (contains(both, "/compat/") || contains(both, "/cuda-compat")) return true;
  const auto libraries = facts.driver.libcuda.value_or({});
  return std::any_of(libraries.begin(), libraries.end(), [&](const DriverLibrary& library) {
    return library.compat && (library.path == path || library.real_path == path);
  });
}

bool is_driver_library(const DriverLibrary& library) {
  return !library.stub && !library.compat;
}

bool has_driver_library(const Fact<std::vector<DriverLibrary>>& libraries) {
  const auto* files = libraries.get();
  return files != nullptr && std::any_of(files->begin(), files->end(), is_driver_library);
}

} // namespace gpuwhy::rules
