// When the statements of a module run: branches and what decides them, functions and who calls
// them, one order of execution. Truth: Python's control flow, seen without running anything.
#include "program/module.h"

#include "base/text.h"
#include "program/packages.h"

#include <algorithm>
#include <array>

namespace gpuwhy::program {
namespace {

constexpr int kDeepestCalls = 8;
constexpr std::size_t kLongestTrace = 100'000;
constexpr std::size_t kMostExits = 16; // before one statement, the nearest

bool ends_block(Kind kind) {
  return kind == Kind::return_statement || kind == Kind::raise_statement ||
         kind == Kind::continue_statement || kind == Kind::break_statement;
}

bool is_function(Kind kind) {
  return kind == Kind::function_definition || kind == Kind::lambda;
}

} // namespace

Module::Module(Tree tree) : tree_(std::move(tree)) {
  scope_.assign(tree_.size(), 0);
  for (NodeId id = 1; id < tree_.size(); ++id) {
    const NodeId parent = tree_.parent(id);
    const Kind kind = tree_.kind(parent);
    scope_[id] = is_function(kind) || kind == Kind::class_definition ? parent : scope_[parent];
  }
  bind_all();
  note_conventional_names();
  for (const auto& package : kPackages) uses_framework_ = uses_framework_ || imports(package.name);
  index_functions();
}

void Module::index_functions() {
  for (const NodeId id : tree_.all(Kind::function_definition)) {
    functions_[std::string(text(tree_.child(id, Field::name)))].push_back(id);
  }
  for (const NodeId call : tree_.all(Kind::call)) {
    const NodeId function = called_function(call);
    if (function != kNoNode) callers_[function].push_back(call);
  }
  // A function that is handed over (a callback, a thread's target) is called at that place.
  for (const NodeId id : tree_.all(Kind::identifier)) {
    const NodeId parent = tree_.parent(id);
    const bool handed =
        tree_.kind(parent) == Kind::argument_list ||
        (tree_.kind(parent) == Kind::keyword_argument && tree_[id].field == Field::value);
    if (!handed) continue;
    const auto found = functions_.find(std::string(text(id)));
    if (found == functions_.end() || found->second.size() != 1) continue;
    const auto* binding = reaching(text(id), id);
    if (binding != nullptr && binding->at == found->second.front()) {
      callers_[found->second.front()].push_back(id);
    }
  }
}

NodeId Module::called_function(NodeId call) const {
  const NodeId function = tree_.child(call, Field::function);
  if (tree_.kind(function) == Kind::identifier) {
    const auto* binding = reaching(text(function), function);
    if (binding == nullptr) return kNoNode;
    if (binding->type == Binding::Type::function) return binding->at;
    if (binding->type != Binding::Type::class_) return kNoNode;
    const auto made = functions_.find("__init__");
    if (made == functions_.end()) return kNoNode;
    for (const NodeId candidate : made->second) {
      if (scope_[candidate] == binding->at) return candidate;
    }
    return kNoNode;
  }
  if (tree_.kind(function) != Kind::attribute) return kNoNode;
  const auto found = functions_.find(std::string(text(tree_.child(function, Field::attribute))));
  if (found == functions_.end()) return kNoNode;
  const NodeId object = tree_.child(function, Field::object);
  const NodeId owner = text(object) == "self" ? class_of(call) : kNoNode;
  NodeId only = kNoNode;
  std::size_t methods = 0;
  for (const NodeId candidate : found->second) {
    if (tree_.kind(scope_[candidate]) != Kind::class_definition) continue;
    if (owner != kNoNode && scope_[candidate] == owner) return candidate;
    ++methods;
    only = candidate;
  }
  if (tree_.kind(object) != Kind::identifier) return kNoNode;
  const auto* binding = reaching(text(object), object);
  if (binding != nullptr && binding->type == Binding::Type::import) return kNoNode;
  return methods == 1 ? only : kNoNode;
}

NodeId Module::function(NodeId id) const {
  for (NodeId at = scope_[id];; at = scope_[at]) {
    if (is_function(tree_.kind(at))) return at;
    if (at == 0) return kNoNode;
  }
}

NodeId Module::class_of(NodeId id) const {
  for (NodeId at = scope_[id];; at = scope_[at]) {
    if (tree_.kind(at) == Kind::class_definition) return at;
    if (at == 0) return kNoNode;
  }
}

std::string_view Module::function_name(NodeId function) const {
  return tree_.kind(function) == Kind::function_definition
             ? text(tree_.child(function, Field::name))
             : std::string_view();
}

NodeId Module::statement(NodeId id) const {
  for (NodeId at = id; at != kNoNode; at = tree_.parent(at)) {
    const NodeId parent = tree_.parent(at);
    if (parent == kNoNode) return at;
    const Kind kind = tree_.kind(parent);
    if (kind == Kind::block || kind == Kind::module) return at;
  }
  return id;
}

NodeId Module::loop(NodeId id) const {
  for (NodeId at = tree_.parent(id), below = id; at != kNoNode; below = at, at = tree_.parent(at)) {
    const Kind kind = tree_.kind(at);
    if (is_function(kind) || kind == Kind::class_definition) return kNoNode;
    if (kind == Kind::for_statement && tree_[below].field == Field::body) return at;
    if (kind == Kind::while_statement && tree_[below].field == Field::body) return at;
    const bool comprehension =
        kind == Kind::list_comprehension || kind == Kind::generator_expression ||
        kind == Kind::dictionary_comprehension || kind == Kind::set_comprehension;
    if (comprehension && tree_.kind(below) != Kind::for_in_clause) return at;
  }
  return kNoNode;
}

const std::vector<NodeId>& Module::calls_of(NodeId function) const {
  static const std::vector<NodeId> kNone;
  const auto found = callers_.find(function);
  return found == callers_.end() ? kNone : found->second;
}

const Module::BlockExits& Module::exits(NodeId block) const {
  const auto [found, fresh] = exits_.try_emplace(block);
  if (!fresh) return found->second;
  for (const NodeId statement : tree_.children(block)) {
    if (ends_block(tree_.kind(statement)) && found->second.final == kNoNode)
      found->second.final = statement;
    if (tree_.kind(statement) != Kind::if_statement) continue;
    const NodeId consequence = tree_.child(statement, Field::consequence);
    NodeId last = kNoNode;
    if (consequence != kNoNode) {
      for (const NodeId inner : tree_.children(consequence)) last = inner;
    }
    if (last != kNoNode && ends_block(tree_.kind(last)))
      found->second.conditional.push_back(statement);
  }
  return found->second;
}

std::vector<Guard> Module::guards(NodeId id) const {
  std::vector<Guard> result;
  const auto add = [&](NodeId condition, bool positive, NodeId branch) {
    const auto known = condition == kNoNode ? std::nullopt : truth(condition);
    if (known && *known == positive) return;
    result.push_back({condition, positive, branch});
  };
  for (NodeId below = id, at = tree_.parent(id); at != kNoNode; below = at, at = tree_.parent(at)) {
    const Kind kind = tree_.kind(at);
    const Field field = tree_[below].field;
    if (kind == Kind::if_statement || kind == Kind::elif_clause) {
      if (field == Field::consequence) add(tree_.child(at, Field::condition), true, below);
      if (kind == Kind::if_statement && field == Field::alternative) {
        add(tree_.child(at, Field::condition), false, below);
        for (const NodeId clause : tree_.children(at)) {
          if (clause < below && tree_.kind(clause) == Kind::elif_clause) {
            add(tree_.child(clause, Field::condition), false, below);
          }
        }
      }
    } else if (kind == Kind::conditional_expression) {
      if (below == tree_.at(at, 0)) add(tree_.at(at, 1), true, below);
      if (below == tree_.at(at, 2)) add(tree_.at(at, 1), false, below);
    } else if (kind == Kind::boolean_operator && field == Field::right) {
      const NodeId left = tree_.child(at, Field::left);
      const bool is_and =
          trim(tree_.text().substr(tree_[left].end_byte,
                                   tree_[below].begin_byte - tree_[left].end_byte)) == "and";
      add(left, is_and, below);
    } else if (kind == Kind::except_clause || kind == Kind::case_clause) {
      add(kNoNode, true, below);
    } else if (kind == Kind::block || kind == Kind::module) {
      // An `if` before this statement whose branch leaves the block: what follows runs when it does
      // not.
      const auto& conditional = exits(at).conditional;
      auto before = std::lower_bound(conditional.begin(), conditional.end(), below);
      for (std::size_t count = 0; before != conditional.begin() && count < kMostExits; ++count) {
        --before;
        add(tree_.child(*before, Field::condition), false, kNoNode);
      }
    }
    if (is_function(kind) || kind == Kind::class_definition) break;
  }
  return result;
}

bool Module::dead(NodeId id) const {
  for (NodeId below = id, at = tree_.parent(id); at != kNoNode; below = at, at = tree_.parent(at)) {
    const Kind kind = tree_.kind(at);
    const Field field = tree_[below].field;
    const bool branch =
        kind == Kind::if_statement || kind == Kind::elif_clause || kind == Kind::while_statement;
    if (branch) {
      const auto known = truth(tree_.child(at, Field::condition));
      if (field == Field::consequence || field == Field::body) {
        if (known && !*known) return true;
      } else if (kind == Kind::if_statement && field == Field::alternative && known && *known) {
        return true;
      }
    }
    if (kind == Kind::block || kind == Kind::module) {
      const NodeId final = exits(at).final;
      if (final != kNoNode && final < below) return true;
    }
  }
  return false;
}

bool Module::certain(NodeId id, int depth) const {
  if (dead(id) || !guards(id).empty()) return false;
  const NodeId owner = function(id);
  if (owner == kNoNode || depth > kDeepestCalls) return true;
  const auto& calls = calls_of(owner);
  if (calls.empty()) return true;
  return std::any_of(calls.begin(), calls.end(), [&](NodeId call) {
    return tree_.inside(call, owner) ? false : certain(call, depth + 1);
  });
}

bool Module::exclusive(NodeId a, NodeId b) const {
  for (NodeId at = tree_.parent(a), below = a; at != kNoNode; below = at, at = tree_.parent(at)) {
    if (!tree_.inside(b, at)) continue;
    const Kind kind = tree_.kind(at);
    if (kind == Kind::if_statement) {
      const auto branch = [&](NodeId inner) {
        for (const NodeId child : tree_.children(at)) {
          if (tree_.inside(inner, child)) return child;
        }
        return kNoNode;
      };
      const NodeId first = branch(a);
      const NodeId second = branch(b);
      const auto guarded = [&](NodeId node) {
        return tree_[node].field == Field::consequence || tree_[node].field == Field::alternative;
      };
      return first != second && guarded(first) && guarded(second);
    }
    if (kind == Kind::block || kind == Kind::module) {
      // a's branch leaves the block before b is reached
      if (tree_.kind(below) != Kind::if_statement || a > b) return false;
      for (const NodeId branch : tree_.children(below)) {
        if (!tree_.inside(a, branch) || tree_[branch].field != Field::consequence) continue;
        NodeId last = kNoNode;
        for (const NodeId statement : tree_.children(branch)) last = statement;
        return last != kNoNode && ends_block(tree_.kind(last));
      }
    }
    return false;
  }
  return false;
}

bool Module::in_test(NodeId id) const {
  for (NodeId at = id;; at = scope_[at]) {
    if (tree_.kind(at) == Kind::function_definition && function_name(at).starts_with("test")) {
      return true;
    }
    if (tree_.kind(at) == Kind::class_definition) {
      const auto name = text(tree_.child(at, Field::name));
      const auto bases = text(tree_.child(at, Field::superclasses));
      if (name.starts_with("Test") || contains(bases, "TestCase")) return true;
    }
    if (at == 0) return false;
  }
}

void Module::trace_into(NodeId from, std::vector<NodeId>& trace, std::set<NodeId>& opened,
                        int depth) const {
  // A call runs after its arguments: calls wait until the walk leaves them.
  std::vector<NodeId> waiting;
  const auto leave = [&](NodeId until) {
    while (!waiting.empty() && tree_[waiting.back()].end <= until) {
      const NodeId call = waiting.back();
      waiting.pop_back();
      if (trace.size() >= kLongestTrace) continue;
      trace.push_back(call);
      const NodeId function = tree_.kind(call) == Kind::call ? called_function(call) : kNoNode;
      if (function != kNoNode && depth < kDeepestCalls && opened.insert(function).second) {
        trace_into(tree_.child(function, Field::body), trace, opened, depth + 1);
      }
    }
  };
  if (from == kNoNode) return;
  const NodeId end = tree_[from].end;
  for (NodeId id = from; id < end;) {
    leave(id);
    const Kind kind = tree_.kind(id);
    if (is_function(kind) && id != from) {
      id = tree_[id].end;
      continue;
    }
    if (kind == Kind::call || kind == Kind::assignment) waiting.push_back(id);
    if (kind == Kind::import_statement || kind == Kind::import_from_statement ||
        kind == Kind::delete_statement) {
      trace.push_back(id);
    }
    ++id;
  }
  leave(end);
}

const std::vector<std::vector<NodeId>>& Module::traces() const {
  if (traces_) return *traces_;
  traces_.emplace();
  std::set<NodeId> opened;
  traces_->emplace_back();
  trace_into(0, traces_->back(), opened, 0);
  for (const NodeId function : tree_.all(Kind::function_definition)) {
    if (opened.contains(function) || !calls_of(function).empty()) continue;
    traces_->emplace_back();
    std::set<NodeId> seen = {function};
    trace_into(tree_.child(function, Field::body), traces_->back(), seen, 0);
    opened.insert(seen.begin(), seen.end());
  }
  return *traces_;
}

std::vector<NodeId> Module::trace_of(NodeId function) const {
  std::vector<NodeId> trace;
  std::set<NodeId> opened = {function};
  trace_into(tree_.child(function, Field::body), trace, opened, 0);
  return trace;
}

NodeId Module::entry_of(std::string_view name) const {
  const auto* all = bindings(name);
  NodeId found = kNoNode;
  if (all == nullptr) return kNoNode;
  for (const auto& binding : *all) {
    const bool defines =
        binding.type == Binding::Type::function || binding.type == Binding::Type::class_;
    if (!defines || binding.scope != 0) continue;
    if (found != kNoNode) return kNoNode;
    found = binding.at;
  }
  if (tree_.kind(found) != Kind::class_definition) return found;
  const auto made = functions_.find("__init__");
  if (made == functions_.end()) return kNoNode;
  for (const NodeId candidate : made->second) {
    if (scope_[candidate] == found) return candidate;
  }
  return kNoNode;
}

} // namespace gpuwhy::program
