// The facts of one Python module: what its names mean, what its expressions are worth, when its
// statements run. Rules ask this; they do not know how Python was parsed.
//
//   for (NodeId call : module.tree().all(Kind::call)) {
//     if (module.callee(call) != "tensorflow.config.set_visible_devices") continue;
//     Value first = module.fold(module.argument(call, 0, "devices"));
//     if (first.type == Value::Type::list && first.items.empty() && module.certain(call)) ...
//   }
#pragma once

#include "program/tree.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gpuwhy::program {

/// How a name gets its meaning.
struct Binding {
  enum class Type { import, assigned, parameter, loop, context, function, class_, changed };
  Type type = Type::assigned;
  NodeId at = kNoNode;    // the statement or definition that binds
  NodeId value = kNoNode; // what is assigned, where it is one expression
  NodeId scope = kNoNode; // function, class or module node
  std::string target;     // of an import: "tensorflow.keras.layers"
};

/// A folded expression; `origin` is the literal that a reader would edit.
struct Value {
  enum class Type { unknown, none, boolean, integer, floating, string, list };
  Type type = Type::unknown;
  bool truth = false;
  std::int64_t integer = 0;
  double floating = 0;
  std::string string;
  std::vector<Value> items;
  NodeId origin = kNoNode;

  bool known() const { return type != Type::unknown; }
  bool is_string() const { return type == Type::string; }
  bool is_integer() const { return type == Type::integer; }
  /// The number of an integer or a float.
  std::optional<double> number() const;
  /// Python's bool(value); nothing for unknown.
  std::optional<bool> as_truth() const;
};

/// A condition that decides whether a node runs.
struct Guard {
  NodeId condition = kNoNode; // kNoNode: an exception handler, or a case of match
  bool positive = true;       // runs when the condition holds
  NodeId branch = kNoNode;    // the guarded block; kNoNode for an early exit before the node
};

class Module {
public:
  explicit Module(Tree tree);

  const Tree& tree() const { return tree_; }
  std::string_view text(NodeId id) const { return tree_.text(id); }

  // --- names -----------------------------------------------------------------------------------
  /// Dotted name that `expression` means, through imports and aliases, in one spelling
  /// ("tf.compat.v1.ConfigProto" is "tensorflow.ConfigProto", "tf.keras.layers.LSTM" is
  /// "keras.layers.LSTM"); empty if it is not a name. A name that nothing binds means itself.
  std::string resolve(NodeId expression) const;
  const std::string& callee(NodeId call) const;
  /// The last part of what is called, whatever it belongs to: "fit" of `self.model.fit(...)`.
  std::string_view called_name(NodeId call) const;
  /// `x` of `x.fit(...)`; kNoNode for a plain name.
  NodeId receiver(NodeId call) const;
  /// Positional argument `position`, or the one named `keyword`; kNoNode without. Splats end the
  /// count.
  NodeId argument(NodeId call, std::size_t position, std::string_view keyword) const;
  NodeId keyword(NodeId call, std::string_view name) const;
  std::size_t positional_count(NodeId call) const;
  /// The binding that a use of `name` at `use` sees; nothing where branches disagree.
  const Binding* reaching(std::string_view name, NodeId use) const;
  const std::vector<Binding>* bindings(std::string_view name) const;
  /// Follows names to the expression that they hold, through parentheses; itself where it cannot.
  NodeId deref(NodeId expression) const;
  /// Anything of `package` ("torch") is imported, as "torch" or "torch.nn".
  bool imports(std::string_view package) const { return roots_.contains(std::string(package)); }
  const std::set<std::string, std::less<>>& imported() const { return roots_; }
  /// Uses a name of one of the frameworks.
  bool uses_framework() const { return uses_framework_; }

  // --- values ----------------------------------------------------------------------------------
  Value fold(NodeId expression) const { return fold(expression, 0); }
  /// True, false, or not known; `__name__ == "__main__"` is true.
  std::optional<bool> truth(NodeId condition) const;

