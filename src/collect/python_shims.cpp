#include "collect/python_shims.h"

#include "base/text.h"
#include "base/version.h"
#include "collect/python_environment.h"

#include <optional>
#include <vector>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestVersionFile = 4096;
constexpr std::size_t kMostParents = 64;

struct Choice {
  std::vector<std::string> names; // first one that has the program wins
  std::string because;
};

std::string pyenv_root(System& system, const std::string& shim) {
  auto root = variable_value(system, "PYENV_ROOT");
  return root.empty() ? std::string(parent_path(parent_path(shim))) : root;
}

std::optional<Choice> read_version_file(System& system, const std::string& path) {
  const auto text = system.read(path, kLargestVersionFile);
  if (!text) return std::nullopt;
  Choice choice;
  choice.because = path;
  for (const auto line : split_lines(*text)) {
    for (const auto word : split(trim(line.substr(0, line.find('#'))), ' ')) {
      // A name with a slash would lead out of the versions directory; pyenv refuses it as well.
      if (!word.empty() && !contains(word, "/") && word != "..") choice.names.emplace_back(word);
    }
  }
  if (choice.names.empty()) return std::nullopt;
  return choice;
}

Choice chosen_versions(System& system, const std::string& root) {
  if (const auto given = variable_value(system, "PYENV_VERSION"); !given.empty()) {
    Choice choice{{}, "$PYENV_VERSION"};
    for (const auto name : split(given, ':')) {
      if (!name.empty() && !contains(name, "/") && name != "..") choice.names.emplace_back(name);
    }
    return choice;
  }
  std::string directory = system.identity().working_directory;
  for (std::size_t step = 0; step < kMostParents && directory.starts_with('/'); ++step) {
    if (auto choice = read_version_file(system, join_path(directory, ".python-version")))
      return *choice;
    if (directory == "/") break;
    directory = std::string(parent_path(directory));
  }
  if (auto choice = read_version_file(system, root + "/version")) return *choice;
  return {{"system"}, root + "/version"};
}

/// "3.11" stands for the newest 3.11.x that is installed.
std::string newest_matching(System& system, const std::string& versions, const std::string& name) {
  const auto entries = system.list(versions);
  if (!entries) return {};
  std::string best;
  Version best_version;
  for (const auto& entry : *entries) {
    const auto version = Version::parse(entry.name);
    if (!entry.name.starts_with(name + ".") || !version || version->str() != entry.name) continue;
    if (!best.empty() && *version < best_version) continue;
    best = entry.name;
    best_version = *version;
  }
  return best;
}

} // namespace

bool is_pyenv_shim(System& system, const std::string& path) {
  if (base_name(parent_path(path)) != "shims") return false;
  const auto head = system.read_at(path, 0, 2048);
  return head && head->starts_with("#!") && contains(*head, "pyenv");
}

ShimTarget resolve_pyenv_shim(System& system, const std::string& path) {
  const auto root = pyenv_root(system, path);
  const auto versions = root + "/versions";
  const auto choice = chosen_versions(system, root);
  ShimTarget target;
  target.because = choice.because;
  for (const auto& name : choice.names) {
    if (name == "system") {
      target.system = true;
      return target;
    }
    auto directory = join_path(versions, name);
    if (!is_directory(system, directory)) {
      directory = join_path(versions, newest_matching(system, versions, name));
    }
    const auto program = directory + "/bin/" + std::string(base_name(path));
    if (!is_program(system, program)) continue;
    target.path = program;
    return target;
  }
  return target;
}

} // namespace gpuwhy
