// Loops that keep what they make: models, traces of functions, losses with their graphs.
// Truth: Keras' global state and clear_session; tf.function's retracing rules; autograd keeps a
// graph alive as long as a tensor of it.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <set>

namespace gpuwhy::rules {
namespace {

using namespace program;

bool few_turns(const Module& module, NodeId loop) {
  const auto& tree = module.tree();
  NodeId over = tree.child(loop, Field::right);
  if (tree.kind(over) != Kind::call || module.callee(over) != "range") return false;
  const auto count =
      module.fold(module.argument(over, module.positional_count(over) > 1 ? 1 : 0, {}));
  return count.is_integer() && count.integer <= 8;
}

bool cleared(const Module& module, NodeId loop) {
  const auto& tree = module.tree();
  for (NodeId id = loop; id < tree[loop].end; ++id) {
    if (tree.kind(id) == Kind::delete_statement) return true;
    if (tree.kind(id) == Kind::with_item && contains(module.text(id), "Graph()")) return true;
    if (tree.kind(id) != Kind::call) continue;
    const auto name = module.called_name(id);
    if (name == "clear_session" || name == "Process" || name == "collect" ||
        name == "reset_default_graph" || name == "run_in_subprocess" || name == "submit" ||
        name == "remote" || name == "clear_cache") {
      return true;
    }
  }
  return false;
}

/// Models kept on purpose: an ensemble's list, one model a client.
bool collected(const Module& module, NodeId call) {
  const auto& tree = module.tree();
  const NodeId parent = tree.parent(call);
  if (tree.kind(parent) == Kind::argument_list) {
    const NodeId outer = tree.parent(parent);
    const auto method = module.called_name(outer);
    return method == "append" || method == "add" || method == "extend";
  }
  if (tree.kind(parent) == Kind::assignment) {
    const NodeId target = tree.child(parent, Field::left);
    if (tree.kind(target) == Kind::subscript) return true;
    const auto name = module.text(target);
    const NodeId loop = module.loop(call);
    for (NodeId id = loop; id < tree[loop].end; ++id) {
      if (tree.kind(id) != Kind::call || module.called_name(id) != "append") continue;
      if (module.text(module.argument(id, 0, {})) == name) return true;
    }
  }
  return false;
}

/// What was made in the loop is trained or run there.
bool trained_in(const Module& module, NodeId loop, std::string_view name) {
  const auto& tree = module.tree();
  for (NodeId id = loop; id < tree[loop].end; ++id) {
    if (tree.kind(id) != Kind::call || module.receiver(id) == kNoNode) continue;
    const auto method = module.called_name(id);
    if (module.text(module.receiver(id)) == name &&
        (method == "fit" || method == "compile" || method == "fit_generator" ||
         method == "predict" || method == "evaluate" || method == "load_weights")) {
      return true;
    }
  }
  return false;
}

/// The function makes a Keras model.
bool builds_model(const Module& module, NodeId function) {
  const auto& tree = module.tree();
  if (function == kNoNode) return false;
  for (NodeId id = function; id < tree[function].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    const auto& callee = module.callee(id);
    if (callee == "keras.models.Sequential" || callee == "keras.models.Model" ||
        callee == "keras.models.load_model")
      return true;
  }
  return false;
}

void models_in_loops(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const NodeId loop = module.loop(call);
    if (loop == kNoNode || module.dead(call) || module.in_test(call)) continue;
    if (tree.kind(loop) != Kind::for_statement && tree.kind(loop) != Kind::while_statement)
      continue;
    const NodeId assignment = tree.parent(call);
    if (tree.kind(assignment) != Kind::assignment) continue;
    const auto target = module.text(tree.child(assignment, Field::left));
    const auto& callee = module.callee(call);
    const bool whole =
        callee == "keras.models.Sequential" || callee == "keras.models.Model" ||
        callee == "keras.models.load_model" || callee == "keras.models.clone_model" ||
        (begins_with_name(callee, "keras.applications") && makes_whole_model(module, call)) ||
        (makes_whole_model(module, call) && module.receiver(call) == kNoNode) ||
        builds_model(module, module.called_function(call));
    if (!whole || !trained_in(module, loop, target)) continue;
    if (few_turns(module, loop) || cleared(module, loop) || collected(module, call)) continue;
    report.at(call, Severity::info,
              "a new model in every turn: Keras keeps the earlier ones' state on the GPU",
              "call keras.backend.clear_session() at the top of the loop, or run each in a process "
              "of its own");
  }
}

/// The function answers requests: `@app.route(...)`, `@app.post(...)`.
bool answers_requests(const Module& module, NodeId function) {
  const auto& tree = module.tree();
  const NodeId definition = tree.parent(function);
  if (tree.kind(definition) != Kind::decorated_definition) return false;
  for (const NodeId part : tree.children(definition)) {
    if (tree.kind(part) != Kind::decorator || tree.kind(tree.at(part, 0)) != Kind::call) continue;
    const auto name = module.called_name(tree.at(part, 0));
    if (name == "route" || name == "get" || name == "post" || name == "put" || name == "api_view")
      return true;
  }
  return false;
}

void models_per_request(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const NodeId function = module.function(call);
    if (function == kNoNode || !answers_requests(module, function)) continue;
    const auto& callee = module.callee(call);
    if (callee != "keras.models.load_model" && callee != "keras.models.Sequential" &&
        callee != "keras.models.model_from_json" && callee != "tensorflow.saved_model.load") {
      continue;
    }
    if (cleared(module, function) || !module.guards(call).empty())
      continue; // kept after the first time
    report.at(call, Severity::warning,
              "the model is made anew for each request, and the earlier ones stay on the GPU",
              "load it once, when the program starts");
  }
}

