#include "facts/edit.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::edit {

void set_variable(Facts& facts, std::string_view name, std::string_view value) {
  auto& variables = facts.environment.variables;
  for (auto& variable : variables) {
    if (variable.name != name) continue;
    variable.value = value;
    variable.origins.clear();
    return;
  }
  const auto place = std::find_if(variables.begin(), variables.end(),
                                  [&](const Variable& variable) { return variable.name > name; });
  variables.insert(place, Variable{std::string(name), std::string(value), {}});
}

void unset_variable(Facts& facts, std::string_view name) {
  std::erase_if(facts.environment.variables,
                [&](const Variable& variable) { return variable.name == name; });
  // Without the variables that hide, the driver answers as it did with them put aside.
  if (name == "CUDA_VISIBLE_DEVICES" || name == "CUDA_DEVICE_ORDER") {
    if (facts.environment.find("CUDA_VISIBLE_DEVICES") == nullptr &&
        facts.environment.find("CUDA_DEVICE_ORDER") == nullptr) {
      facts.observed.cuda = facts.observed.cuda_unhidden;
    } else {
      facts.observed.cuda = {};
    }
  }
}

void remove_from_library_path(Facts& facts, std::string_view directory) {
  const auto* variable = facts.environment.find("LD_LIBRARY_PATH");
  if (variable == nullptr) return;
  std::vector<std::string> kept;
  for (const auto element : split(variable->value, ':')) {
    if (normalize_path(element) != normalize_path(directory)) kept.emplace_back(element);
  }
  if (kept.empty()) {
    unset_variable(facts, "LD_LIBRARY_PATH");
  } else {
    set_variable(facts, "LD_LIBRARY_PATH", join(kept, ":"));
  }
}

void extend_library_path(Facts& facts, std::string_view directories) {
  const auto* variable = facts.environment.find("LD_LIBRARY_PATH");
  const bool empty = variable == nullptr || variable->value.empty();
  set_variable(facts, "LD_LIBRARY_PATH",
               (empty ? "" : variable->value + ":") + std::string(directories));
}

void add_library(Facts& facts, const std::string& directory, const LibraryFile& file) {
  auto& entry = facts.libraries.directories[directory];
  if (entry.path.empty() || entry.status != LibraryDirectory::Status::present) {
    entry = LibraryDirectory{.path = directory,
                             .status = LibraryDirectory::Status::present,
                             .names = {},
                             .capabilities = {},
                             .origin = "edit"};
  }
  const std::string name(base_name(file.path));
  if (std::find(entry.names.begin(), entry.names.end(), name) == entry.names.end()) {
    entry.names.push_back(name);
  }
  facts.libraries.files[file.path] = file;
}

void remove_library(Facts& facts, const std::string& path) {
  facts.libraries.files.erase(path);
  const auto directory = facts.libraries.directories.find(std::string(parent_path(path)));
  if (directory != facts.libraries.directories.end()) {
    std::erase(directory->second.names, base_name(path));
  }
}

void install_distribution(PythonEnvironment& python, Distribution distribution) {
  uninstall_distribution(python, distribution.name);
  python.distributions.push_back(std::move(distribution));
}

void uninstall_distribution(PythonEnvironment& python, std::string_view name) {
  std::erase_if(python.distributions, [&](const Distribution& d) { return d.name == name; });
}

void driver_works(Facts& facts, std::string_view driver_version, int cuda_version) {
  CudaProbe probe;
  probe.library = "libcuda.so." + std::string(driver_version);
  probe.init_name = "CUDA_SUCCESS";
  probe.driver_version = cuda_version;
  for (const auto& gpu : facts.hardware.gpus.value_or({})) {
    if (gpu.vendor != "nvidia") continue;
    CudaDevice device;
    device.ordinal = probe.count++;
    device.name = gpu.product.value_or("NVIDIA GPU");
    device.pci = gpu.address;
    device.compute_capability = gpu.compute_capability.value_or({});
    probe.devices.push_back(std::move(device));
  }
  if (probe.count == 0) { // WSL and virtual GPUs show nothing on the bus
    probe.count = 1;
    probe.devices.push_back({});
  }
  const Source source{"edit", 0};
  facts.driver.module = Fact<KernelModule>::known(
      {.version = std::string(driver_version), .open_module = {}}, source);
  facts.driver.uvm_loaded = Fact<bool>::known(true, source);
  facts.driver.nouveau_loaded = Fact<bool>::known(false, source);
  facts.observed.cuda_unhidden = Fact<CudaProbe>::known(probe, source);
  // What the variables would hide then is for the rules to say.
  const bool hidden = facts.environment.find("CUDA_VISIBLE_DEVICES") != nullptr ||
                      facts.environment.find("CUDA_DEVICE_ORDER") != nullptr;
  facts.observed.cuda = hidden ? Fact<CudaProbe>() : facts.observed.cuda_unhidden;
  facts.observed.nvml = {};
}

} // namespace gpuwhy::edit
