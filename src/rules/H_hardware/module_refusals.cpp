// Truth: the words of the module and of the kernel (kernel log), modprobe.d(5), dkms(8),
// mokutil(1); the open module needs Turing or later, GPUs from Blackwell on need the open one
// (NVIDIA driver README, "Open Linux Kernel Modules").
#include "rules/H_hardware/module_refusals.h"

#include "base/text.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr ComputeCapability kTuring{7, 5};
constexpr ComputeCapability kBlackwell{10, 0};

Version version_of(const Facts& facts, const DriverInstallation& installation) {
  return installation.version.value_or(suitable_driver(facts));
}

void add_commands(Edit& edit, std::vector<std::string> commands) {
  edit.commands.insert(edit.commands.end(), std::make_move_iterator(commands.begin()),
                       std::make_move_iterator(commands.end()));
}

bool all_gpus(const Facts& facts, bool (*holds)(const ComputeCapability&)) {
  const auto gpus = nvidia_gpus(facts);
  return !gpus.empty() && std::all_of(gpus.begin(), gpus.end(), [&](const PciGpu* gpu) {
    return gpu->compute_capability.known() && holds(gpu->compute_capability.value());
  });
}

/// true and false as module and package tell; nothing where neither does.
std::optional<bool> is_open_flavour(const Facts& facts) {
  if (const auto* module = facts.driver.module.get();
      module != nullptr && module->open_module.known()) {
    return module->open_module.value();
  }
  const auto* package = facts.driver.installed_package.get();
  if (package == nullptr) return std::nullopt;
  if (contains(package->substr(0, package->find(' ')), "open")) return true;
  const bool ubuntu = facts.platform.distribution_id.value_or("") == "ubuntu";
  if (ubuntu && package->starts_with("nvidia-driver-")) return false;
  return std::nullopt;
}

Refusal dropped(const Facts& facts, const DriverInstallation& installation) {
  const auto branch = suitable_driver(facts).major();
  const auto number = std::to_string(branch);
  Refusal refusal;
  refusal.summary = gpus_text(nvidia_gpus(facts)) +
                    " is no longer supported by the installed driver" +
                    (installation.version ? " " + driver_text(*installation.version) : "") +
                    ": branch " + number + " is the last that has it";
  refusal.edit.words = "install the driver of branch " + number;
  const auto id = facts.platform.distribution_id.value_or("");
  if (id == "ubuntu" || id == "linuxmint") {
    refusal.edit.commands = {"sudo apt install nvidia-driver-" + number, "sudo reboot"};
  } else if (id == "fedora") {
    refusal.edit.commands = {"sudo dnf install akmod-nvidia-" + number + "xx xorg-x11-drv-nvidia-" +
                                 number + "xx-cuda",
                             "sudo reboot"};
  }
  refusal.edit.apply = [version = suitable_driver(facts)](Facts& after) {
    put_driver(after, version);
  };
  return refusal;
}

Refusal wrong_flavour(const Facts& facts, const DriverInstallation& installation, bool wants_open) {
  const auto version = version_of(facts, installation);
  const std::string wanted = wants_open ? "open" : "closed";
  Refusal refusal;
  refusal.summary = gpus_text(nvidia_gpus(facts)) +
                    (wants_open ? " needs the open flavour of the nvidia module"
                                : " is older than the open flavour of the nvidia module supports");
  refusal.edit.words = "install the " + wanted + " flavour of the nvidia module, then restart";
  const auto id = facts.platform.distribution_id.value_or("");
  if (id == "ubuntu" || id == "linuxmint") {
    refusal.edit.commands = {"sudo apt install nvidia-driver-" + std::to_string(version.major()) +
                                 (wants_open ? "-open" : ""),
                             "sudo reboot"};
  } else if (id == "arch" && wants_open) {
    refusal.edit.commands = {"sudo pacman -S nvidia-open", "sudo reboot"};
  }
  refusal.edit.apply = [version](Facts& after) { put_driver(after, version); };
  return refusal;
}