// --- tf.function ---------------------------------------------------------------------------------

/// Runs only where an earlier result is not there: `if self.step: return self.step` before it.
bool behind_early_exit(const Module& module, NodeId id) {
  for (NodeId at = id; at != kNoNode; at = module.function(at)) {
    for (const auto& guard : module.guards(at)) {
      if (guard.branch == kNoNode && guard.condition != kNoNode) return true;
    }
  }
  return false;
}

bool called_repeatedly(const Module& module, NodeId function, int depth = 0) {
  if (depth > 3) return false;
  for (const NodeId call : module.calls_of(function)) {
    if (module.tree().inside(call, function) || behind_early_exit(module, call)) continue;
    if (module.loop(call) != kNoNode) return true;
    const NodeId outer = module.function(call);
    if (outer != kNoNode && called_repeatedly(module, outer, depth + 1)) return true;
  }
  return false;
}

bool is_wrapper(const Module& module, NodeId call) {
  const auto& callee = module.callee(call);
  return callee == "tensorflow.function" || callee == "jax.jit";
}

/// Something inside is made anew in the loop: the function cannot be wrapped outside it.
bool needs_loop(const Module& module, NodeId what, NodeId loop) {
  const auto& tree = module.tree();
  if (loop == kNoNode) return false;
  for (NodeId id = what; id < tree[what].end; ++id) {
    if (tree.kind(id) != Kind::identifier || tree[id].field == Field::attribute) continue;
    const auto* all = module.bindings(module.text(id));
    if (all == nullptr) continue;
    for (const auto& binding : *all) {
      if (tree.inside(binding.at, loop) && !tree.inside(binding.at, what) &&
          binding.type != Binding::Type::parameter) {
        return true;
      }
    }
  }
  return false;
}

void wrapped_again(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    if (!is_wrapper(module, call) || module.positional_count(call) == 0) continue;
    if (tree.around(call, Kind::decorator) != kNoNode || module.dead(call) || module.in_test(call))
      continue;
    const NodeId function = module.function(call);
    const bool in_loop = module.loop(call) != kNoNode;
    const bool again = function != kNoNode && module.function_name(function) != "__init__" &&
                       called_repeatedly(module, function);
    if (!in_loop && !again) continue;
    if (behind_early_exit(module, call) || needs_loop(module, call, module.loop(call))) continue;
    if (tree.kind(tree.around(call, Kind::return_statement)) == Kind::return_statement &&
        module.statement(call) == tree.around(call, Kind::return_statement)) {
      continue; // a factory; whoever calls it may keep the result
    }
    report.at(call, Severity::warning,
              "wrapped anew each time: every call traces and compiles again",
              "wrap the function once, outside");
  }
  for (const NodeId definition : tree.all(Kind::decorated_definition)) {
    const NodeId loop = module.loop(definition);
    if (loop == kNoNode || module.in_test(definition) || few_turns(module, loop)) continue;
    if (needs_loop(module, definition, loop)) continue;
    for (const NodeId part : tree.children(definition)) {
      if (tree.kind(part) != Kind::decorator) continue;
      const NodeId what = tree.at(part, 0);
      const auto name = tree.kind(what) == Kind::call ? module.callee(what) : module.resolve(what);
      if (name == "tensorflow.function") {
        report.at(part, Severity::warning,
                  "defined anew in every turn: every turn traces and compiles again",
                  "define the function once, outside the loop");
      }
    }
  }
}

