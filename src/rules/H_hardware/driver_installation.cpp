#include "rules/H_hardware/driver_installation.h"

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

using State = DriverInstallation::State;

/// "nvidia-driver-550 550.120-0ubuntu1 (dpkg)", "nvidia/550.54.14 (6.8.0-45-generic)".
std::optional<Version> version_in(const std::string& text) {
  const std::string words = replace_all(replace_all(text, "/", " "), ":", " ");
  for (const auto word : split(words, ' ')) {
    auto version = Version::parse(word);
    if (version && version->major() >= 100 && version->parts.size() >= 2) return version;
  }
  return std::nullopt;
}

/// A package of the driver's libraries alone.
bool brings_libraries_only(const std::string& package) {
  constexpr std::array<std::string_view, 3> kNames{"libnvidia-compute", "libcuda1", "nvidia-utils"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view name) { return package.starts_with(name); });
}

const DriverLibrary* real_libcuda(const Facts& facts) {
  const auto* libraries = facts.driver.libcuda.get();
  if (libraries == nullptr) return nullptr;
  const auto found = std::find_if(libraries->begin(), libraries->end(), is_driver_library);
  return found == libraries->end() ? nullptr : &*found;
}

std::string distribution(const Facts& facts) {
  return facts.platform.distribution_id.value_or("");
}

/// Some GPU here needs the closed kernel module: the open one starts with Turing (7.5).
bool needs_closed_module(const Facts& facts) {
  for (const auto* gpu : nvidia_gpus(facts)) {
    const auto* capability = gpu->compute_capability.get();
    if (capability != nullptr && *capability < ComputeCapability{7, 5}) return true;
  }
  return false;
}

DeviceNode good_node(const std::string& name, int major, int minor) {
  DeviceNode node;
  node.path = "/dev/" + name;
  node.major = major;
  node.minor = minor;
  node.mode = "0666";
  node.usable = Fact<bool>::known(true, {"edit", 0});
  return node;
}

void put_nodes(Facts& facts) {
  constexpr int kFrontend = 195;
  constexpr int kUvm = 238;
  std::vector<DeviceNode> nodes{good_node("nvidiactl", kFrontend, 255),
                                good_node("nvidia-uvm", kUvm, 0)};
  const auto gpus = std::max<std::size_t>(nvidia_gpus(facts).size(), 1);
  for (std::size_t i = 0; i < gpus; ++i) {
    nodes.push_back(good_node("nvidia" + std::to_string(i), kFrontend, static_cast<int>(i)));
  }
  facts.access.nodes = Fact<std::vector<DeviceNode>>::known(std::move(nodes), {"edit", 0});
  facts.access.uvm_major = Fact<int>::known(kUvm, {"edit", 0});
}

/// Every copy of "libcuda" or "libnvidia-ml" of the driver gets this version; one is added if there
/// is none.
void put_library(Facts& facts, Fact<std::vector<DriverLibrary>>& known, const std::string& name,
                 const std::string& version) {
  const Source source{"edit", 0};
  std::vector<DriverLibrary> libraries = known.value_or({});
  for (auto& library : libraries) {
    if (!is_driver_library(library)) continue;
    library.version = Fact<std::string>::known(version, source);
    library.real_path = join_path(parent_path(library.path), name + ".so." + version);
    const auto file = facts.libraries.files.find(library.path);
    if (file == facts.libraries.files.end()) continue;
    file->second.real_path = library.real_path;
    file->second.version = library.version;
  }
  if (std::none_of(libraries.begin(), libraries.end(), is_driver_library)) {
    const auto& directories = facts.libraries.default_directories;
    const std::string directory = directories.empty() ? "/usr/lib" : directories.front();
    LibraryFile file;
    file.path = directory + "/" + name + ".so.1";
    file.real_path = file.identity = directory + "/" + name + ".so." + version;
    file.soname = name + ".so.1";
    file.size = 50'000'000;
    file.version = Fact<std::string>::known(version, source);
    edit::add_library(facts, directory, file);
    DriverLibrary library;
    library.path = file.path;
    library.real_path = file.real_path;
    library.version = file.version;
    library.size = file.size;
    libraries.push_back(std::move(library));
  }
  known = Fact<std::vector<DriverLibrary>>::known(std::move(libraries), source);
}

} // namespace

DriverInstallation driver_installation(const Facts& facts) {
  const auto& driver = facts.driver;
  DriverInstallation result;
  const auto* package = driver.installed_package.get();
  const bool libraries_package = package != nullptr && brings_libraries_only(*package);
  bool kernel_part = package != nullptr && !libraries_package;
  if (package != nullptr) {
    result.version = version_in(*package);
    result.evidence.push_back({*package + " is installed", driver.installed_package.source()});
  }
  for (const auto& tree : driver.dkms.value_or({})) {
    kernel_part = true;
    if (!result.version) result.version = version_in(tree);
  }
  const auto files = driver.module_files.value_or({});
  if (!files.empty()) {
    kernel_part = true;
    result.evidence.push_back({"the module is built for this kernel", {files.front(), 0}});
  }
  const auto* libcuda = real_libcuda(facts);
  if (libcuda != nullptr) {
    if (!result.version) result.version = version_in(libcuda->version.value_or(""));
    if (!kernel_part) {
      result.evidence.push_back({"libcuda.so.1 is there", {libcuda->path, 0}});
    }
  }
  if (kernel_part) {
    result.state = State::installed;
  } else if (driver.module_files.open() && driver.installed_package.open()) {
    result.missing = missing_text("whether a driver is installed", driver.installed_package);
  } else if (libraries_package || libcuda != nullptr) {
    result.state = State::libraries_only;
  } else {
    result.state = State::none;
    if (driver.installed_package.absent()) {
      result.evidence.push_back(
          {"no package of a driver is installed", driver.installed_package.source()});
    }
    if (driver.module_files.known()) {
      result.evidence.push_back({"no nvidia module for kernel " + facts.platform.kernel_release,
                                 driver.module_files.source()});
    }
  }
  return result;
}

