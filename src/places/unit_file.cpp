#include "places/unit_file.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargestUnit = 1U << 20U;
constexpr std::size_t kMostDropIns = 200;
constexpr std::size_t kMostAliases = 20;
constexpr std::size_t kMostNames = 2'000;
constexpr std::string_view kSuffix = ".service";

/// A link to /dev/null, or an empty file, masks.
bool masks(System& system, const std::string& path) {
  const auto target = system.read_link(path);
  if (target && *target == "/dev/null") return true;
  const auto status = system.status(path);
  return status && status->type == FileStatus::Type::regular && status->size == 0;
}

/// Names under which drop-ins are looked for, the most specific first: systemd.unit(5).
std::vector<std::string> drop_in_names(const UnitName& name) {
  std::vector<std::string> names{name.whole};
  std::string stem = name.stem;
  if (name.templated) {
    stem = name.prefix;
    names.push_back(name.prefix + "@" + std::string(kSuffix));
  }
  for (auto dash = stem.rfind('-'); dash != std::string::npos && dash > 0;
       dash = stem.rfind('-', dash - 1)) {
    if (dash + 1 < stem.size() || names.size() > 1)
      names.push_back(stem.substr(0, dash + 1) + std::string(kSuffix));
    if (names.size() > 16) break;
  }
  names.emplace_back("service");
  return names;
}

/// Links from one unit file to another are names of one unit, and what is dropped in for any of
/// them counts.
std::vector<std::string> aliases(System& system, const std::string& path, std::string_view file,
                                 const std::vector<std::string>& folders) {
  std::vector<std::string> names;
  const std::string real(base_name(system.real_path(path).value_or(path)));
  if (real != file && real.ends_with(kSuffix)) names.push_back(real);
  for (const auto& folder : folders) {
    const auto entries = system.list(folder);
    for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      if (entry.directory || entry.name == file || !entry.name.ends_with(kSuffix)) continue;
      const auto target = system.read_link(join_path(folder, entry.name));
      if (target && base_name(*target) == real && names.size() < kMostAliases)
        names.push_back(entry.name);
    }
  }
  return names;
}

void add_drop_ins(System& system, const std::vector<std::string>& names,
                  const std::vector<std::string>& folders, Unit& unit) {
  std::map<std::string, std::string> files; // by name, in the order in which they are read
  for (const auto& name : names) {
    for (const auto& folder : folders) {
      const auto directory = folder + "/" + name + ".d";
      const auto entries = system.list(directory);
      for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
        if (entry.name.ends_with(".conf") && files.size() < kMostDropIns)
          files.emplace(entry.name, join_path(directory, entry.name));
      }
    }
  }
  for (const auto& [name, path] : files) {
    if (masks(system, path)) continue;
    const auto text = system.read(path, kLargestUnit);
    if (!text) continue;
    auto settings = parse_unit(*text, path);
    unit.settings.insert(unit.settings.end(), settings.begin(), settings.end());
  }
}

} // namespace

std::optional<UnitName> UnitName::parse(std::string_view text) {
  UnitName name;
  if (text.empty() || text.size() > 255 || contains(text, "/") || text.front() == '.')
    return std::nullopt;
  name.stem = text.ends_with(kSuffix) ? text.substr(0, text.size() - kSuffix.size()) : text;
  if (name.stem.empty()) return std::nullopt;
  name.whole = name.stem + std::string(kSuffix);
  name.prefix = name.stem.substr(0, name.stem.find('@'));
  name.templated = name.prefix.size() < name.stem.size();
  if (name.prefix.empty()) return std::nullopt;
  if (name.templated) name.instance = name.stem.substr(name.prefix.size() + 1);
  return name;
}

std::optional<Unit> find_unit(System& system, const UnitName& name,
                              const std::vector<std::string>& folders) {
  Unit unit;
  unit.name = name;
  std::vector<std::string> files{name.whole};
  if (name.templated && !name.instance.empty())
    files.push_back(name.prefix + "@" + std::string(kSuffix));
  auto names = drop_in_names(name);
  for (const auto& file : files) {
    for (const auto& folder : folders) {
      const auto path = folder + "/" + file;
      if (!system.status_of_link(path)) continue;
      if (masks(system, path)) {
        unit.masked = path;
        return unit;
      }
      const auto text = system.read(path, kLargestUnit);
      if (!text) continue;
      unit.path = path;
      unit.settings = parse_unit(*text, path);
      for (const auto& alias : aliases(system, path, file, folders)) {
        const auto parsed = UnitName::parse(alias);
        for (auto& each : parsed ? drop_in_names(*parsed) : std::vector<std::string>())
          names.push_back(std::move(each));
      }
      add_drop_ins(system, names, folders, unit);
      return unit;
    }
  }
  return std::nullopt;
}

std::vector<std::string> system_unit_folders() {
  return {"/etc/systemd/system.control", "/run/systemd/system.control",
          "/run/systemd/transient",      "/run/systemd/generator.early",
          "/etc/systemd/system",         "/etc/systemd/system.attached",
          "/run/systemd/system",         "/run/systemd/system.attached",
          "/run/systemd/generator",      "/usr/local/lib/systemd/system",
          "/lib/systemd/system",         "/usr/lib/systemd/system",
          "/run/systemd/generator.late"};
}

std::vector<std::string> user_unit_folders(const std::string& home) {
  return {home + "/.config/systemd/user.control",
          home + "/.config/systemd/user",
          "/etc/xdg/systemd/user",
          "/etc/systemd/user",
          "/run/systemd/user",
          home + "/.local/share/systemd/user",
          "/usr/local/share/systemd/user",
          "/usr/share/systemd/user",
          "/usr/local/lib/systemd/user",
          "/usr/lib/systemd/user"};
}

std::vector<std::string> unit_names(System& system, const std::vector<std::string>& folders) {
  std::set<std::string> names;
  for (const auto& folder : folders) {
    const auto entries = system.list(folder);
    for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      if (entry.name.ends_with(kSuffix) && names.size() < kMostNames) names.insert(entry.name);
    }
  }
  return {names.begin(), names.end()};
}

} // namespace gpuwhy::places