/// Calls of a tf.function with a number of Python that changes: a new trace each time.
void changing_scalars(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  std::set<std::string, std::less<>> traced;
  for (const NodeId definition : tree.all(Kind::decorated_definition)) {
    for (const NodeId part : tree.children(definition)) {
      if (tree.kind(part) != Kind::decorator) continue;
      const NodeId what = tree.at(part, 0);
      const auto name = tree.kind(what) == Kind::call ? module.callee(what) : module.resolve(what);
      const bool fixed =
          tree.kind(what) == Kind::call && module.keyword(what, "input_signature") != kNoNode;
      const bool relaxed =
          tree.kind(what) == Kind::call && module.keyword(what, "reduce_retracing") != kNoNode;
      if (name == "tensorflow.function" && !fixed && !relaxed) {
        traced.insert(std::string(
            module.text(tree.child(tree.child(definition, Field::definition), Field::name))));
      }
    }
  }
  if (traced.empty()) return;
  for (const NodeId call : tree.all(Kind::call)) {
    const NodeId loop = module.loop(call);
    if (loop == kNoNode || !traced.contains(module.called_name(call)) || module.in_test(call))
      continue;
    if (tree.kind(loop) != Kind::for_statement || few_turns(module, loop)) continue;
    const NodeId over = tree.child(loop, Field::right);
    const NodeId target = tree.child(loop, Field::left);
    const bool range = tree.kind(over) == Kind::call && module.callee(over) == "range";
    const bool counted = tree.kind(over) == Kind::call && module.callee(over) == "enumerate";
    if (!range && !counted) continue;
    const NodeId number = range ? target : tree.at(target, 0);
    if (tree.kind(number) != Kind::identifier) continue;
    for (const NodeId argument : tree.children(tree.child(call, Field::arguments))) {
      const NodeId value = tree.kind(argument) == Kind::keyword_argument
                               ? tree.child(argument, Field::value)
                               : argument;
      if (tree.kind(value) == Kind::identifier && module.text(value) == module.text(number)) {
        report.at(call, Severity::warning,
                  "a Python number that changes is part of the trace: a new one in every turn",
                  "pass a tensor: tf.constant(" + std::string(module.text(number)) + ")");
      }
    }
  }
}

// --- losses that keep their graphs
// -----------------------------------------------------------------

/// Names in a loop whose tensors carry a graph: what backward() is called on, and what flows into
/// it.
std::set<std::string, std::less<>> graph_names(const Module& module, NodeId loop) {
  const auto& tree = module.tree();
  std::set<std::string, std::less<>> names;
  for (NodeId id = loop; id < tree[loop].end; ++id) {
    if (tree.kind(id) == Kind::call && module.called_name(id) == "backward") {
      const NodeId object = module.receiver(id);
      if (tree.kind(object) == Kind::identifier) names.insert(std::string(module.text(object)));
    }
  }
  for (bool more = true; more;) {
    more = false;
    for (NodeId id = loop; id < tree[loop].end; ++id) {
      if (tree.kind(id) != Kind::assignment && tree.kind(id) != Kind::augmented_assignment)
        continue;
      const NodeId left = tree.child(id, Field::left);
      if (tree.kind(left) != Kind::identifier || !names.contains(module.text(left))) continue;
      const NodeId right = tree.child(id, Field::right);
      const auto add = [&](NodeId node) {
        if (tree.kind(node) == Kind::identifier && !module.text(node).empty() &&
            (contains(module.text(node), "loss") || contains(module.text(node), "err") ||
             tree.kind(right) == Kind::binary_operator)) {
          more = names.insert(std::string(module.text(node))).second || more;
        }
      };
      if (tree.kind(right) == Kind::identifier) add(right);
      if (tree.kind(right) == Kind::call) { // loss = criterion(output, y): the output of a model
        for (const NodeId part : tree.children(tree.child(right, Field::arguments))) {
          if (tree.kind(part) != Kind::identifier) continue;
          const auto* binding = module.reaching(module.text(part), part);
          if (binding == nullptr || binding->type != Binding::Type::assigned ||
              !tree.inside(binding->at, loop))
            continue;
          const NodeId value = binding->value;
          const bool output = tree.kind(value) == Kind::call &&
                              names_model(module.called_name(value)) &&
                              module.called_name(value).front() >= 'a';
          if (output) more = names.insert(std::string(module.text(part))).second || more;
        }
      }
      if (tree.kind(right) == Kind::binary_operator) {
        for (NodeId part = right; part < tree[right].end; ++part) {
          const NodeId parent = tree.parent(part);
          if (tree.kind(parent) == Kind::binary_operator && tree.kind(part) == Kind::identifier) {
            const auto* binding = module.reaching(module.text(part), part);
            if (binding != nullptr && binding->type != Binding::Type::parameter &&
                tree.inside(binding->at, loop))
              add(part);
          }
        }
      }
    }
  }
  return names;
}

