// Which files are looked at.
#include "lint/lint.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::lint {
namespace {

constexpr std::size_t kMostFiles = 200'000;
constexpr int kDeepestFolder = 64;

constexpr auto kSkippedFolders =
    std::to_array<std::string_view>({"node_modules", "__pycache__", "site-packages",
                                     "dist-packages", "venv", "env", "__pypackages__"});

bool skipped(std::string_view name) {
  return (name.starts_with('.') && name != ".devcontainer" && name != ".github") ||
         std::find(kSkippedFolders.begin(), kSkippedFolders.end(), name) != kSkippedFolders.end();
}

bool of_interest(std::string_view name) {
  const auto lowered = lower(name);
  for (const std::string_view ending : {".py", ".ipynb", ".yml", ".yaml", ".toml", ".txt",
                                        ".sbatch", ".slurm", ".sh", ".lock", ".in", ".pyw"}) {
    if (lowered.ends_with(ending)) return true;
  }
  return lowered.starts_with("dockerfile") || lowered.starts_with("containerfile") ||
         lowered.ends_with(".dockerfile") || lowered == "devcontainer.json" ||
         lowered == ".devcontainer.json";
}

class Walk {
public:
  Walk(System& system, const std::vector<std::string>& exclude, LintReport& report)
      : system_(system), exclude_(exclude), report_(report) {}

  void folder(const std::string& path, const std::string& below, int depth) {
    const auto entries = system_.list(path);
    if (!entries) {
      report_.notes.push_back({path, 0, entries.error().reason});
      return;
    }
    const bool environment =
        std::any_of(entries->begin(), entries->end(), [](const DirectoryEntry& entry) {
          return entry.name == "pyvenv.cfg" || entry.name == "conda-meta";
        });
    if (environment && depth > 0) return;
    for (const auto& entry : *entries) {
      const auto inner = below.empty() ? entry.name : below + "/" + entry.name;
      if (excluded(inner, entry.name) || targets.size() >= kMostFiles) continue;
      if (entry.directory) {
        if (skipped(entry.name)) continue;
        if (depth >= kDeepestFolder) {
          report_.notes.push_back(
              {join_path(path, entry.name), 0, "nested too deep: not looked at"});
          continue;
        }
        folder(join_path(path, entry.name), inner, depth + 1);
      } else if (of_interest(entry.name)) {
        targets.push_back({join_path(path, entry.name), inner});
      }
    }
  }

  std::vector<Target> targets;

private:
  bool excluded(std::string_view below, std::string_view name) const {
    return std::any_of(exclude_.begin(), exclude_.end(), [&](const std::string& pattern) {
      return pattern == name || below == pattern || below.starts_with(pattern + "/") ||
             (pattern.ends_with('/') && below.starts_with(pattern));
    });
  }

  System& system_;
  const std::vector<std::string>& exclude_;
  LintReport& report_;
};

} // namespace

bool is_test_file(std::string_view below) {
  const auto name = base_name(below);
  if ((name.starts_with("test_") || name.ends_with("_test.py") || name.ends_with("_tests.py") ||
       name == "conftest.py" || name == "tests.py") &&
      name.ends_with(".py")) {
    return true;
  }
  const auto parts = split(below, '/');
  for (std::size_t at = 0; at + 1 < parts.size(); ++at) {
    if (parts[at] == "tests" || parts[at] == "test" || parts[at] == "testing" ||
        parts[at] == "testdata" || parts[at] == "benchmark" || parts[at] == "benchmarks") {
      return true;
    }
  }
  return false;
}

Result<std::vector<Target>> find_targets(System& system, const std::vector<std::string>& paths,
                                         const std::vector<std::string>& exclude,
                                         LintReport& report) {
  Walk walk(system, exclude, report);
  for (const auto& path : paths) {
    const auto status = system.status(path);
    if (!status) return fail(status.error().reason);
    if (status->type == FileStatus::Type::directory) {
      walk.folder(path, {}, 0);
    } else {
      walk.targets.push_back({path, std::string(base_name(path))});
    }
  }
  return std::move(walk.targets);
}

} // namespace gpuwhy::lint
