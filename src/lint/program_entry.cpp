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
  bool main_guard = false;
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

/// Calls something of a framework when it is run, not only inside functions.
bool works_by_itself(const Module& module) {
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

/// The names of the files that others import: "model" of `from .model import build`.
std::set<std::string, std::less<>> imported_names(const std::vector<Candidate>& candidates) {
  std::set<std::string, std::less<>> names;
  for (const auto& each : candidates) {
    const auto& module = *each.unit->module;
    for (const Kind kind : {Kind::import_statement, Kind::import_from_statement}) {
      for (const NodeId statement : module.tree().all(kind)) {
        for (const auto& name : modules_of_import(module, statement))
          names.insert(name.substr(name.rfind('.') + 1));
      }
    }
  }
  return names;
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

Entry find_entry(System& system, const std::string& folder) {
  LintReport ignored;
  Entry entry;
  const auto targets = find_targets(system, {folder}, {}, ignored);
  if (!targets) return entry;
  std::vector<Candidate> candidates;
  for (const auto& target : *targets) {
    const auto name = base_name(target.below);
    if (!is_program_file(name) || is_test_file(target.below) || name == "setup.py" ||
        candidates.size() >= kMostCandidates)
      continue;
    auto bytes = system.read(target.path, std::size_t{4} << 20U);
    if (!bytes || !can_matter(*bytes)) continue;
    std::vector<ReadNote> notes;
    auto unit = read_python(target.path, std::move(*bytes), notes);
    if (!unit) continue;
    candidates.push_back({target.path, target.below, std::move(*unit), false});
    candidates.back().main_guard = guards_main(*candidates.back().unit->module);
  }
  const auto imported = imported_names(candidates);
  std::erase_if(candidates, [&](const Candidate& each) {
    if (each.main_guard || lower(each.path).ends_with(".ipynb")) return false;
    const auto name = base_name(each.below);
    const auto stem = name.substr(0, name.rfind('.'));
    if (name == "__main__.py") return false;
    return imported.contains(stem) || !works_by_itself(*each.unit->module);
  });
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  for (const auto& each : candidates) {
    if (entry.path.empty()) {
      entry.path = each.path;
    } else {
      entry.others.push_back(each.path);
    }
  }
  return entry;
}

} // namespace gpuwhy::lint