  // --- places ----------------------------------------------------------------------------------
  NodeId scope(NodeId id) const { return scope_[id]; }
  /// Enclosing function definition or lambda; kNoNode at module level.
  NodeId function(NodeId id) const;
  NodeId class_of(NodeId id) const;
  std::string_view function_name(NodeId function) const;
  NodeId statement(NodeId id) const;
  /// Innermost loop (for, while, comprehension) around `id` in the same function.
  NodeId loop(NodeId id) const;
  /// Conditions that decide whether `id` runs, innermost first, within its function; those that
  /// always hold are left out.
  std::vector<Guard> guards(NodeId id) const;
  /// Lies in `if False:` and the like, or after a `return` in the same block.
  bool dead(NodeId id) const;
  /// Runs whenever its function does, and the function whenever the module does or nobody in this
  /// file calls it.
  bool certain(NodeId id) const { return certain(id, 0); }
  /// Both lie in different branches of one `if`.
  bool exclusive(NodeId a, NodeId b) const;
  /// In a test function or class, or in a function whose name begins with "test".
  bool in_test(NodeId id) const;
  const std::vector<NodeId>& calls_of(NodeId function) const;
  /// The function in this file that a call runs, if there is exactly one of that name.
  NodeId called_function(NodeId call) const;

  // --- order -----------------------------------------------------------------------------------
  /// Calls, imports, assignments and deletions in the order in which they run, calls of this file's
  /// functions opened once each. The first trace is the module's; then one for each function that
  /// nothing here calls.
  const std::vector<std::vector<NodeId>>& traces() const;
  /// The same for one function of this file, as if it were called.
  std::vector<NodeId> trace_of(NodeId function) const;
  /// What runs when somebody calls the module's `name`: a function, or the constructor of a class;
  /// kNoNode if there is not exactly one.
  NodeId entry_of(std::string_view name) const;

private:
  static constexpr int kLongestChain = 12;
  static constexpr std::size_t kMostBindings = 400; // a name bound more often could be anything

  void bind_all();
  void bind_import(NodeId statement);
  void bind_from_import(NodeId statement);
  void bind_target(NodeId target, NodeId value, NodeId at, Binding::Type type);
  void add_binding(std::string_view name, Binding binding);
  std::string resolve(NodeId expression, int depth) const;
  Value fold(NodeId expression, int depth) const;
  Value fold_name(NodeId identifier, int depth) const;
  Value fold_attribute(NodeId attribute, int depth) const;
  Value fold_string(NodeId string, int depth) const;
  Value fold_binary(NodeId node, int depth) const;
  Value fold_comparison(NodeId node, int depth) const;
  Value fold_call(NodeId call, int depth) const;
  const Binding* attribute_binding(NodeId attribute) const;
  /// Does the node run on every way to `use`? A constant decides about its branches.
  enum class Runs { never, maybe, surely };
  Runs runs_before(NodeId node, NodeId use, NodeId scope) const;
  std::optional<bool> constant(NodeId condition) const;
  std::optional<bool> truth(NodeId condition, int depth) const;
  bool certain(NodeId id, int depth) const;
  void index_functions();
  void note_conventional_names();
  void trace_into(NodeId from, std::vector<NodeId>& trace, std::set<NodeId>& opened,
                  int depth) const;

  /// The statements of one block that keep others from running.
  struct BlockExits {
    std::vector<NodeId> conditional; // an `if` whose branch leaves the block
    NodeId final = kNoNode;          // return, raise, break, continue in the block itself
  };
  const BlockExits& exits(NodeId block) const;

  Tree tree_;
  mutable std::unordered_map<NodeId, BlockExits> exits_;
  mutable std::unordered_map<NodeId, std::string> callees_; // every rule asks for them
  std::unordered_map<std::string, std::vector<Binding>> bindings_;
  std::unordered_map<std::string, std::vector<Binding>>
      attributes_; // "Class.name", by self.name = ...
  std::set<std::string, std::less<>> roots_;
  std::vector<NodeId> scope_;
  std::unordered_map<std::string, std::vector<NodeId>> functions_; // by name
  std::unordered_map<NodeId, std::vector<NodeId>> callers_;        // function -> calls
  bool uses_framework_ = false;
  mutable std::optional<std::vector<std::vector<NodeId>>> traces_;
  mutable std::unordered_map<NodeId, std::optional<bool>> constants_; // of conditions
  mutable int asking_ = 0;
};

/// One spelling for the aliases that the frameworks themselves have.
std::string canonical_name(std::string name);

/// `name` is `prefix` or begins with it and a dot.
bool begins_with_name(std::string_view name, std::string_view prefix);

} // namespace gpuwhy::program
