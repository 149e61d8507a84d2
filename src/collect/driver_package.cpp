// Which package brought the driver, so that advice can name it. Package databases are read as
// files: no package manager is run. Truth: dpkg-query(1), the layout of pacman's local database,
// and what nvidia-installer leaves behind.
#include "collect/machine.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

using Package = Fact<std::string>;

/// Packages that mean "a driver is installed", the most telling first.
constexpr std::array<std::string_view, 7> kDriverPackages{
    "nvidia-driver",  "nvidia-open",        "nvidia-headless", "cuda-drivers",
    "nvidia-kernel-", "libnvidia-compute-", "libcuda1"};

std::size_t rank_of(std::string_view name) {
  const auto found =
      std::find_if(kDriverPackages.begin(), kDriverPackages.end(),
                   [&](std::string_view prefix) { return name.starts_with(prefix); });
  return static_cast<std::size_t>(found - kDriverPackages.begin());
}

/// The value of "KEY: value" in a stanza of dpkg's status file.
std::string_view field(std::string_view stanza, std::string_view key) {
  for (const auto line : split_lines(stanza)) {
    if (line.starts_with(key) && line.substr(key.size()).starts_with(": ")) {
      return trim(line.substr(key.size() + 2));
    }
  }
  return {};
}

/// The file is megabytes long: it is read only if dpkg has file lists of such a package. A package
/// that was removed keeps its stanza, so the status decides.
std::optional<Package> from_dpkg(System& system) {
  const std::string lists = "/var/lib/dpkg/info";
  std::vector<std::string> candidates;
  for (const auto& file : names_in(system, lists)) {
    if (!file.ends_with(".list")) continue;
    const auto name = file.substr(0, std::min(file.find(':'), file.size() - 5));
    if (rank_of(name) < kDriverPackages.size()) candidates.push_back(name);
  }
  if (candidates.empty()) return std::nullopt;
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& left, const auto& right) {
    return std::pair(rank_of(left), left.size()) < std::pair(rank_of(right), right.size());
  });
  const std::string path = "/var/lib/dpkg/status";
  const auto status = system.read(path, 24U << 20U);
  if (!status) return Package::unknown(status.error().reason, {path, 0});
  const std::string text = "\n" + *status;
  for (const auto& name : candidates) {
    const auto start = text.find("\nPackage: " + name + "\n");
    if (start == std::string::npos) continue;
    const auto stanza = std::string_view(text).substr(start, text.find("\n\n", start) - start);
    if (!field(stanza, "Status").ends_with(" installed")) continue;
    return Package::known(one_line(name + " " + std::string(field(stanza, "Version")) + " (dpkg)"),
                          {path, 0});
  }
  return std::nullopt;
}

/// "nvidia-open-580.95.05-2" -> "nvidia-open 580.95.05-2"; the name ends before the last two
/// dashes.
std::optional<Package> from_pacman(System& system) {
  const std::string database = "/var/lib/pacman/local";
  std::optional<std::string> best;
  for (const auto& entry : names_in(system, database)) {
    const auto release = entry.rfind('-');
    if (!entry.starts_with("nvidia-") || release == std::string::npos || release == 0) continue;
    const auto version = entry.rfind('-', release - 1);
    if (version == std::string::npos) continue;
    const auto name = entry.substr(0, version);
    constexpr std::array<std::string_view, 7> kNames{
        "nvidia",     "nvidia-open",     "nvidia-dkms", "nvidia-open-dkms",
        "nvidia-lts", "nvidia-open-lts", "nvidia-utils"};
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) continue;
    const bool utilities_only = name == "nvidia-utils";
    if (best && utilities_only) continue;
    best = name + " " + entry.substr(version + 1) + " (pacman)";
  }
  if (!best) return std::nullopt;
  return Package::known(one_line(*best), {database, 0});
}

/// The first name in `directory` with one of the prefixes.
std::optional<std::string> named(System& system, const std::string& directory,
                                 const std::vector<std::string_view>& prefixes) {
  for (const auto& name : names_in(system, directory)) {
    for (const auto prefix : prefixes) {
      if (name.starts_with(prefix)) return name;
    }
  }
  return std::nullopt;
}

/// The database is binary; packages leave directories named for them under /usr/share.
std::optional<Package> from_rpm(System& system) {
  const std::vector<std::string_view> names{"nvidia-driver", "xorg-x11-drv-nvidia",
                                            "nvidia-open",   "akmod-nvidia",
                                            "kmod-nvidia",   "nvidia-video-G"};
  for (const char* directory :
       {"/usr/share/doc", "/usr/share/licenses", "/usr/share/doc/packages"}) {
    if (const auto name = named(system, directory, names)) {
      return Package::known(one_line(*name + " (rpm)"), {join_path(directory, *name), 0});
    }
  }
  return std::nullopt;
}

void collect(System& system, const Scope&, Facts& facts) {
  auto& package = facts.driver.installed_package;
  bool any_database = false;
  const auto exists = [&](const char* path) {
    const bool there = system.status(path).has_value();
    any_database = any_database || there;
    return there;
  };
  std::optional<Package> found;
  if (exists("/var/lib/dpkg/status")) found = from_dpkg(system);
  if (!found && exists("/var/lib/pacman/local")) found = from_pacman(system);
  if (!found && exists("/var/db/pkg/x11-drivers")) {
    if (const auto name = named(system, "/var/db/pkg/x11-drivers", {"nvidia-drivers-"})) {
      found = Package::known(one_line(*name + " (portage)"), {"/var/db/pkg/x11-drivers", 0});
    }
  }
  const bool rpm = exists("/var/lib/rpm") || exists("/usr/lib/sysimage/rpm");
  if (!found && rpm) found = from_rpm(system);
  const std::string uninstaller = "/usr/bin/nvidia-uninstall";
  if (!found && system.status(uninstaller)) {
    found = Package::known("NVIDIA's own installer (.run)", {uninstaller, 0});
  }
  if (found) {
    package = std::move(*found);
  } else if (rpm) {
    package = Package::unknown("the rpm database cannot be read without rpm", {"/var/lib/rpm", 0});
  } else if (any_database) {
    package = Package::absent({"package databases", 0}, "no package of a driver is installed");
  } else {
    const auto status = system.status("/var/lib/dpkg/status");
    package = status ? Package() : unsettled<std::string>(status.error(), "package databases");
  }
}

} // namespace

const Collector kDriverPackage{"driver_package",
                               "/var/lib/dpkg/{info,status}, /var/lib/pacman/local, "
                               "/var/db/pkg/x11-drivers, /usr/share/{doc,licenses} on rpm systems, "
                               "/usr/bin/nvidia-uninstall",
                               collect};

} // namespace gpuwhy