/// "/etc/modprobe.d/off.conf:3: blacklist nvidia" in its three parts.
struct Entry {
  std::string path;
  std::string line;
  std::string text;
};

Entry parse_entry(const std::string& entry) {
  const auto text = entry.find(": ");
  const auto place = entry.substr(0, text);
  const auto colon = place.rfind(':');
  if (colon == std::string::npos || text == std::string::npos) return {place, "", ""};
  return {place.substr(0, colon), place.substr(colon + 1), entry.substr(text + 2)};
}

/// Where DKMS, Ubuntu and akmods keep the key with which they sign modules.
std::string machine_owner_key(const Facts& facts) {
  const auto id = facts.platform.distribution_id.value_or("");
  if (id == "ubuntu" || id == "linuxmint") return "/var/lib/shim-signed/mok/MOK.der";
  if (facts.platform.package_manager == "dnf") return "/etc/pki/akmods/certs/public_key.der";
  return "/var/lib/dkms/mok.pub";
}

} // namespace

std::optional<Refusal> unsupported_gpu(const Facts& facts, const DriverInstallation& installation) {
  if (auto line = kernel_log_line(facts, "Legacy drivers")) {
    auto refusal = dropped(facts, installation);
    refusal.evidence.push_back(std::move(*line));
    return refusal;
  }
  const auto gpus = nvidia_gpus(facts);
  const bool all_dropped = installation.version && !gpus.empty() &&
                           std::all_of(gpus.begin(), gpus.end(), [&](const PciGpu* gpu) {
                             const auto* last = gpu->last_driver_branch.get();
                             return last != nullptr && *last < installation.version->major();
                           });
  if (all_dropped) return dropped(facts, installation);
  if (auto line = kernel_log_line(facts, "is not supported by open")) {
    auto refusal = wrong_flavour(facts, installation, false);
    refusal.evidence.push_back(std::move(*line));
    return refusal;
  }
  if (auto line = kernel_log_line(facts, "requires use of the NVIDIA open")) {
    auto refusal = wrong_flavour(facts, installation, true);
    refusal.evidence.push_back(std::move(*line));
    return refusal;
  }
  const auto open = is_open_flavour(facts);
  if (open == true && all_gpus(facts, [](const auto& cc) { return cc < kTuring; })) {
    return wrong_flavour(facts, installation, false);
  }
  if (open == false && all_gpus(facts, [](const auto& cc) { return cc >= kBlackwell; })) {
    return wrong_flavour(facts, installation, true);
  }
  return std::nullopt;
}

std::optional<Refusal> blacklisted(const Facts& facts, const DriverInstallation& installation) {
  const auto* entries = facts.driver.blacklisted.get();
  if (entries == nullptr || entries->empty()) return std::nullopt;
  const auto first = parse_entry(entries->front());
  Refusal refusal;
  refusal.summary = "the nvidia module is kept out by " + first.path +
                    (first.line.empty() ? "" : ":" + first.line) + ": " + first.text;
  for (const auto& entry : *entries) {
    const auto each = parse_entry(entry);
    const auto line = to_number(each.line).value_or(0);
    refusal.evidence.push_back({each.text, {each.path, static_cast<int>(line)}});
    if (each.path == "/proc/cmdline") {
      refusal.edit.commands.push_back("sudoedit /etc/default/grub");
      refusal.edit.commands.emplace_back(facts.platform.package_manager == "apt"
                                             ? "sudo update-grub"
                                             : "sudo grub2-mkconfig -o /boot/grub2/grub.cfg");
    } else if (!each.line.empty()) {
      refusal.edit.commands.push_back("sudo sed -i.bak '" + each.line + "s/^/#/' " + each.path);
    }
  }
  refusal.edit.words = first.path == "/proc/cmdline"
                           ? "remove " + first.text + " from the kernel command line, then restart"
                           : "remove line " + first.line + " of " + first.path + ", then restart";
  add_commands(refusal.edit, boot_image_commands(facts));
  refusal.edit.commands.emplace_back("sudo reboot");
  const auto version = version_of(facts, installation);
  refusal.edit.apply = [version](Facts& after) {
    after.driver.blacklisted = Fact<std::vector<std::string>>::known({}, {"edit", 0});
    put_driver(after, version);
  };
  return refusal;
}

