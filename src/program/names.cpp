// What the names of a module mean: imports, aliases, assignments, and the spellings that the
// frameworks have for one thing. Truth: Python's scoping rules; the public API of TensorFlow and
// Keras.
#include "program/module.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::program {
namespace {

/// Conventional names, believed where a fragment (a notebook cell, a snippet) lacks its import.
constexpr auto kConventional = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"tf", "tensorflow"},
    {"torch", "torch"},
    {"jax", "jax"},
    {"jnp", "jax.numpy"},
    {"keras", "keras"},
    {"tensorflow", "tensorflow"},
    {"np", "numpy"},
    {"os", "os"},
    {"layers", "keras.layers"},
    {"LSTM", "keras.layers.LSTM"},
    {"GRU", "keras.layers.GRU"},
    {"SimpleRNN", "keras.layers.SimpleRNN"},
});

constexpr auto kPrefixes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"tensorflow.compat.v1.", "tensorflow."},
    {"tensorflow.compat.v2.", "tensorflow."},
    {"tensorflow.python.keras.", "keras."},
    {"tensorflow.python.client.", "tensorflow.python.client."},
    {"tensorflow.python.", "tensorflow."},
    {"tensorflow.contrib.keras.", "keras."},
    {"tensorflow.keras.", "keras."},
    {"tensorflow.config.experimental.", "tensorflow.config."},
    {"tf_keras.", "keras."},
    {"keras.src.", "keras."},
    {"keras.api.", "keras."},
    {"keras._tf_keras.keras.", "keras."},
});

/// Groups whose inner module names carry no meaning: keras.layers.recurrent.LSTM is
/// keras.layers.LSTM.
constexpr auto kFlat =
    std::to_array<std::string_view>({"keras.layers.", "keras.models.", "keras.utils."});

std::string dotted(std::string_view text) {
  std::string name;
  for (const char letter : text) {
    if (letter != ' ' && letter != '\t' && letter != '\n' && letter != '\\') name += letter;
  }
  return name;
}

} // namespace

bool begins_with_name(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
}

std::string canonical_name(std::string name) {
  if (name == "tensorflow.keras" || name == "tf_keras" || name == "tensorflow.python.keras") {
    return "keras";
  }
  if (name == "tensorflow.compat.v1" || name == "tensorflow.compat.v2") return "tensorflow";
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [from, to] : kPrefixes) {
      if (from == to || !name.starts_with(from)) continue;
      name = std::string(to) + name.substr(from.size());
      changed = true;
      break;
    }
  }
  if (name == "tensorflow.keras") return "keras";
  if (name == "keras.Model" || name == "keras.Sequential" ||
      name == "keras.engine.training.Model") {
    return "keras.models." + name.substr(name.rfind('.') + 1);
  }
  for (const auto group : kFlat) {
    if (name.starts_with(group)) return std::string(group) + name.substr(name.rfind('.') + 1);
  }
  return name;
}

void Module::note_conventional_names() {
  for (const NodeId call : tree_.all(Kind::call)) {
    NodeId at = tree_.child(call, Field::function);
    while (tree_.kind(at) == Kind::attribute) at = tree_.child(at, Field::object);
    if (tree_.kind(at) != Kind::identifier || bindings(text(at)) != nullptr) continue;
    for (const auto& [short_name, meaning] : kConventional) {
      if (short_name == text(at)) roots_.insert(std::string(meaning.substr(0, meaning.find('.'))));
    }
  }
}

void Module::add_binding(std::string_view name, Binding binding) {
  bindings_[std::string(name)].push_back(std::move(binding));
}

void Module::bind_import(NodeId statement) {
  for (const NodeId child : tree_.children(statement)) {
    if (tree_.kind(child) == Kind::dotted_name) {
      const auto name = dotted(text(child));
      const auto root = name.substr(0, name.find('.'));
      roots_.insert(root);
      if (root != name) roots_.insert(name);
      add_binding(root, {Binding::Type::import, statement, kNoNode, scope_[statement], root});
    } else if (tree_.kind(child) == Kind::aliased_import) {
      const auto name = dotted(text(tree_.child(child, Field::name)));
      roots_.insert(name.substr(0, name.find('.')));
      roots_.insert(name);
      add_binding(text(tree_.child(child, Field::alias)),
                  {Binding::Type::import, statement, kNoNode, scope_[statement], name});
    }
  }
}

