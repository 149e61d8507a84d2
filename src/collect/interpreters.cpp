// Which Python environments exist, and which one would run the program. Nothing is run: a shell's
// search of PATH, the #! line, and the files by which pyenv, venv, uv and conda know their
// interpreters tell it.
#include "base/text.h"
#include "collect/python_environment.h"
#include "collect/python_shims.h"
#include "collect/site_directories.h"
#include "collect/software.h"

#include <array>
#include <optional>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostEnvironments = 64;
constexpr std::size_t kMostOnPath = 128;  // directories
constexpr std::size_t kMostInFolder = 64; // environments below one directory
constexpr std::array<std::string_view, 2> kNames = {"python3", "python"};
constexpr int kOldestMinor = 8;
constexpr int kNewestMinor = 15;

std::string in_working_directory(System& system, std::string_view path) {
  return normalize_path(join_path(system.identity().working_directory, path));
}

class Finder {
public:
  Finder(System& system, const Scope& scope, Facts& facts)
      : system_(system), scope_(scope), facts_(facts) {
    std::set<std::string> known;
    const auto path = variable_value(system, "PATH");
    for (const auto element : split(path, ':')) {
      if (path_.size() >= kMostOnPath) break;
      auto directory =
          in_working_directory(system, element); // an empty element is the working directory
      if (known.insert(directory).second) path_.push_back(std::move(directory));
    }
  }

  void run() {
    if (!scope_.python.empty()) {
      const bool asked = scope_.chosen_by.empty();
      add(interpreter_of(scope_.python), asked ? "--python" : scope_.chosen_by, true);
      if (!asked) add_others();
    } else {
      select();
      add_others();
    }
    if (scope_.all_environments) add_everywhere();
  }

private:
  void add_others() {
    add_activated();
    add_beside();
    add_on_path();
  }

  /// An interpreter that a name leads to, and why it is that one where a shim decided.
  struct Target {
    std::string path;
    std::string because;
  };

  /// An interpreter, or the directory of an environment that holds one, or a name on PATH.
  std::string interpreter_of(const std::string& given) {
    auto path = in_working_directory(system_, given);
    if (!contains(given, "/") && !system_.status(path)) {
      for (const auto& directory : path_) {
        if (const auto target = program_in(directory, given)) return target->path;
      }
    }
    if (!is_directory(system_, path)) return path;
    for (const auto name : kNames) {
      auto program = path + "/bin/" + std::string(name);
      if (system_.status(program)) return program;
    }
    return path + "/bin/python";
  }

  /// The program `name` of one directory of PATH, as a shell would start it there; nothing if it
  /// would look further.
  std::optional<Target> program_in(const std::string& directory, std::string_view name) {
    const auto path = join_path(directory, name);
    if (!is_program(system_, path)) return std::nullopt;
    if (!is_pyenv_shim(system_, path)) return Target{path, {}};
    const auto shim = resolve_pyenv_shim(system_, path);
    if (shim.path.empty()) return std::nullopt;
    return Target{shim.path, ", pyenv by " + shim.because};
  }

  std::optional<Target> first_on_path(const std::vector<std::string_view>& names) {
    for (const auto& directory : path_) {
      for (const auto name : names) {
        if (auto target = program_in(directory, name)) return target;
      }
    }
    return std::nullopt;
  }

