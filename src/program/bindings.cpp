// Which of its bindings a use of a name sees. Truth: Python's scoping rules.
#include "program/module.h"

#include <algorithm>

namespace gpuwhy::program {

const std::vector<Binding>* Module::bindings(std::string_view name) const {
  const auto found = bindings_.find(std::string(name));
  return found == bindings_.end() ? nullptr : &found->second;
}

std::optional<bool> Module::constant(NodeId condition) const {
  constexpr int kDeepest = 3; // conditions that depend on names that depend on conditions
  if (const auto known = constants_.find(condition); known != constants_.end())
    return known->second;
  if (asking_ >= kDeepest) return std::nullopt;
  ++asking_;
  const auto value = truth(condition);
  --asking_;
  constants_[condition] = value;
  return value;
}

Module::Runs Module::runs_before(NodeId node, NodeId use, NodeId scope) const {
  auto runs = Runs::surely;
  const auto needs = [&](NodeId condition, bool wanted) { // false: it never runs
    const auto known = constant(condition);
    if (!known) runs = Runs::maybe;
    return !known || *known == wanted;
  };
  for (NodeId below = node, at = tree_.parent(node); at != kNoNode && at != scope;
       below = at, at = tree_.parent(at)) {
    if (tree_.inside(use, at)) break;
    const Kind kind = tree_.kind(at);
    const bool of_if = tree_.kind(tree_.parent(at)) == Kind::if_statement;
    if (kind == Kind::except_clause || kind == Kind::match_statement ||
        (kind == Kind::else_clause && !of_if)) {
      runs = Runs::maybe;
    }
    if (kind != Kind::if_statement && kind != Kind::elif_clause) continue;
    const Field field = tree_[below].field;
    if (field != Field::consequence && field != Field::alternative) continue;
    if (!needs(tree_.child(at, Field::condition), field == Field::consequence)) return Runs::never;
    if (field == Field::consequence) continue;
    for (const NodeId clause : tree_.children(at)) { // what stands between the two
      const bool before = clause < below && tree_.kind(clause) == Kind::elif_clause;
      if (before && !needs(tree_.child(clause, Field::condition), false)) return Runs::never;
    }
  }
  return runs;
}

const Binding* Module::reaching(std::string_view name, NodeId use) const {
  const auto* all = bindings(name);
  if (all == nullptr || all->size() > kMostBindings) return nullptr;
  const NodeId home = scope_[use];
  for (NodeId scope = home;; scope = scope_[scope]) {
    const bool skipped = scope != home && tree_.kind(scope) == Kind::class_definition;
    const Binding* last = nullptr;
    const Binding* only = nullptr;
    std::size_t count = 0;
    bool disagree = false;
    for (const auto& binding : *all) {
      if (skipped || binding.scope != scope) continue;
      const auto runs = runs_before(binding.at, use, scope);
      if (runs == Runs::never) continue;
      ++count;
      only = &binding;
      if (scope == home && tree_.inside(use, binding.at) &&
          binding.type == Binding::Type::assigned) {
        continue; // x = f(x): the right side sees the earlier one
      }
      if (scope == home && binding.at >= use) continue;
      bool settled = runs == Runs::surely;
      if (tree_.kind(scope) != Kind::module && binding.type == Binding::Type::parameter) {
        settled = true;
      }
      if (settled) {
        last = &binding;
        disagree = false;
      } else if (!exclusive(binding.at, use)) {
        disagree = true;
        if (last == nullptr) last = &binding;
      }
    }
    if (count == 1) return only;
    if (count > 0) return disagree ? nullptr : last;
    if (scope == 0) return nullptr;
  }
}

const Binding* Module::attribute_binding(NodeId attribute) const {
  const NodeId object = tree_.child(attribute, Field::object);
  if (tree_.kind(object) != Kind::identifier) return nullptr;
  const auto member = std::string(text(tree_.child(attribute, Field::attribute)));
  std::string owner;
  NodeId class_node = kNoNode;
  if (text(object) == "self" || text(object) == "cls") {
    class_node = class_of(attribute);
  } else if (const auto* binding = reaching(text(object), attribute)) {
    if (binding->type == Binding::Type::class_) class_node = binding->at;
    if (binding->type == Binding::Type::assigned && tree_.kind(binding->value) == Kind::call) {
      const NodeId function = tree_.child(binding->value, Field::function);
      const auto* made = tree_.kind(function) == Kind::identifier
                             ? reaching(text(function), binding->value)
                             : nullptr;
      if (made != nullptr && made->type == Binding::Type::class_) class_node = made->at;
    }
  }
  if (class_node == kNoNode) return nullptr;
  owner = std::string(text(tree_.child(class_node, Field::name)));
  const auto set = attributes_.find(owner + "." + member);
  const Binding* found = nullptr;
  std::size_t count = 0;
  if (set != attributes_.end()) {
    count = set->second.size();
    found = &set->second.front();
  }
  if (const auto* plain = bindings(member)) {
    for (const auto& binding : *plain) {
      if (binding.scope != class_node || binding.type != Binding::Type::assigned) continue;
      ++count;
      found = &binding;
    }
  }
  return count == 1 ? found : nullptr;
}

NodeId Module::deref(NodeId expression) const {
  for (int step = 0; step < kLongestChain && expression != kNoNode; ++step) {
    const Binding* binding = nullptr;
    if (tree_.kind(expression) == Kind::parenthesized_expression) {
      expression = tree_.at(expression, 0);
      continue;
    }
    if (tree_.kind(expression) == Kind::identifier) {
      binding = reaching(text(expression), expression);
    } else if (tree_.kind(expression) == Kind::attribute) {
      binding = attribute_binding(expression);
    }
    if (binding == nullptr || binding->value == kNoNode ||
        (binding->type != Binding::Type::assigned && binding->type != Binding::Type::context)) {
      return expression;
    }
    expression = binding->value;
  }
  return expression;
}

} // namespace gpuwhy::program
