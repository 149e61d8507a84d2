// The findings in a program's files, as far as the program gets there: a function that nobody of
// its files names does not run, and what an imported file does as a main program does not either.
#include "lint/lint.h"
#include "lint/program.h"

#include "base/text.h"
#include "program/frameworks.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace gpuwhy::lint {
namespace {

using namespace program;

/// Functions and classes that are named by what runs.
class Reached {
public:
  explicit Reached(const Project& project) : project_(project) {
    for (const auto& unit : project.files) index(*unit);
    for (const auto& unit : project.files) mark(*unit, 0, imported(*unit));
    if (reached_.empty() && !works_when_started(*project.entry().module)) reach_all();
    while (!waiting_.empty()) {
      const auto [unit, node] = waiting_.back();
      waiting_.pop_back();
      mark(*unit, node, false);
    }
  }

  bool contains(const Unit& unit, NodeId node) const {
    const auto& module = *unit.module;
    if (imported(unit) && for_main_only(module, node)) return false;
    for (NodeId owner = owner_of(module, node); owner != 0; owner = owner_of(module, owner)) {
      if (!reached_.contains({&unit, owner})) return false;
    }
    return true;
  }

private:
  /// The file that was named starts nothing: somebody else calls what it defines.
  void reach_all() {
    const auto& unit = project_.entry();
    for (const Kind kind : {Kind::function_definition, Kind::class_definition}) {
      for (const NodeId definition : unit.module->tree().all(kind)) reach(unit, definition);
    }
  }

  bool imported(const Unit& unit) const { return &unit != project_.files.front().get(); }

  /// The function or class around a node; 0: the module itself.
  static NodeId owner_of(const Module& module, NodeId node) {
    for (NodeId at = module.scope(node); at != 0; at = module.scope(at)) {
      const Kind kind = module.tree().kind(at);
      if (kind == Kind::function_definition || kind == Kind::class_definition) return at;
    }
    return 0;
  }

  /// Takes every name in `from`, but not those in functions and classes within it.
  void mark(const Unit& unit, NodeId from, bool skip_main) {
    const auto& module = *unit.module;
    const auto& tree = module.tree();
    for (const Kind kind : {Kind::identifier, Kind::dotted_name}) {
      const auto& all = tree.all(kind);
      auto each = std::lower_bound(all.begin(), all.end(), from);
      for (; each != all.end() && tree.inside(*each, from); ++each) {
        const NodeId id = *each;
        if (owner_of(module, id) != from) continue;
        if (skip_main && for_main_only(module, id)) continue;
        const NodeId parent = tree.parent(id);
        const bool defines = (tree.kind(parent) == Kind::function_definition ||
                              tree.kind(parent) == Kind::class_definition) &&
                             tree[id].field == Field::name;
        if (!defines) name(module.text(id));
      }
    }
    for (const NodeId decorated : tree.all(Kind::decorated_definition)) { // registered somewhere
      const NodeId definition = tree.child(decorated, Field::definition);
      if (definition != kNoNode && owner_of(module, decorated) == from) reach(unit, definition);
    }
    if (tree.kind(from) != Kind::class_definition) return;
    for (const NodeId method : tree.all(Kind::function_definition)) { // the framework calls them
      if (tree.inside(method, from)) reach(unit, method);
    }
  }

  void index(const Unit& unit) {
    const auto& tree = unit.module->tree();
    for (const Kind kind : {Kind::function_definition, Kind::class_definition}) {
      for (const NodeId definition : tree.all(kind))
        defined_[tree.text(tree.child(definition, Field::name))].push_back({&unit, definition});
    }
  }

  void name(std::string_view text) {
    const auto found = defined_.find(text);
    if (found == defined_.end()) return;
    for (const auto& [unit, definition] : found->second) reach(*unit, definition);
    defined_.erase(found);
  }

  void reach(const Unit& unit, NodeId definition) {
    if (reached_.insert({&unit, definition}).second) waiting_.push_back({&unit, definition});
  }

  const Project& project_;
  std::set<std::pair<const Unit*, NodeId>> reached_;
  std::vector<std::pair<const Unit*, NodeId>> waiting_;
  /// Not named by anything that runs, so far.
  std::unordered_map<std::string_view, std::vector<std::pair<const Unit*, NodeId>>> defined_;
};

/// The innermost statement or expression that begins at the place of a finding.
NodeId node_at(const Unit& unit, const CodeFinding& finding) {
  const auto& tree = unit.module->tree();
  NodeId found = kNoNode;
  for (NodeId id = 0; id < tree.size(); ++id) {
    const auto place = unit.source.place(tree[id].line);
    if (place.line != finding.line || place.cell != finding.cell) continue;
    const auto shown = unit.source.line_text(tree[id].line);
    const auto before = shown.substr(0, std::min<std::size_t>(tree[id].column - 1, shown.size()));
    if (display_width(before) + 1 == finding.column) return id;
    if (found == kNoNode) found = id;
  }
  return found;
}

/// The file with the finding's edit made, judged again, does not have it.
bool mended(const Unit& unit, const CodeFinding& finding) {
  std::vector<ReadNote> notes;
  const auto edited = read_python(unit.path, apply_edits(unit.source.text, {finding}), notes);
  if (!edited) return false;
  (*edited)->machine = unit.machine;
  std::vector<CodeFinding> left;
  judge_unit(**edited, {{finding.id}, {}}, left);
  return std::none_of(left.begin(), left.end(), [&](const CodeFinding& each) {
    return each.place() == finding.place() && each.bearing != Bearing::note;
  });
}

/// Another file moves models about: what this one leaves undone may be done there.
bool handled_elsewhere(const Project& project, const Unit& self) {
  return std::any_of(project.files.begin(), project.files.end(), [&](const auto& unit) {
    return unit.get() != &self && mentions_gpu(*unit->module);
  });
}

} // namespace

std::vector<CodeFinding> findings_of(const Project& project) {
  const Reached reached(project);
  std::vector<CodeFinding> all;
  for (const auto& unit : project.files) {
    std::vector<CodeFinding> found;
    judge_unit(*unit, {}, found);
    auto heeded = found; // a comment silences a note, it does not move the model
    apply_ignores(*unit, {}, heeded);
    const auto silenced = [&](const CodeFinding& finding) {
      return finding.bearing == Bearing::note &&
             std::none_of(heeded.begin(), heeded.end(), [&](const CodeFinding& each) {
               return each.id == finding.id && each.place() == finding.place();
             });
    };
    sort_by_place(found);
    for (auto& finding : found) {
      if (silenced(finding)) continue;
      const NodeId node = node_at(*unit, finding);
      if (node != kNoNode && !reached.contains(*unit, node)) continue;
      if (finding.id == "P15" && handled_elsewhere(project, *unit)) continue;
      if (finding.bearing != Bearing::note && finding.edit && !mended(*unit, finding))
        finding.edit.reset();
      all.push_back(std::move(finding));
    }
  }
  return all;
}

} // namespace gpuwhy::lint