  void select() {
    if (by_hash_bang()) return;
    const auto target = first_on_path({kNames.begin(), kNames.end()});
    if (!target) return;
    add(target->path, "$PATH" + target->because, true);
    if (facts_.pythons.empty()) return;
    auto& selected = facts_.pythons.front();
    for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
      const auto value = variable_value(system_, name);
      if (!value.empty() && same_directory(value, selected.prefix))
        selected.chosen_by = "$" + std::string(name);
      if (selected.chosen_by.starts_with("$V")) break;
    }
  }

  /// A script that may be executed names its interpreter itself; `python SCRIPT` would pass over
  /// that, but then the line is still what its author meant.
  bool by_hash_bang() {
    const auto program = in_working_directory(system_, scope_.program);
    if (scope_.program.empty() || !is_program(system_, program)) return false;
    const auto line = hash_bang(system_, program);
    if (!line) return false;
    const auto chosen_by = "shebang of " + std::string(base_name(program));
    const auto words = split(*line, ' ');
    if (base_name(words.front()) != "env") {
      if (!base_name(words.front()).starts_with("python")) return false;
      const auto path = in_working_directory(system_, words.front());
      if (!system_.status(path)) {
        facts_.problems.push_back(program + ": its #! line names " + printable(path) +
                                  ", which is not there");
        return false;
      }
      add(path, chosen_by, true);
      return true;
    }
    for (std::size_t at = 1; at < words.size(); ++at) {
      if (words[at].empty() || words[at].starts_with('-') || contains(words[at], "=")) continue;
      if (!words[at].starts_with("python")) return false;
      const auto target = first_on_path({words[at]});
      if (!target) return false;
      add(target->path, chosen_by + target->because, true);
      return true;
    }
    return false;
  }

  /// Environments that the shell says are active, whatever PATH says.
  void add_activated() {
    for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
      const auto value = variable_value(system_, name);
      if (!value.empty())
        add_environment(in_working_directory(system_, value), "$" + std::string(name));
    }
  }

  void add_beside() {
    const auto& here = system_.identity().working_directory;
    std::vector<std::pair<std::string, std::string>> places = {{here, "found in ."}};
    if (!scope_.program.empty()) {
      const auto program = in_working_directory(system_, scope_.program);
      const bool directory = is_directory(system_, program);
      places.emplace_back(directory ? program : std::string(parent_path(program)),
                          "found beside " + std::string(base_name(program)));
    }
    for (const auto& [directory, chosen_by] : places) {
      for (const auto* name : {".venv", "venv", "env"}) {
        const auto prefix = join_path(directory, name);
        if (is_file(system_, prefix + "/pyvenv.cfg") ||
            is_directory(system_, prefix + "/conda-meta")) {
          add_environment(prefix, chosen_by);
        }
      }
    }
  }

  void add_on_path() {
    std::vector<std::string> names(kNames.begin(), kNames.end());
    for (int minor = kNewestMinor; minor >= kOldestMinor; --minor) {
      names.push_back("python3." + std::to_string(minor));
    }
    for (const auto& directory : path_) {
      for (const auto& name : names) {
        if (const auto target = program_in(directory, name))
          add(target->path, "$PATH" + target->because, false);
      }
    }
  }

  void add_everywhere() {
    const auto& home = system_.identity().home;
    auto pyenv = variable_value(system_, "PYENV_ROOT");
    if (pyenv.empty()) pyenv = home + "/.pyenv";
    std::vector<std::string> folders = {
        pyenv + "/versions", home + "/.virtualenvs", home + "/.local/share/uv/python",
        home + "/.local/share/virtualenvs", home + "/.cache/pypoetry/virtualenvs"};
    for (const auto& conda : {home + "/miniconda3", home + "/anaconda3", home + "/miniforge3",
                              home + "/mambaforge", home + "/micromamba", std::string("/opt/conda"),
                              std::string("/opt/miniconda3"), std::string("/opt/anaconda3")}) {
      if (!is_directory(system_, conda)) continue;
      add_environment(conda, "found in " + std::string(parent_path(conda)));
      folders.push_back(conda + "/envs");
    }
    folders.push_back(home + "/.conda/envs");
    for (const auto& folder : folders) {
      const auto entries = system_.list(folder);
      if (!entries) continue;
      std::size_t count = 0;
      for (const auto& entry : *entries) {
        if (++count > kMostInFolder) break;
        add_environment(join_path(folder, entry.name), "found in " + folder);
      }
    }
    const auto list = home + "/.conda/environments.txt";
    if (const auto text = system_.read(list, 64U << 10U)) {
      for (const auto line : split_lines(*text)) {
        if (trim(line).starts_with('/'))
          add_environment(std::string(trim(line)), "listed in " + list);
      }
    }
  }

  void add_environment(const std::string& prefix, const std::string& chosen_by) {
    for (const auto* name : {"/bin/python", "/bin/python3"}) {
      if (!is_program(system_, prefix + name)) continue;
      add(prefix + name, chosen_by, false);
      return;
    }
  }

  void add(const std::string& interpreter, const std::string& chosen_by, bool selected) {
    if (facts_.pythons.size() >= kMostEnvironments || !seen_.insert(interpreter).second) return;
    auto python = describe_interpreter(system_, interpreter);
    if (!selected && !python.problem.empty() && python.prefix.empty()) return;
    // One environment has many names: python, python3, /bin, /usr/bin. Another version has other
    // packages.
    const auto real = system_.real_path(python.prefix);
    const auto version = python.version.value_or("");
    const auto key = (real ? *real : python.prefix) + " " + version;
    if (!python.prefix.empty() && !environments_.insert(key).second) return;
    python.chosen_by = chosen_by;
    python.selected = selected;
    if (selected && !scope_.sys_path.empty())
      python.site_directories = existing_directories(system_, scope_.sys_path);
    facts_.pythons.push_back(std::move(python));
  }

  bool same_directory(const std::string& left, const std::string& right) {
    const auto a = system_.status(left);
    const auto b = system_.status(right);
    return a && b && a->device == b->device && a->inode == b->inode;
  }

  System& system_;
  const Scope& scope_;
  Facts& facts_;
  std::vector<std::string> path_;
  std::set<std::string> seen_;         // interpreters
  std::set<std::string> environments_; // prefix and version
};

void collect(System& system, const Scope& scope, Facts& facts) {
  Finder(system, scope, facts).run();
}

} // namespace

const Collector kInterpreters{"interpreters",
                              "$PATH, $VIRTUAL_ENV, $CONDA_PREFIX, $PYENV_VERSION, "
                              ".python-version, pyvenv.cfg, *.pth, the program's #! line",
                              collect};

} // namespace gpuwhy