void Module::bind_from_import(NodeId statement) {
  const NodeId from = tree_.child(statement, Field::module_name);
  const auto package = dotted(text(from));
  if (!package.empty() && package.front() != '.') {
    roots_.insert(package.substr(0, package.find('.')));
    roots_.insert(package);
  }
  for (const NodeId child : tree_.children(statement)) {
    if (child == from) continue;
    if (tree_.kind(child) == Kind::dotted_name) {
      const auto name = dotted(text(child));
      roots_.insert(package + "." + name);
      add_binding(name, {Binding::Type::import, statement, kNoNode, scope_[statement],
                         package + "." + name});
    } else if (tree_.kind(child) == Kind::aliased_import) {
      const auto name = dotted(text(tree_.child(child, Field::name)));
      roots_.insert(package + "." + name);
      add_binding(
          text(tree_.child(child, Field::alias)),
          {Binding::Type::import, statement, kNoNode, scope_[statement], package + "." + name});
    } else if (tree_.kind(child) == Kind::wildcard_import) {
      add_binding("*", {Binding::Type::import, statement, kNoNode, scope_[statement], package});
    }
  }
}

void Module::bind_target(NodeId target, NodeId value, NodeId at, Binding::Type type) {
  switch (tree_.kind(target)) {
  case Kind::identifier: add_binding(text(target), {type, at, value, scope_[target], {}}); return;
  case Kind::attribute: {
    const NodeId owner = class_of(target);
    if (text(tree_.child(target, Field::object)) == "self" && owner != kNoNode) {
      const auto name = std::string(text(tree_.child(owner, Field::name))) + "." +
                        std::string(text(tree_.child(target, Field::attribute)));
      attributes_[name].push_back({type, at, value, scope_[target], {}});
    }
    return;
  }
  case Kind::pattern_list:
  case Kind::tuple_pattern:
  case Kind::list_pattern:
  case Kind::tuple:
  case Kind::list: {
    const bool paired = tree_.kind(value) == Kind::expression_list ||
                        tree_.kind(value) == Kind::tuple || tree_.kind(value) == Kind::list;
    const bool same = paired && tree_.count(value) == tree_.count(target);
    std::size_t index = 0;
    for (const NodeId part : tree_.children(target)) {
      bind_target(part, same ? tree_.at(value, index) : kNoNode, at, type);
      ++index;
    }
    return;
  }
  case Kind::list_splat_pattern:
  case Kind::parenthesized_expression: bind_target(tree_.at(target, 0), kNoNode, at, type); return;
  default: return;
  }
}

void Module::bind_all() {
  for (NodeId id = 0; id < tree_.size(); ++id) {
    switch (tree_.kind(id)) {
    case Kind::import_statement: bind_import(id); break;
    case Kind::import_from_statement: bind_from_import(id); break;
    case Kind::assignment: {
      const NodeId left = tree_.child(id, Field::left);
      NodeId right = tree_.child(id, Field::right);
      while (tree_.kind(right) == Kind::assignment) right = tree_.child(right, Field::right);
      if (left != kNoNode && right != kNoNode) {
        bind_target(left, right, id, Binding::Type::assigned);
      }
      break;
    }
    case Kind::named_expression:
      bind_target(tree_.child(id, Field::name), tree_.child(id, Field::value), id,
                  Binding::Type::assigned);
      break;
    case Kind::augmented_assignment:
      bind_target(tree_.child(id, Field::left), kNoNode, id, Binding::Type::changed);
      break;
    case Kind::for_statement:
    case Kind::for_in_clause:
      bind_target(tree_.child(id, Field::left), kNoNode, id, Binding::Type::loop);
      break;
    case Kind::as_pattern_target: {
      const NodeId pattern = tree_.parent(id);
      const bool with = tree_.kind(tree_.parent(pattern)) == Kind::with_item;
      bind_target(tree_.at(id, 0), with ? tree_.at(pattern, 0) : kNoNode, id,
                  Binding::Type::context);
      break;
    }
    case Kind::function_definition:
    case Kind::class_definition: {
      const auto type = tree_.kind(id) == Kind::class_definition ? Binding::Type::class_
                                                                 : Binding::Type::function;
      add_binding(text(tree_.child(id, Field::name)), {type, id, kNoNode, scope_[id], {}});
      break;
    }
    case Kind::parameters:
    case Kind::lambda_parameters:
      for (const NodeId part : tree_.children(id)) {
        NodeId name = part;
        if (tree_.kind(part) != Kind::identifier) {
          name = tree_.child(part, Field::name);
          if (name == kNoNode) name = tree_.at(part, 0);
        }
        if (tree_.kind(name) == Kind::list_splat_pattern ||
            tree_.kind(name) == Kind::dictionary_splat_pattern) {
          name = tree_.at(name, 0);
        }
        if (tree_.kind(name) == Kind::identifier) {
          add_binding(text(name), {Binding::Type::parameter,
                                   part,
                                   tree_.child(part, Field::value),
                                   tree_.parent(id),
                                   {}});
        }
      }
      break;
    case Kind::global_statement:
      for (const NodeId name : tree_.children(id)) {
        // What this function assigns is the module's name: its scope is the module.
        const NodeId function = scope_[id];
        const auto found = bindings_.find(std::string(text(name)));
        if (found == bindings_.end()) {
          add_binding(text(name), {Binding::Type::changed, id, kNoNode, 0, {}});
          continue;
        }
        for (auto& binding : found->second) {
          if (binding.scope == function) binding.scope = 0;
        }
        found->second.push_back({Binding::Type::changed, id, kNoNode, 0, {}});
      }
      break;
    default: break;
    }
  }
}

