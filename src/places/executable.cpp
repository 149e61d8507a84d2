#include "places/executable.h"

#include "base/text.h"

namespace gpuwhy::places {
namespace {

constexpr std::size_t kMostOnPath = 128;
constexpr std::string_view kUsualPath = "/usr/local/bin:/usr/bin:/bin"; // where PATH is not set

bool is_executable(System& system, const std::string& path) {
  const auto status = system.status(path);
  return status && status->type == FileStatus::Type::regular && (status->mode & 0111U) != 0;
}

std::string path_of(const Environment& environment) {
  const auto found = environment.find("PATH");
  return found == environment.end() ? std::string(kUsualPath) : found->second;
}

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 && !word.starts_with('-') &&
         !contains(word.substr(0, equals), "/");
}

} // namespace

bool is_python_name(std::string_view path) {
  const auto name = base_name(path);
  return name.starts_with("python") || name.starts_with("pypy");
}

std::string find_program(System& system, std::string_view name, std::string_view path) {
  if (name.empty()) return {};
  const auto& here = system.identity().working_directory;
  if (contains(name, "/")) return normalize_path(join_path(here, name));
  std::size_t count = 0;
  for (const auto directory : split(path, ':')) {
    if (++count > kMostOnPath) break;
    auto candidate = normalize_path(join_path(join_path(here, directory), name));
    if (is_executable(system, candidate)) return candidate;
  }
  return {};
}

std::string python_of_script(System& system, const std::string& script) {
  const auto head = system.read_at(script, 0, 1024);
  if (!head || !head->starts_with("#!")) return {};
  const auto end = head->find('\n');
  const auto line = std::string(
      trim(std::string_view(*head).substr(2, end == std::string::npos ? end : end - 2)));
  const auto words = split(line, ' ');
  if (is_python_name(words.front()) && words.front().starts_with('/'))
    return std::string(words.front());
  // pip writes "#!/bin/sh" and, on the next line, '''exec' /path/python "$0" "$@" where a path is
  // too long or has a blank.
  if (end != std::string::npos && words.front().ends_with("/sh")) {
    auto next = std::string_view(*head).substr(end + 1);
    next = next.substr(0, next.find('\n'));
    constexpr std::string_view kExec = "'''exec' ";
    if (!next.starts_with(kExec)) return {};
    next.remove_prefix(kExec.size());
    const bool quoted = next.starts_with('"');
    if (quoted) next.remove_prefix(1);
    const auto python = next.substr(0, next.find(quoted ? '"' : ' '));
    if (python.starts_with('/') && is_python_name(python)) return std::string(python);
  }
  return {};
}

StartedPython started_python(System& system, const std::vector<std::string>& words,
                             const Environment& environment) {
  StartedPython started;
  Environment variables = environment;
  std::size_t at = 0;
  if (!words.empty() && base_name(words.front()) == "env") {
    for (at = 1; at < words.size(); ++at) {
      if (!is_assignment(words[at])) {
        if (!words[at].starts_with('-')) break;
        if (words[at] == "-u" || words[at] == "-C") ++at;
        continue;
      }
      const auto equals = words[at].find('=');
      started.variables.emplace_back(words[at].substr(0, equals), words[at].substr(equals + 1));
      variables[started.variables.back().first] = started.variables.back().second;
    }
  }
  if (at >= words.size()) {
    started.problem = "starts no program";
    return started;
  }
  const auto program = find_program(system, words[at], path_of(variables));
  if (program.empty()) {
    started.problem = "starts " + printable(words[at]) + ", which is not on its PATH";
  } else if (is_python_name(program)) {
    started.interpreter = program;
  } else if (auto python = python_of_script(system, program); !python.empty()) {
    started.interpreter = std::move(python);
  } else {
    const auto script = system.read_at(program, 0, 256);
    const bool by_env = script && script->starts_with("#!") && contains(*script, "env python");
    const auto found = by_env ? find_program(system, "python3", path_of(variables)) : std::string();
    if (!found.empty()) {
      started.interpreter = found;
    } else {
      started.problem = "starts " + printable(program) + ": which Python that runs is not known; " +
                        "name it with --python PATH";
    }
  }
  return started;
}

} // namespace gpuwhy::places
