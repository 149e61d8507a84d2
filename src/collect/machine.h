// The collectors that look at the machine: hardware, kernel, containers, the driver's own
// libraries. Truth: loader.md section 3, and the manual pages named where they are used.
#pragma once

#include "base/text.h"
#include "collect/collector.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gpuwhy {

extern const Collector kPlatform;
extern const Collector kPci;
extern const Collector kKernelModules;
extern const Collector kModulePolicy;
extern const Collector kDriverPackage;
extern const Collector kKernelLog;
extern const Collector kDeviceNodes;
extern const Collector kContainer;
extern const Collector kScheduler;
extern const Collector kUserDriver;
extern const Collector kDriverProbes;

/// The first line of a text, without blanks around it, at most 200 bytes, and safe to print.
inline std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 200;
  return printable(trim(text.substr(0, text.find('\n'))).substr(0, kMost));
}

/// The first line of a small file, as procfs and sysfs have them; nothing if it cannot be read or
/// is empty.
inline std::optional<std::string> line_of(System& system, const std::string& path) {
  const auto text = system.read_at(path, 0, 4096);
  if (!text) return std::nullopt;
  auto line = one_line(*text);
  if (line.empty()) return std::nullopt;
  return line;
}

/// Like without_value, but "not there" settles nothing either: the file is there on every machine
/// that shows the thing at all.
template <class T> Fact<T> unsettled(const Unavailable& why, const std::string& where) {
  if (why.kind == Unavailable::Kind::not_looked) return {};
  return Fact<T>::unknown(why.reason, {where, 0});
}

/// Whether a line of the kernel's log is about GPUs, their modules or Secure Boot.
bool is_log_about_gpus(std::string_view line);

/// Whether something is there under `path`, whatever it is.
inline Fact<bool> is_there(System& system, const std::string& path) {
  const auto status = system.status(path);
  if (status) return Fact<bool>::known(true, {path, 0});
  if (status.error().kind == Unavailable::Kind::absent) return Fact<bool>::known(false, {path, 0});
  return unsettled<bool>(status.error(), path);
}

/// The names in a directory; none if it cannot be listed.
inline std::vector<std::string> names_in(System& system, const std::string& directory) {
  std::vector<std::string> names;
  if (auto entries = system.list(directory)) {
    for (auto& entry : *entries) names.push_back(std::move(entry.name));
  }
  return names;
}

/// An environment variable that is set and not empty.
inline std::optional<std::string> variable(System& system, std::string_view name) {
  const auto& environment = system.environment();
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

} // namespace gpuwhy
