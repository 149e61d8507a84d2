// The nvidia kernel module: loaded or not, in which version, and which files of it exist for this
// kernel. Truth: loader.md 3.2; dkms(8) for its tree.
#include "collect/machine.h"

#include "base/version.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

const std::string kVersionFile = "/proc/driver/nvidia/version";

/// "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build ..." and,
/// from the proprietary module, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue
/// ...".
std::optional<KernelModule> parse_version(std::string_view line) {
  constexpr std::string_view kTitle = "Kernel Module";
  if (!line.starts_with("NVRM version:")) return std::nullopt;
  const auto title = line.find(kTitle);
  if (title == std::string_view::npos) return std::nullopt;
  for (const auto word : split(line.substr(title + kTitle.size()), ' ')) {
    const bool digits = !word.empty() && word.size() < 32 &&
                        word.find_first_not_of("0123456789.") == std::string_view::npos;
    const auto version = digits ? Version::parse(word) : std::nullopt;
    if (!version || version->parts.size() < 2) continue;
    KernelModule module;
    module.version = std::string(word);
    const auto before = trim(line.substr(0, title));
    module.open_module = Fact<bool>::known(before.ends_with(" Open"), {kVersionFile, 1});
    return module;
  }
  return std::nullopt;
}

/// The names in /proc/modules; nothing if it cannot be read.
std::optional<std::vector<std::string>> loaded_modules(System& system) {
  const auto text = system.read("/proc/modules", 4U << 20U);
  if (!text) return std::nullopt;
  std::vector<std::string> names;
  for (const auto line : split_lines(*text)) names.emplace_back(line.substr(0, line.find(' ')));
  return names;
}

/// By /proc/modules or, for modules that are part of the kernel, by /sys/module.
Fact<bool> is_loaded(System& system, const std::optional<std::vector<std::string>>& loaded,
                     const std::string& name) {
  const Source list{"/proc/modules", 0};
  if (loaded && std::find(loaded->begin(), loaded->end(), name) != loaded->end()) {
    return Fact<bool>::known(true, list);
  }
  const std::string directory = "/sys/module/" + name;
  const auto status = system.status(directory);
  if (status) return Fact<bool>::known(true, {directory, 0});
  if (loaded) return Fact<bool>::known(false, list);
  if (status.error().kind == Unavailable::Kind::absent && system.status("/sys/module")) {
    return Fact<bool>::known(false, {"/sys/module", 0});
  }
  return unsettled<bool>(status.error(), directory);
}

Fact<KernelModule> read_module(System& system,
                               const std::optional<std::vector<std::string>>& loaded) {
  using Module = Fact<KernelModule>;
  const auto text = system.read_at(kVersionFile, 0, 4096);
  if (text) {
    for (const auto line : split_lines(*text)) {
      if (auto module = parse_version(line)) return Module::known(*module, {kVersionFile, 1});
    }
    return Module::unknown(kVersionFile + ": has no version line", {kVersionFile, 0});
  }
  const std::string version = "/sys/module/nvidia/version";
  if (const auto line = line_of(system, version)) {
    return Module::known({*line, Fact<bool>::unknown(text.error().reason)}, {version, 1});
  }
  const auto present = is_loaded(system, loaded, "nvidia");
  if (present.value_or(false)) {
    return Module::unknown("nvidia is loaded, but " + text.error().reason, present.source());
  }
  if (present.known() && text.error().kind == Unavailable::Kind::absent) {
    return Module::absent(present.source(), "nvidia is not among the loaded kernel modules");
  }
  return unsettled<KernelModule>(text.error(), kVersionFile);
}

/// nvidia.ko, compressed or not, and Debian's names for it (nvidia-current.ko); not its companions.
bool is_module_file(std::string_view name) {
  const auto dot = name.find(".ko");
  if (dot == std::string_view::npos) return false;
  const auto ending = name.substr(dot + 3);
  if (!ending.empty() && ending != ".xz" && ending != ".zst" && ending != ".gz") return false;
  const auto stem = name.substr(0, dot);
  if (stem == "nvidia") return true;
  if (!stem.starts_with("nvidia-current") && !stem.starts_with("nvidia-tesla") &&
      !stem.starts_with("nvidia-legacy")) {
    return false;
  }
  constexpr std::array<std::string_view, 5> kCompanions{"-drm", "-modeset", "-uvm", "-peermem",
                                                        "-vgpu-vfio"};
  return std::none_of(kCompanions.begin(), kCompanions.end(),
                      [&](std::string_view companion) { return stem.ends_with(companion); });
}

void add_module_files(System& system, const std::string& directory,
                      std::vector<std::string>& files) {
  for (const auto& name : names_in(system, directory)) {
    if (is_module_file(name)) files.push_back(join_path(directory, name));
  }
}

