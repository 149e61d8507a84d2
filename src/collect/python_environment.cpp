#include "collect/python_environment.h"

#include "base/text.h"
#include "base/version.h"
#include "collect/site_directories.h"

#include <map>

namespace gpuwhy {
namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

constexpr std::size_t kLargestSettings = 64U << 10U;
constexpr std::size_t kMostParents = 32;

/// pyvenv.cfg beside the interpreter or one directory up; links to the interpreter are not
/// followed.
struct VirtualEnvironment {
  std::string prefix;
  std::string path; // of pyvenv.cfg
  Settings settings;

  std::string get(std::string_view name) const {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string() : found->second;
  }
};

Settings parse_settings(std::string_view text) {
  Settings settings;
  for (const auto line : split_lines(text)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    settings.emplace(lower(trim(line.substr(0, equals))), trim(line.substr(equals + 1)));
  }
  return settings;
}

std::optional<VirtualEnvironment> find_virtual_environment(System& system,
                                                           const std::string& interpreter) {
  const std::string directory(parent_path(interpreter));
  for (const auto& prefix : {directory, std::string(parent_path(directory))}) {
    const auto path = join_path(prefix, "pyvenv.cfg");
    const auto text = system.read(path, kLargestSettings);
    if (!text) continue;
    return VirtualEnvironment{prefix, path, parse_settings(*text)};
  }
  return std::nullopt;
}

/// "3.11" of "python3.11"; empty if the name does not tell.
std::string version_in_name(std::string_view name) {
  for (const std::string_view start : {"python", "pypy"}) {
    if (!name.starts_with(start)) continue;
    const auto version = Version::parse(name.substr(start.size()));
    if (version && version->parts.size() == 2) return version->str();
  }
  return {};
}

bool looks_like_python(std::string_view name) {
  return name.starts_with("python") || name.starts_with("pypy");
}

std::string minor_of(const Version& version) {
  return std::to_string(version.major()) + "." + std::to_string(version.minor());
}

/// "3.11" if `prefix` holds the library of exactly one Python.
std::string version_in_library(System& system, const std::string& prefix) {
  std::string found;
  for (const auto* library : {"/lib", "/lib64"}) {
    const auto entries = system.list(prefix + library);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      const auto version = entry.directory ? version_in_name(entry.name) : std::string();
      if (version.empty() || version == found) continue;
      if (!found.empty()) return {};
      found = version;
    }
    if (!found.empty()) break;
  }
  return found;
}

bool has_library(System& system, const std::string& prefix, const std::string& version) {
  const auto python = "/python" + version + "/os.py";
  return is_file(system, prefix + "/lib" + python) || is_file(system, prefix + "/lib64" + python);
}

/// sys.prefix of an interpreter that is in no virtual environment: the first directory above it
/// that holds the standard library.
std::string find_prefix(System& system, const std::string& executable, const std::string& version) {
  std::string first(parent_path(parent_path(executable)));
  if (version.empty()) return first;
  std::string directory(parent_path(executable));
  for (std::size_t step = 0; step < kMostParents && directory.size() > 1; ++step) {
    if (has_library(system, directory, version)) return directory;
    directory = std::string(parent_path(directory));
  }
  return first;
}

std::string base_of_old_virtualenv(System& system, const std::string& prefix,
                                   const std::string& version) {
  const auto text = system.read(prefix + "/lib/python" + version + "/orig-prefix.txt", 4096);
  return text ? std::string(trim(*text)) : std::string();
}

bool under(std::string_view path, const std::string& directory) {
  return !directory.empty() && path.starts_with(directory + "/");
}

std::string kind_of_prefix(System& system, const std::string& prefix) {
  if (is_directory(system, prefix + "/conda-meta")) return "conda";
  const auto& home = system.identity().home;
  const auto root = variable_value(system, "PYENV_ROOT");
  if (under(prefix, root + "/versions") && !root.empty()) return "pyenv";
  if (contains(prefix, "/.pyenv/versions/")) return "pyenv";
  if (contains(prefix, "/uv/python/")) return "uv";
  if (prefix == "/usr" || prefix == "/usr/local" || prefix == "/") return "system";
  if (under(prefix, home + "/.local/share/uv") && !home.empty()) return "uv";
  return "other";
}

/// The full version, from something that an installer wrote beside the interpreter.
Fact<std::string> full_version(System& system, const std::string& prefix,
                               const std::string& minor) {
  const auto fits = [&](const std::optional<Version>& version) {
    return version && version->parts.size() >= 3 && (minor.empty() || minor_of(*version) == minor);
  };
  // pyenv: versions/3.11.7; uv: cpython-3.11.7-linux-x86_64-gnu
  for (const auto part : split(base_name(prefix), '-')) {
    const auto version = Version::parse(part);
    if (fits(version)) return Fact<std::string>::known(version->str(), {prefix, 0});
  }
  const auto header = prefix + "/include/python" + minor + "/patchlevel.h";
  if (const auto text = system.read(header, kLargestSettings)) {
    int line = 0;
    for (const auto row : split_lines(*text)) {
      ++line;
      constexpr std::string_view kDefine = "#define PY_VERSION";
      const auto quote = row.find('"');
      if (!row.starts_with(kDefine) || quote == std::string_view::npos) continue;
      const auto version = Version::parse(row.substr(quote + 1));
      if (fits(version)) return Fact<std::string>::known(version->str(), {header, line});
    }
  }
  if (const auto entries = system.list(prefix + "/conda-meta")) {
    for (const auto& entry : *entries) {
      if (!entry.name.starts_with("python-")) continue;
      const auto version = Version::parse(std::string_view(entry.name).substr(7));
      if (fits(version))
        return Fact<std::string>::known(version->str(), {prefix + "/conda-meta/" + entry.name, 0});
    }
  }
  return {};
}