std::optional<Refusal> not_built(const Facts& facts, const DriverInstallation& installation) {
  const auto& files = facts.driver.module_files;
  if (files.open() || (files.known() && !files.value().empty())) return std::nullopt;
  const auto& kernel = facts.platform.kernel_release;
  Refusal refusal;
  const auto version = version_of(facts, installation);
  refusal.edit.apply = [version](Facts& after) { put_driver(after, version); };
  if (files.absent()) { // the directory of the running kernel is gone, others are there
    refusal.summary = "the running kernel " + kernel +
                      " was replaced by an update: its modules are gone, nvidia's among them";
    refusal.evidence.push_back({files.reason(), files.source()});
    refusal.edit.words = "restart into the installed kernel";
    refusal.edit.commands = {"sudo reboot"};
    return refusal;
  }
  refusal.summary = "the nvidia module is not built for the running kernel " + kernel;
  refusal.evidence.push_back({"no nvidia module for " + kernel, files.source()});
  const auto trees = facts.driver.dkms.value_or({});
  for (const auto& tree : trees) {
    refusal.evidence.push_back({"DKMS: " + tree, facts.driver.dkms.source()});
  }
  refusal.edit.words = "build the module for this kernel (its headers are needed), then load it";
  const auto& manager = facts.platform.package_manager;
  if (manager == "apt") {
    refusal.edit.commands = {"sudo apt install linux-headers-$(uname -r)", "sudo dkms autoinstall"};
  } else if (manager == "dnf" || manager == "yum") {
    refusal.edit.commands = {"sudo dnf install kernel-devel-$(uname -r)",
                             trees.empty() ? "sudo akmods --force" : "sudo dkms autoinstall"};
  } else if (manager == "pacman") {
    refusal.edit.commands = {"sudo pacman -S linux-headers nvidia-open-dkms"};
  } else if (manager == "zypper") {
    refusal.edit.commands = {"sudo zypper install kernel-default-devel"};
  }
  refusal.edit.commands.emplace_back("sudo modprobe nvidia");
  return refusal;
}

std::optional<Refusal> unsigned_module(const Facts& facts, const DriverInstallation& installation) {
  Refusal refusal;
  for (const auto* words :
       {"unsigned module loading is restricted", "Key was rejected by service",
        "Required key not available", "Loading of unsigned module is rejected"}) {
    if (auto line = kernel_log_line(facts, words)) refusal.evidence.push_back(std::move(*line));
  }
  const bool secure = facts.driver.secure_boot.value_or(false);
  const auto lockdown = facts.driver.lockdown.value_or("none");
  if (refusal.evidence.empty() && !secure && lockdown == "none") return std::nullopt;
  if (secure) refusal.evidence.push_back({"Secure Boot is on", facts.driver.secure_boot.source()});
  if (lockdown != "none") {
    refusal.evidence.push_back({"kernel lockdown: " + lockdown, facts.driver.lockdown.source()});
  }
  refusal.summary = "the kernel loads signed modules only (Secure Boot), and the nvidia module, "
                    "though built for it, is not loaded";
  refusal.edit.words =
      "enrol the key with which the module is signed, restart, and confirm it on the "
      "blue screen (Enroll MOK); or switch Secure Boot off in the firmware";
  refusal.edit.commands = {"sudo mokutil --import " + machine_owner_key(facts), "sudo reboot"};
  const auto version = version_of(facts, installation);
  refusal.edit.apply = [version](Facts& after) { put_driver(after, version); };
  return refusal;
}

} // namespace gpuwhy::rules