std::string driver_text(const Version& version) {
  std::string text = std::to_string(version.major());
  for (std::size_t i = 1; i < version.parts.size(); ++i) {
    const auto part = std::to_string(version.parts[i]);
    text += "." + (i == 2 && part.size() == 1 ? "0" + part : part);
  }
  return text;
}

int cuda_number(const Version& driver) {
  const auto cuda = cuda_of_driver(driver);
  return cuda ? cuda->major() * 1000 + cuda->minor() * 10 : 0;
}

Version suitable_driver(const Facts& facts) {
  std::optional<int> branch;
  for (const auto* gpu : nvidia_gpus(facts)) {
    const auto* last = gpu->last_driver_branch.get();
    if (last != nullptr) branch = std::min(branch.value_or(*last), *last);
  }
  Version current = minimum_driver(Version{{13}}).value_or(Version{{580}});
  if (branch && *branch < current.major()) return Version{{*branch, 0}};
  return current;
}

std::vector<std::string> install_driver_commands(const Facts& facts) {
  const auto id = distribution(facts);
  const bool closed = needs_closed_module(facts);
  const std::string restart = "sudo reboot";
  if (id == "ubuntu" || id == "linuxmint") {
    return {"sudo apt update", "sudo apt install ubuntu-drivers-common",
            "sudo ubuntu-drivers install", restart};
  }
  if (id == "pop") return {"sudo apt update", "sudo apt install system76-driver-nvidia", restart};
  if (id == "debian") {
    return {"sudo apt update", "sudo apt install linux-headers-$(uname -r) nvidia-driver libcuda1",
            restart};
  }
  if (id == "fedora") {
    return {"sudo dnf install https://mirrors.rpmfusion.org/nonfree/fedora/"
            "rpmfusion-nonfree-release-$(rpm -E %fedora).noarch.rpm",
            "sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda", restart};
  }
  if (id == "rhel" || id == "rocky" || id == "almalinux" || id == "centos") {
    return {"sudo dnf config-manager --add-repo https://developer.download.nvidia.com/compute/cuda/"
            "repos/rhel$(rpm -E %rhel)/$(uname -m)/cuda-rhel$(rpm -E %rhel).repo",
            std::string("sudo dnf install ") + (closed ? "cuda-drivers" : "nvidia-open"), restart};
  }
  if (id == "arch" && !closed) return {"sudo pacman -S nvidia-open nvidia-utils", restart};
  if (id == "manjaro") return {"sudo mhwd -a pci nonfree 0300", restart};
  if (id.starts_with("opensuse") && !closed) {
    return {
        "sudo zypper install nvidia-open-driver-G06-signed-kmp-default nvidia-compute-utils-G06",
        restart};
  }
  return {};
}

std::vector<std::string> boot_image_commands(const Facts& facts) {
  const auto& manager = facts.platform.package_manager;
  if (manager == "apt") return {"sudo update-initramfs -u"};
  if (manager == "dnf" || manager == "yum" || manager == "zypper") return {"sudo dracut --force"};
  if (manager == "pacman") return {"sudo mkinitcpio -P"};
  return {};
}

void put_driver(Facts& facts, const Version& version) {
  const std::string text = driver_text(version);
  if (auto* gpus = facts.hardware.gpus.get()) {
    for (auto& gpu : *gpus) {
      if (gpu.vendor == "nvidia") gpu.driver = Fact<std::string>::known("nvidia", {"edit", 0});
    }
  }
  put_nodes(facts);
  put_library(facts, facts.driver.libcuda, "libcuda", text);
  put_library(facts, facts.driver.libnvidia_ml, "libnvidia-ml", text);
  edit::driver_works(facts, text, cuda_number(version));
}

void ask_driver(Facts& facts) {
  const auto* module = facts.driver.module.get();
  const auto version = Version::parse(module == nullptr ? "" : module->version);
  if (version) return edit::driver_works(facts, driver_text(*version), cuda_number(*version));
  facts.observed.cuda = {};
  facts.observed.cuda_unhidden = {};
}

Edit install_driver(const Facts& facts, std::string words) {
  Edit edit;
  edit.words = std::move(words);
  edit.commands = install_driver_commands(facts);
  edit.apply = [version = suitable_driver(facts)](Facts& after) { put_driver(after, version); };
  return edit;
}

} // namespace gpuwhy::rules