Fact<std::string> version_of_venv(const VirtualEnvironment& venv) {
  for (const auto* name : {"version_info", "version"}) {
    if (const auto version = Version::parse(venv.get(name))) {
      return Fact<std::string>::known(version->str(), {venv.path, 0});
    }
  }
  return {};
}

struct Found {
  SiteQuestion question;
  std::string kind;
  Fact<std::string> version;
};

Found examine_venv(System& system, const VirtualEnvironment& venv, const std::string& executable) {
  Found found;
  auto& question = found.question;
  question.prefix = venv.prefix;
  question.virtual_environment = true;
  question.system_site = lower(venv.get("include-system-site-packages")) == "true";
  found.kind = !venv.get("uv").empty()           ? "uv"
               : !venv.get("virtualenv").empty() ? "virtualenv"
                                                 : "venv";
  found.version = version_of_venv(venv);
  if (const auto* known = found.version.get()) {
    question.version = minor_of(Version::parse(*known).value_or(Version{}));
  }
  if (question.version.empty()) question.version = version_in_library(system, venv.prefix);
  if (question.version.empty()) question.version = version_in_name(base_name(executable));
  const auto home = venv.get("home");
  question.base_prefix =
      find_prefix(system, home.empty() ? executable : join_path(home, "python"), question.version);
  return found;
}

Found examine_plain(System& system, const std::string& executable) {
  Found found;
  auto& question = found.question;
  question.version = version_in_name(base_name(executable));
  if (question.version.empty()) {
    question.version =
        version_in_library(system, std::string(parent_path(parent_path(executable))));
  }
  question.prefix = find_prefix(system, executable, question.version);
  question.base_prefix = question.prefix;
  found.kind = kind_of_prefix(system, question.prefix);
  if (question.version.empty()) return found;
  // virtualenv before 20 copied the interpreter and left a note.
  const auto base = base_of_old_virtualenv(system, question.prefix, question.version);
  if (base.empty()) return found;
  question.virtual_environment = true;
  question.base_prefix = base;
  question.system_site = !is_file(system, question.prefix + "/lib/python" + question.version +
                                              "/no-global-site-packages.txt");
  found.kind = "virtualenv";
  return found;
}

/// Nothing if it is one; else what is wrong.
std::string check_interpreter(System& system, PythonEnvironment& python) {
  const auto& path = python.interpreter;
  const auto status = system.status(path);
  if (!status) return status.error().reason;
  const auto real = system.real_path(path);
  python.executable = real ? *real : path;
  const auto head = system.read_at(python.executable, 0, 4);
  if (!head) return head.error().reason;
  if (head->starts_with("#!") && looks_like_python(base_name(path))) {
    return path + ": a script that starts Python; which one is not known";
  }
  const bool named =
      looks_like_python(base_name(path)) && looks_like_python(base_name(python.executable));
  if (*head != "\x7f"
               "ELF" ||
      !named)
    return path + ": not a Python interpreter";
  return {};
}

} // namespace

bool is_program(System& system, const std::string& path) {
  constexpr std::uint32_t kAnyExecute = 0111;
  const auto status = system.status(path);
  return status && status->type == FileStatus::Type::regular && (status->mode & kAnyExecute) != 0;
}

bool is_directory(System& system, const std::string& path) {
  const auto status = system.status(path);
  return status && status->type == FileStatus::Type::directory;
}

bool is_file(System& system, const std::string& path) {
  const auto status = system.status(path);
  return status && status->type == FileStatus::Type::regular;
}

std::optional<std::string> hash_bang(System& system, const std::string& path) {
  const auto head = system.read_at(path, 0, 512);
  if (!head || !head->starts_with("#!")) return std::nullopt;
  return std::string(trim(std::string_view(*head).substr(2, head->find('\n') - 2)));
}

std::string variable_value(System& system, std::string_view name) {
  const auto found = system.environment().find(name);
  return found == system.environment().end() ? std::string() : found->second;
}

PythonEnvironment describe_interpreter(System& system, const std::string& interpreter) {
  PythonEnvironment python;
  python.interpreter = normalize_path(interpreter);
  python.kind = "other";
  python.problem = check_interpreter(system, python);
  if (!python.problem.empty()) return python;

  const auto home = variable_value(system, "PYTHONHOME");
  const auto venv =
      home.empty() ? find_virtual_environment(system, python.interpreter) : std::nullopt;
  auto found = venv ? examine_venv(system, *venv, python.executable)
                    : examine_plain(system, python.executable);
  if (!home.empty()) {
    found.question.prefix = found.question.base_prefix = home.substr(0, home.find(':'));
    found.question.virtual_environment = false;
  }
  python.prefix = found.question.prefix;
  python.kind = found.kind;
  python.version = found.version;
  if (!python.version.known()) {
    python.version = full_version(system, found.question.base_prefix, found.question.version);
  }
  if (!python.version.known() && !found.question.version.empty()) {
    python.version = Fact<std::string>::known(found.question.version, {python.executable, 0});
  }
  if (!python.version.known()) {
    python.version = Fact<std::string>::unknown(
        python.executable + ": nothing beside it tells its version", {python.executable, 0});
    python.problem =
        python.interpreter + ": its version is not known, so neither is where its packages are";
  }
  python.site_directories = site_directories(system, found.question);
  return python;
}

} // namespace gpuwhy