std::string Module::resolve(NodeId expression) const {
  return canonical_name(resolve(expression, 0));
}

std::string Module::resolve(NodeId expression, int depth) const {
  if (expression == kNoNode || depth > kLongestChain) return {};
  if (tree_.kind(expression) == Kind::parenthesized_expression) {
    return resolve(tree_.at(expression, 0), depth + 1);
  }
  if (tree_.kind(expression) == Kind::attribute) {
    const auto member = text(tree_.child(expression, Field::attribute));
    const auto object = tree_.child(expression, Field::object);
    if (const auto* binding = attribute_binding(expression);
        binding != nullptr && tree_.kind(binding->value) == Kind::attribute) {
      return resolve(binding->value, depth + 1);
    }
    const auto base = resolve(object, depth + 1);
    return base.empty() ? std::string() : base + "." + std::string(member);
  }
  if (tree_.kind(expression) != Kind::identifier) return {};
  const auto name = text(expression);
  const auto* binding = reaching(name, expression);
  if (binding == nullptr) {
    if (const auto* all = bindings(name)) { // several: agreeing imports still say what it is
      for (std::size_t at = 0; at < all->size() && at < kMostBindings; ++at) {
        if ((*all)[at].type == Binding::Type::import) return (*all)[at].target;
      }
      return std::string(name);
    }
    for (const auto& [short_name, meaning] : kConventional) {
      if (short_name == name) return std::string(meaning);
    }
    if (const auto* stars = bindings("*")) {
      for (const auto& star : *stars) {
        const auto package = canonical_name(star.target);
        if (begins_with_name(package, "keras") || begins_with_name(package, "tensorflow") ||
            begins_with_name(package, "torch")) {
          return star.target + "." + std::string(name);
        }
      }
    }
    return std::string(name);
  }
  if (binding->type == Binding::Type::import) return binding->target;
  if (binding->type == Binding::Type::assigned) {
    const Kind kind = tree_.kind(binding->value);
    if (kind == Kind::attribute || kind == Kind::identifier) {
      auto meaning = resolve(binding->value, depth + 1);
      if (!meaning.empty()) return meaning;
    }
  }
  return std::string(name);
}

const std::string& Module::callee(NodeId call) const {
  const auto [found, fresh] = callees_.try_emplace(call);
  if (fresh) {
    auto name = call == kNoNode ? std::string() : resolve(tree_.child(call, Field::function));
    return callees_[call] = std::move(name); // resolving may have asked for others
  }
  return found->second;
}

std::string_view Module::called_name(NodeId call) const {
  const NodeId function = tree_.child(call, Field::function);
  if (tree_.kind(function) == Kind::attribute) return text(tree_.child(function, Field::attribute));
  return tree_.kind(function) == Kind::identifier ? text(function) : std::string_view();
}

NodeId Module::receiver(NodeId call) const {
  const NodeId function = tree_.child(call, Field::function);
  return tree_.kind(function) == Kind::attribute ? tree_.child(function, Field::object) : kNoNode;
}

NodeId Module::keyword(NodeId call, std::string_view name) const {
  const NodeId arguments = tree_.child(call, Field::arguments);
  if (tree_.kind(arguments) != Kind::argument_list) return kNoNode;
  for (const NodeId argument : tree_.children(arguments)) {
    if (tree_.kind(argument) == Kind::keyword_argument &&
        text(tree_.child(argument, Field::name)) == name) {
      return tree_.child(argument, Field::value);
    }
  }
  return kNoNode;
}

NodeId Module::argument(NodeId call, std::size_t position, std::string_view name) const {
  const NodeId arguments = tree_.child(call, Field::arguments);
  if (tree_.kind(arguments) != Kind::argument_list) return kNoNode;
  std::size_t index = 0;
  for (const NodeId argument : tree_.children(arguments)) {
    const Kind kind = tree_.kind(argument);
    if (kind == Kind::comment || kind == Kind::keyword_argument) continue;
    if (kind == Kind::list_splat || kind == Kind::dictionary_splat) break;
    if (index++ == position) return argument;
  }
  return name.empty() ? kNoNode : keyword(call, name);
}

std::size_t Module::positional_count(NodeId call) const {
  std::size_t count = 0;
  while (argument(call, count, {}) != kNoNode) ++count;
  return count;
}

} // namespace gpuwhy::program