bool made_in(const Module& module, std::string_view name, NodeId loop) {
  const auto& tree = module.tree();
  for (NodeId id = loop; id < tree[loop].end; ++id) {
    if (tree.kind(id) != Kind::assignment) continue;
    const NodeId left = tree.child(id, Field::left);
    if (tree.kind(left) == Kind::identifier && module.text(left) == name) return true;
    if (tree.kind(left) == Kind::pattern_list) {
      for (const NodeId part : tree.children(left)) {
        if (module.text(part) == name) return true;
      }
    }
  }
  return false;
}

void kept_losses(const Module& module, lint::Report& report) {
  if (!module.imports("torch") && module.uses_framework()) return;
  const auto& tree = module.tree();
  for (const Kind kind : {Kind::for_statement, Kind::while_statement}) {
    for (const NodeId loop : tree.all(kind)) {
      if (module.dead(loop) || module.in_test(loop) || few_turns(module, loop)) continue;
      auto names = graph_names(module, loop);
      if (names.empty()) continue;
      for (int round = 0; round < 2; ++round) { // a list of losses in a list
        for (NodeId id = loop; id < tree[loop].end; ++id) {
          if (tree.kind(id) == Kind::call && module.called_name(id) == "append") {
            const NodeId value = module.argument(id, 0, {});
            const NodeId list = module.receiver(id);
            if (tree.kind(value) != Kind::identifier || !names.contains(module.text(value)))
              continue;
            if (made_in(module, module.text(list), loop)) {
              // A list of one turn; it matters once it is kept itself.
              const auto inner = std::string(module.text(list));
              bool escapes = false;
              for (NodeId other = loop; other < tree[loop].end; ++other) {
                if (tree.kind(other) == Kind::call && module.called_name(other) == "append" &&
                    module.text(module.argument(other, 0, {})) == inner &&
                    !made_in(module, module.text(module.receiver(other)), loop)) {
                  escapes = true;
                }
              }
              if (!escapes) continue;
              names.insert(inner);
            }
            report.at(id, Severity::warning,
                      "it is kept with the whole graph of its step: memory grows with every turn",
                      "append " + std::string(module.text(value)) + ".item(), or .detach()");
          }
          if (tree.kind(id) == Kind::augmented_assignment) {
            const NodeId left = tree.child(id, Field::left);
            const NodeId right = tree.child(id, Field::right);
            if (tree.kind(right) != Kind::identifier || !names.contains(module.text(right)))
              continue;
            if (names.contains(module.text(left)) || made_in(module, module.text(left), loop))
              continue;
            if (!contains(
                    module.text(id).substr(0, module.text(id).size() - module.text(right).size()),
                    "+="))
              continue;
            report.at(id, Severity::warning, "the sum keeps the graph of every turn: memory grows",
                      "add " + std::string(module.text(right)) + ".item()");
          }
        }
      }
    }
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  if (module.imports("keras") || module.imports("tensorflow")) models_in_loops(module, report);
  models_per_request(module, report);
  wrapped_again(module, report);
  changing_scalars(module, report);
  kept_losses(module, report);
}

} // namespace

extern constexpr Rule P18{
    .id = "P18",
    .slug = "leak-pattern",
    .title = "A loop keeps what it makes, or compiles again and again",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation =
        R"(Keras remembers each model that is made; in a loop they pile up on the GPU until
memory runs out. A `tf.function` that is wrapped anew, or called with changing Python numbers, is traced
and compiled each time. A PyTorch loss that is kept holds the graph of its whole step.)",
    .fix = R"(Clear the session at the top of the loop; wrap a function once; keep `loss.item()` or
`loss.detach()`.)",
    .references =
        R"(- [keras.utils.clear_session](https://keras.io/api/utils/config_utils/#clear_session-function))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
