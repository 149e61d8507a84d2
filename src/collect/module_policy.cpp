// What keeps the nvidia module out of the kernel although it is installed: Secure Boot and lockdown
// (it is not signed by a key the kernel trusts), modprobe.d(5), the kernel command line,
// prime-select on laptops.
#include "collect/machine.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostEntries = 64;

/// An EFI variable is four bytes of attributes, then its value: 1 is on.
Fact<bool> read_secure_boot(System& system) {
  const std::string path =
      "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  const auto bytes = system.read_at(path, 0, 8);
  if (bytes) {
    if (bytes->size() < 5) return Fact<bool>::unknown(path + ": is too short", {path, 0});
    return Fact<bool>::known((*bytes)[4] == 1, {path, 0});
  }
  // Containers hide /sys/firmware behind an empty directory; a BIOS machine has other things in it.
  const auto firmware = names_in(system, "/sys/firmware");
  const bool efi = std::find(firmware.begin(), firmware.end(), "efi") != firmware.end();
  if (bytes.error().kind == Unavailable::Kind::absent && !firmware.empty() && !efi) {
    return Fact<bool>::absent({"/sys/firmware", 0}, "this machine was not started through UEFI");
  }
  return unsettled<bool>(bytes.error(), path);
}

/// "none [integrity] confidentiality": the word in brackets is in force.
Fact<std::string> read_lockdown(System& system) {
  using Mode = Fact<std::string>;
  const std::string path = "/sys/kernel/security/lockdown";
  const auto text = system.read_at(path, 0, 256);
  if (text) {
    const auto open = text->find('[');
    const auto close = text->find(']');
    if (open == std::string::npos || close == std::string::npos || close < open) {
      return Mode::unknown(path + ": has no word in brackets", {path, 0});
    }
    return Mode::known(one_line(text->substr(open + 1, close - open - 1)), {path, 1});
  }
  if (text.error().kind == Unavailable::Kind::absent &&
      !names_in(system, "/sys/kernel/security").empty()) {
    return Mode::absent({path, 0}, "this kernel has no lockdown");
  }
  return unsettled<std::string>(text.error(), path);
}

/// modprobe takes '-' and '_' for the same. nvidia-drm and nvidia-modeset are for screens only.
bool is_needed_module(std::string_view name) {
  const std::string module = replace_all(lower(name), "-", "_");
  return module == "nvidia" || module == "nvidia_uvm" || module == "nvidia_current" ||
         module == "nvidia_current_uvm" || module == "nvidia*" || module == "nvidia_*";
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto by_tab : split(line, '\t')) {
    for (const auto word : split(by_tab, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
  }
  return words;
}

/// "blacklist nvidia", "alias nvidia off", "install nvidia /bin/false".
bool keeps_out(const std::vector<std::string_view>& words) {
  if (words.size() < 2 || !is_needed_module(words[1])) return false;
  if (words[0] == "blacklist") return true;
  if (words[0] == "alias") return words.size() > 2 && words[2] == "off";
  if (words[0] != "install" || words.size() < 3) return false;
  const auto command = base_name(words[2]);
  return command == "false" || command == "true" || command == ":";
}

void add_entry(std::vector<std::string>& entries, const std::string& path, int line,
               std::string_view text) {
  if (entries.size() >= kMostEntries) return;
  entries.push_back(printable(path) + ":" + std::to_string(line) + ": " + one_line(text));
}

void add_from_modprobe(System& system, std::vector<std::string>& entries,
                       std::vector<std::string>& problems) {
  std::set<std::string> seen; // a file of the same name in an earlier directory replaces it
  for (const char* directory : {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
                                "/usr/lib/modprobe.d", "/lib/modprobe.d"}) {
    for (const auto& name : names_in(system, directory)) {
      if (!name.ends_with(".conf") || !seen.insert(name).second) continue;
      const std::string path = join_path(directory, name);
      const auto text = system.read(path, 256U << 10U);
      if (!text) {
        if (text.error().kind != Unavailable::Kind::absent) {
          problems.push_back(printable(text.error().reason));
        }
        continue;
      }
      int line = 0;
      for (const auto content : split_lines(*text)) {
        ++line;
        if (keeps_out(words_of(content))) add_entry(entries, path, line, content);
      }
    }
  }
}

/// What the command line says about modules, and whether it forbids mode setting.
Fact<bool> add_from_command_line(System& system, std::vector<std::string>& entries) {
  const std::string path = "/proc/cmdline";
  const auto text = system.read_at(path, 0, 16U << 10U);
  if (!text) return unsettled<bool>(text.error(), path);
  constexpr std::array<std::string_view, 3> kLists{
      "modprobe.blacklist=", "module_blacklist=", "rd.driver.blacklist="};
  bool no_mode_setting = false;
  for (const auto word : words_of(trim(*text))) {
    no_mode_setting = no_mode_setting || word == "nomodeset";
    for (const auto list : kLists) {
      if (!word.starts_with(list)) continue;
      const auto modules = split(word.substr(list.size()), ',');
      if (std::any_of(modules.begin(), modules.end(), is_needed_module)) {
        add_entry(entries, path, 1, word);
      }
    }
  }
  return Fact<bool>::known(no_mode_setting, {path, 1});
}

/// Ubuntu's prime-select keeps on, off or on-demand; SUSE's keeps the name that was chosen.
Fact<std::string> read_prime_select(System& system) {
  const std::string ubuntu = "/etc/prime-discrete";
  const std::string suse = "/etc/prime/current_type";
  const auto text = system.read_at(ubuntu, 0, 256);
  if (text) {
    auto choice = one_line(*text);
    if (choice == "on") choice = "nvidia";
    if (choice == "off") choice = "intel";
    return Fact<std::string>::known(std::move(choice), {ubuntu, 1});
  }
  if (const auto choice = line_of(system, suse)) {
    return Fact<std::string>::known(*choice == "offload" ? "on-demand" : *choice, {suse, 1});
  }
  return without_value<std::string>(text.error(), ubuntu);
}

void collect(System& system, const Scope&, Facts& facts) {
  facts.driver.secure_boot = read_secure_boot(system);
  facts.driver.lockdown = read_lockdown(system);
  std::vector<std::string> entries;
  add_from_modprobe(system, entries, facts.problems);
  facts.driver.nomodeset = add_from_command_line(system, entries);
  facts.driver.blacklisted =
      Fact<std::vector<std::string>>::known(std::move(entries), {"/etc/modprobe.d", 0});
  facts.driver.prime_select = read_prime_select(system);
}

} // namespace

const Collector kModulePolicy{
    "module_policy",
    "/sys/firmware/efi/efivars/SecureBoot-*, /sys/kernel/security/lockdown, "
    "{/etc,/run,/usr/local/lib,/usr/lib,/lib}/modprobe.d/*.conf, /proc/cmdline, "
    "/etc/prime-discrete, "
    "/etc/prime/current_type",
    collect};

} // namespace gpuwhy
