// Operating system: os-release(5), uname, and the package manager that goes with it.
#include "collect/machine.h"

#include <array>
#include <map>

namespace gpuwhy {
namespace {

/// A value of os-release(5): shell quoting without expansion.
std::string unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') ||
      text.back() != text.front()) {
    return one_line(text);
  }
  const bool escapes = text.front() == '"';
  text = text.substr(1, text.size() - 2);
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return one_line(value);
}

void collect_distribution(System& system, Platform& platform) {
  const std::string etc = "/etc/os-release";
  std::string path = etc;
  auto text = system.read(path, 64U << 10U);
  if (!text && text.error().kind == Unavailable::Kind::absent) {
    path = "/usr/lib/os-release";
    text = system.read(path, 64U << 10U);
  }
  if (!text) {
    const auto fact = without_value<std::string>(text.error(), etc);
    platform.distribution_id = platform.distribution_version = platform.distribution_name = fact;
    return;
  }
  const auto missing = Fact<std::string>::absent({path, 0}, path + ": has no such line");
  platform.distribution_id = platform.distribution_version = platform.distribution_name = missing;
  int line = 0;
  for (const auto entry : split_lines(*text)) {
    ++line;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const auto key = trim(entry.substr(0, equals));
    auto* fact = key == "ID"            ? &platform.distribution_id
                 : key == "VERSION_ID"  ? &platform.distribution_version
                 : key == "PRETTY_NAME" ? &platform.distribution_name
                                        : nullptr;
    if (fact == nullptr) continue;
    *fact = Fact<std::string>::known(unquoted(entry.substr(equals + 1)), {path, line});
  }
}

struct Manager {
  std::string_view name;
  std::string_view program;
};

constexpr std::array kManagers{
    Manager{"apt", "/usr/bin/apt-get"},   Manager{"dnf", "/usr/bin/dnf"},
    Manager{"dnf", "/usr/bin/microdnf"},  Manager{"yum", "/usr/bin/yum"},
    Manager{"zypper", "/usr/bin/zypper"}, Manager{"pacman", "/usr/bin/pacman"},
    Manager{"apk", "/sbin/apk"},
};

/// By distribution first: dnf and pacman can be installed beside apt.
std::string package_manager(System& system, const Platform& platform) {
  static const std::map<std::string_view, std::string_view> kByDistribution{
      {"debian", "apt"},
      {"ubuntu", "apt"},
      {"linuxmint", "apt"},
      {"pop", "apt"},
      {"fedora", "dnf"},
      {"rocky", "dnf"},
      {"almalinux", "dnf"},
      {"arch", "pacman"},
      {"manjaro", "pacman"},
      {"opensuse-leap", "zypper"},
      {"opensuse-tumbleweed", "zypper"},
      {"sles", "zypper"},
      {"alpine", "apk"},
  };
  if (const auto* id = platform.distribution_id.get()) {
    const auto found = kByDistribution.find(*id);
    if (found != kByDistribution.end()) return std::string(found->second);
  }
  for (const auto& manager : kManagers) {
    if (system.status(std::string(manager.program))) return std::string(manager.name);
  }
  return {};
}

void collect(System& system, const Scope&, Facts& facts) {
  const auto& identity = system.identity();
  facts.platform.machine = identity.machine;
  facts.platform.kernel_release = identity.kernel_release;
  facts.platform.working_directory = identity.working_directory;
  collect_distribution(system, facts.platform);
  facts.platform.package_manager = package_manager(system, facts.platform);
}

} // namespace

const Collector kPlatform{"platform", "/etc/os-release, uname", collect};

} // namespace gpuwhy