/// Where distributions and DKMS put it; what lies elsewhere is listed in modules.dep.
std::vector<std::string> find_module_files(System& system, const std::string& base) {
  std::vector<std::string> files;
  for (const char* place :
       {"updates/dkms", "updates", "extra", "extra/nvidia", "weak-updates", "weak-updates/nvidia",
        "extramodules", "misc", "kernel/drivers/video", "kernel/drivers/video/nvidia"}) {
    add_module_files(system, join_path(base, place), files);
  }
  const std::string kernel = join_path(base, "kernel");
  for (const auto& name : names_in(system, kernel)) {
    if (!name.starts_with("nvidia")) continue;
    add_module_files(system, join_path(kernel, name), files);
    add_module_files(system, join_path(kernel, name + "/bits"), files);
  }
  if (!files.empty()) return files;
  const auto dependencies = system.read(join_path(base, "modules.dep"), 8U << 20U);
  if (!dependencies) return files;
  for (const auto line : split_lines(*dependencies)) {
    const auto path = line.substr(0, line.find(':'));
    if (!is_module_file(base_name(path))) continue;
    auto file = join_path(base, path);
    if (system.status(file)) files.push_back(std::move(file)); // the list outlives the files
  }
  return files;
}

Fact<std::vector<std::string>> read_module_files(System& system) {
  using Files = Fact<std::vector<std::string>>;
  const auto& release = system.identity().kernel_release;
  if (release.empty() || contains(release, "/")) return Files::unknown("kernel release not known");
  for (const char* root : {"/lib/modules", "/run/booted-system/kernel-modules/lib/modules"}) {
    const std::string base = join_path(root, release);
    const auto status = system.status(base);
    if (status) return Files::known(find_module_files(system, base), {base, 0});
  }
  const std::string base = "/lib/modules/" + release;
  const auto status = system.status(base);
  // An update that removes the running kernel's directory leaves those of others. A container
  // has none at all, which tells nothing about the kernel it runs on.
  for (const auto& other : names_in(system, "/lib/modules")) {
    if (!status && status.error().kind == Unavailable::Kind::absent &&
        system.status("/lib/modules/" + other + "/modules.dep")) {
      return Files::absent({base, 0}, base + ": is not there, while " + printable(other) + " is");
    }
  }
  if (status) return {};
  return unsettled<std::vector<std::string>>(status.error(), base);
}

/// /var/lib/dkms/NAME/VERSION/KERNEL/ARCHITECTURE/module is there once a build was finished.
Fact<std::vector<std::string>> read_dkms(System& system) {
  using Trees = Fact<std::vector<std::string>>;
  constexpr std::size_t kMost = 64;
  const std::string root = "/var/lib/dkms";
  const auto packages = system.list(root);
  if (!packages) return without_value<std::vector<std::string>>(packages.error(), root);
  std::vector<std::string> trees;
  for (const auto& package : *packages) {
    if (!package.name.starts_with("nvidia")) continue;
    const std::string versions = join_path(root, package.name);
    for (const auto& version : names_in(system, versions)) {
      if (version.empty() || version.front() < '0' || version.front() > '9') continue;
      const std::string tree = join_path(versions, version);
      const std::string title = printable(package.name + "/" + version);
      bool built = false;
      for (const auto& kernel : names_in(system, tree)) {
        if (kernel == "source" || kernel == "build" || trees.size() >= kMost) continue;
        const auto architectures = names_in(system, join_path(tree, kernel));
        const bool finished =
            std::any_of(architectures.begin(), architectures.end(), [&](const std::string& name) {
              return system.status(join_path(tree, kernel) + "/" + name + "/module").has_value();
            });
        if (!finished) continue;
        trees.push_back(title + " (" + printable(kernel) + ")");
        built = true;
      }
      if (!built && trees.size() < kMost) trees.push_back(title + " (not built)");
    }
  }
  return Trees::known(std::move(trees), {root, 0});
}

void collect(System& system, const Scope&, Facts& facts) {
  const auto loaded = loaded_modules(system);
  facts.driver.module = read_module(system, loaded);
  facts.driver.uvm_loaded = is_loaded(system, loaded, "nvidia_uvm");
  facts.driver.nouveau_loaded = is_loaded(system, loaded, "nouveau");
  facts.driver.module_files = read_module_files(system);
  facts.driver.dkms = read_dkms(system);
}

} // namespace

const Collector kKernelModules{
    "kernel_modules",
    "/proc/driver/nvidia/version, /proc/modules, /sys/module/{nvidia,nvidia_uvm,nouveau}, "
    "/lib/modules/RELEASE, /var/lib/dkms/nvidia*",
    collect};

} // namespace gpuwhy
