// Which file of a folder is the program. Nobody has said; names and imports tell.
#include "lint/lint.h"
#include "lint/program.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::lint {
namespace {

using namespace program;

constexpr std::size_t kMostCandidates = 300;

/// The usual names of what is started, the most telling first.
constexpr auto kNames = std::to_array<std::string_view>(
    {"__main__.py", "train.py", "main.py", "run.py", "app.py", "run_training.py"});

struct Candidate {
  std::string path;
  std::string below;
  std::unique_ptr<Unit> unit;
  bool matters = false; // names something of a framework
  bool main_guard = false;
  std::set<std::string, std::less<>> imports; // last names: "model" of `from .model import build`

  std::string_view stem() const {
    const auto name = base_name(below);
    return name.substr(0, name.rfind('.'));
  }
};

bool is_program_file(std::string_view name) {
  const auto lowered = lower(name);
  return lowered.ends_with(".py") || lowered.ends_with(".ipynb") || lowered.ends_with(".pyw");
}

bool guards_main(const Module& module) {
  const auto& tree = module.tree();
  for (const NodeId statement : tree.all(Kind::if_statement)) {
    const auto condition = module.text(tree.child(statement, Field::condition));
    if (contains(condition, "__name__") && contains(condition, "__main__")) return true;
  }
  return false;
}

std::set<std::string, std::less<>> imports_of(const Module& module) {
  std::set<std::string, std::less<>> names;
  for (const Kind kind : {Kind::import_statement, Kind::import_from_statement}) {
    for (const NodeId statement : module.tree().all(kind)) {
      for (const auto& name : modules_of_import(module, statement))
        names.insert(name.substr(name.rfind('.') + 1));
    }
  }
  return names;
}

/// It, or a file that it imports, names something of a framework.
bool matters(const Candidate& candidate, const std::vector<Candidate>& all) {
  return candidate.matters || std::any_of(all.begin(), all.end(), [&](const Candidate& other) {
           return other.matters && candidate.imports.contains(other.stem());
         });
}

bool is_imported(const Candidate& candidate, const std::vector<Candidate>& all) {
  return std::any_of(all.begin(), all.end(), [&](const Candidate& other) {
    return &other != &candidate && other.imports.contains(candidate.stem());
  });
}

bool is_started(const Candidate& candidate, const std::vector<Candidate>& all) {
  if (!matters(candidate, all)) return false;
  if (candidate.main_guard || lower(candidate.path).ends_with(".ipynb") ||
      base_name(candidate.below) == "__main__.py")
    return true;
  return !is_imported(candidate, all) && works_when_started(*candidate.unit->module);
}

/// Smaller is more likely.
std::size_t rank(const Candidate& candidate) {
  const auto name = base_name(candidate.below);
  const auto usual =
      static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
  const auto depth =
      static_cast<std::size_t>(std::count(candidate.below.begin(), candidate.below.end(), '/'));
  const bool trains = contains(lower(name), "train") || contains(lower(name), "main");
  return (usual < kNames.size() ? usual : trains ? 10 : 20) + depth * 40;
}

} // namespace

bool works_when_started(const Module& module) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.function(call) != kNoNode) continue;
    const auto& name = module.callee(call);
    for (const std::string_view root : {"tensorflow", "keras", "torch", "jax"}) {
      if (begins_with_name(name, root)) return true;
    }
    if (module.called_name(call) == "fit" || module.called_name(call) == "train") return true;
  }
  return false;
}

Entry find_entry(System& system, const std::string& folder) {
  LintReport ignored;
  Entry entry;
  const auto absolute = normalize_path(join_path(system.identity().working_directory, folder));
  const auto targets = find_targets(system, {absolute}, {}, ignored);
  if (!targets) return entry;
  std::vector<Candidate> candidates;
  for (const auto& target : *targets) {
    const auto name = base_name(target.below);
    if (!is_program_file(name) || is_test_file(target.below) || name == "setup.py" ||
        candidates.size() >= kMostCandidates)
      continue;
    auto bytes = system.read(target.path, std::size_t{4} << 20U);
    if (!bytes) continue;
    const bool names_framework = can_matter(*bytes);
    std::vector<ReadNote> notes;
    auto unit = read_python(target.path, std::move(*bytes), notes);
    if (!unit) continue;
    const auto& module = *(*unit)->module;
    const bool guard = guards_main(module);
    auto imports = imports_of(module);
    candidates.push_back({normalize_path(join_path(folder, target.below)), target.below,
                          std::move(*unit), names_framework, guard, std::move(imports)});
  }
  std::vector<const Candidate*> started;
  for (const auto& each : candidates) {
    if (is_started(each, candidates)) started.push_back(&each);
  }
  std::stable_sort(started.begin(), started.end(),
                   [](const Candidate* a, const Candidate* b) { return rank(*a) < rank(*b); });
  for (const auto* each : started) {
    if (entry.path.empty()) {
      entry.path = each->path;
    } else {
      entry.others.push_back(each->path);
    }
  }
  return entry;
}

} // namespace gpuwhy::lint
