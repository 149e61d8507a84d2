// Steps that run as Python on the host: eager training, Python inside a graph, Python loops over
// tensors. Truth: compile(run_eagerly=True) and its kin; tf.py_function's documentation; one kernel
// an op and turn.
#include "program/frameworks.h"
#include "rules/P_program/dataset_chains.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

bool excused(const Module& module, NodeId id) {
  return module.dead(id) || module.in_test(id) || chosen(module, id);
}

void eager_mode(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  const auto drop_keyword = [&](CodeFinding& finding, NodeId value) {
    const NodeId argument = tree.parent(value);
    if (tree.kind(argument) == Kind::keyword_argument && tree.kind(value) == Kind::true_) {
      report.edit(finding, tree[value].begin_byte, tree[value].end_byte, "False");
    }
  };
  for (const NodeId call : tree.all(Kind::call)) {
    const auto& callee = module.callee(call);
    const NodeId flag =
        module.called_name(call) == "compile" ? module.keyword(call, "run_eagerly") : kNoNode;
    if (flag != kNoNode && module.fold(flag).as_truth().value_or(false) && !excused(module, call)) {
      auto& finding =
          report.at(flag, Severity::warning, "every training step runs op by op from Python",
                    "remove run_eagerly=True; it is for debugging");
      drop_keyword(finding, flag);
    }
    const bool switch_on = callee == "tensorflow.config.run_functions_eagerly" ||
                           callee == "tensorflow.config.experimental_run_functions_eagerly" ||
                           callee == "tensorflow.config.functions_run_eagerly" ||
                           callee == "keras.config.run_functions_eagerly";
    const bool no_jit = callee == "jax.config.update" &&
                        module.fold(module.argument(call, 0, {})).string == "jax_disable_jit" &&
                        module.fold(module.argument(call, 1, {})).as_truth().value_or(false);
    if (no_jit && !excused(module, call)) {
      report.at(call, Severity::warning, "nothing is compiled: JAX runs op by op from Python",
                "remove the line; it is for debugging");
    }
    if (!switch_on || callee.ends_with("functions_run_eagerly")) continue;
    const NodeId value = module.argument(call, 0, "run_eagerly");
    if (module.fold(value).as_truth().value_or(false) && !excused(module, call)) {
      auto& finding = report.at(call, Severity::warning,
                                "no tf.function is compiled: all steps run from Python",
                                "remove the line; it is for debugging");
      if (tree.kind(value) == Kind::true_) {
        report.edit(finding, tree[value].begin_byte, tree[value].end_byte, "False");
      }
    }
  }
  for (const NodeId assignment : tree.all(Kind::assignment)) { // model.run_eagerly = True
    const NodeId left = tree.child(assignment, Field::left);
    if (tree.kind(left) != Kind::attribute ||
        module.text(tree.child(left, Field::attribute)) != "run_eagerly")
      continue;
    const NodeId object = tree.child(left, Field::object);
    if (!names_model(module.text(object)) && module.text(object) != "self") continue;
    if (module.text(object) == "self" &&
        tree.kind(tree.child(assignment, Field::right)) != Kind::true_)
      continue;
    if (module.fold(tree.child(assignment, Field::right)).as_truth().value_or(false) &&
        !excused(module, assignment)) {
      report.at(assignment, Severity::warning, "every training step runs op by op from Python",
                "remove the line");
    }
  }
}

bool in_dataset_map(const Module& module, NodeId call) {
  const auto& tree = module.tree();
  for (NodeId at = tree.parent(call); at != kNoNode; at = tree.parent(at)) {
    if (tree.kind(at) == Kind::call &&
        (module.called_name(at) == "map" || module.called_name(at) == "flat_map" ||
         module.called_name(at) == "interleave")) {
      return true;
    }
  }
  const NodeId function = module.function(call);
  if (function == kNoNode) return false;
  const auto name = module.function_name(function);
  if (name.empty()) return false;
  for (const NodeId map : tree.all(Kind::call)) {
    if (module.called_name(map) != "map" || module.receiver(map) == kNoNode) continue;
    const auto given = module.text(module.argument(map, 0, "map_func"));
    if (given == name || given.ends_with("." + std::string(name)) ||
        contains(given, std::string(name) + "("))
      return true;
  }
  return false;
}

/// A loss, a layer's call, a step: run for each batch of a training.
bool hot(const Module& module, NodeId call) {
  const auto name = lower(module.function_name(module.function(call)));
  return contains(name, "loss") || name == "call" || contains(name, "step") || name == "__call__" ||
         contains(name, "forward");
}

/// A map whose results are kept: its Python runs once.
bool cached(const Module& module, NodeId call, const std::vector<DatasetChain>& chains) {
  const auto& tree = module.tree();
  const NodeId statement = module.statement(call);
  const NodeId assignment =
      tree.kind(statement) == Kind::expression_statement ? tree.at(statement, 0) : kNoNode;
  if (tree.kind(assignment) == Kind::assignment) { // of a dataset from elsewhere: by its name
    const auto name = module.text(tree.child(assignment, Field::left));
    for (const NodeId later : tree.all(Kind::call)) {
      if (later > call && module.called_name(later) == "cache" &&
          module.text(module.receiver(later)).starts_with(name) &&
          module.function(later) == module.function(call)) {
        return true;
      }
    }
  }
  for (const auto& chain : chains) {
    for (const auto& map : chain.maps) {
      if (map.cached && module.tree().inside(call, map.call)) return true;
    }
  }
  return false;
}

void python_in_graph(const Module& module, lint::Report& report) {
  const auto chains = dataset_chains(module);
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto& callee = module.callee(call);
    const bool python = callee == "tensorflow.py_function" ||
                        callee == "tensorflow.numpy_function" || callee == "tensorflow.py_func" ||
                        callee == "tensorflow.contrib.eager.py_func" ||
                        callee == "tensorflow.contrib.framework.py_func";
    bool at_times = false; // inside tf.cond: not in every step
    for (NodeId at = module.tree().parent(call); at != kNoNode && python;
         at = module.tree().parent(at)) {
      at_times = at_times ||
                 (module.tree().kind(at) == Kind::call && module.callee(at) == "tensorflow.cond");
    }
    if (!python || at_times || module.dead(call) || module.in_test(call) ||
        cached(module, call, chains))
      continue;
    if (in_dataset_map(module, call)) {
      report.at(call, Severity::info,
                "Python runs for each element under the interpreter's lock: parallel calls wait "
                "for each other",
                "write the step with TensorFlow ops, or prepare the data once beforehand");
    } else {
      report.at(call, hot(module, call) ? Severity::warning : Severity::info,
                std::string("Python on the CPU inside the graph: ") +
                    (hot(module, call) ? "the GPU waits for it in every step"
                                       : "where this is part of a step, the GPU waits for it"),
                "write it with TensorFlow ops");
    }
  }
}

/// The extent of a tensor: tf.shape(x)[1], x.shape[0], x.size(0), or a name that says so.
bool is_extent(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  if (tree.kind(expression) == Kind::identifier) { // batch, steps, size = x.shape
    const auto* binding = module.reaching(module.text(expression), expression);
    if (binding != nullptr && binding->value == kNoNode &&
        tree.kind(binding->at) == Kind::assignment) {
      const NodeId right = tree.child(binding->at, Field::right);
      const auto words = module.text(right);
      if (tree.kind(right) == Kind::attribute && words.ends_with(".shape")) return true;
      if (tree.kind(right) != Kind::call) return false;
      return module.callee(right) == "tensorflow.shape" ||
             (module.called_name(right) == "size" && module.positional_count(right) == 0 &&
              module.imports("torch"));
    }
  }
  expression = module.deref(expression);
  if (tree.kind(expression) == Kind::subscript) {
    const NodeId value = tree.child(expression, Field::value);
    if (tree.kind(value) == Kind::call) return module.callee(value) == "tensorflow.shape";
    return tree.kind(value) == Kind::attribute &&
           module.text(tree.child(value, Field::attribute)) == "shape";
  }
  if (tree.kind(expression) == Kind::call) {
    const auto name = module.called_name(expression);
    return name == "size" && module.receiver(expression) != kNoNode && module.imports("torch");
  }
  return false;
}

/// A slice or element of a tensor by the loop's variable: x[:, t].
bool uses_turn(const Module& module, NodeId body, std::string_view variable) {
  const auto& tree = module.tree();
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::subscript) continue;
    for (NodeId part = id; part < tree[id].end; ++part) {
      if (tree.kind(part) == Kind::identifier && module.text(part) == variable) return true;
    }
  }
  return false;
}

/// Framework ops in a block: tf.matmul(...), a layer applied.
bool calls_ops(const Module& module, NodeId body) {
  const auto& tree = module.tree();
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    const auto& callee = module.callee(id);
    if (begins_with_name(callee, "tensorflow.data") ||
        begins_with_name(callee, "tensorflow.summary") ||
        begins_with_name(callee, "tensorflow.io") || begins_with_name(callee, "tensorflow.print")) {
      continue;
    }
    const auto last = std::string_view(callee).substr(callee.rfind('.') + 1);
    if (begins_with_name(callee, "tensorflow") || begins_with_name(callee, "torch") ||
        begins_with_name(callee, "jax.numpy") || begins_with_name(callee, "keras.ops")) {
      return !last.empty() && last.front() >= 'a' && last.front() <= 'z' && last != "append";
    }
  }
  return false;
}

/// The name holds a layer that this function made.
bool holds_layer(const Module& module, NodeId identifier) {
  const NodeId value = module.deref(identifier);
  return module.tree().kind(value) == Kind::call &&
         begins_with_name(module.callee(value), "keras.layers");
}

bool applies_layer(const Module& module, NodeId body) {
  const auto& tree = module.tree();
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) == Kind::call && holds_layer(module, tree.child(id, Field::function)))
      return true;
  }
  return false;
}

bool on_host(const Module& module, NodeId body) {
  const auto words = module.text(body);
  return contains(words, ".numpy()") || contains(words, "np.") || contains(words, "plt.") ||
         contains(words, "print(") || contains(words, ".item()") || contains(words, "yield");
}

void python_loops(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  const auto look = [&](NodeId loop, NodeId target, NodeId over, NodeId body) {
    if (tree.kind(over) != Kind::call || module.callee(over) != "range" || body == kNoNode) return;
    if (tree.kind(target) != Kind::identifier || excused(module, loop)) return;
    const auto count = module.positional_count(over);
    const NodeId end = module.argument(over, count > 1 ? 1 : 0, {});
    const bool extent = is_extent(module, end);
    const bool layer = applies_layer(module, body);
    if (!extent && !layer) return;
    if (on_host(module, body)) return;
    for (const auto& word : words_of(module.text(target))) {
      if (word == "dim" || word == "axis" || word == "ndim") return; // a few axes, not an extent
    }
    if (extent && !(uses_turn(module, body, module.text(target)) && calls_ops(module, body)) &&
        !layer)
      return;
    const auto turns = module.fold(end);
    if (turns.is_integer() && turns.integer <= 8) return;
    if (layer && !extent && tree.kind(loop) == Kind::for_statement) {
      if (!uses_turn(module, body, module.text(target))) return;
    }
    report.at(loop, Severity::warning,
              "a Python loop over a tensor's extent: each turn launches small kernels of its own",
              "do it in one op over the whole axis, or with tf.scan, tf.vectorized_map, torch.vmap "
              "or jax.lax.scan");
  };
  for (const NodeId loop : tree.all(Kind::for_statement)) {
    look(loop, tree.child(loop, Field::left), tree.child(loop, Field::right),
         tree.child(loop, Field::body));
  }
  for (const Kind kind : {Kind::list_comprehension, Kind::generator_expression}) {
    for (const NodeId comprehension : tree.all(kind)) {
      const NodeId clause = tree.at(comprehension, 1);
      if (tree.kind(clause) != Kind::for_in_clause) continue;
      const NodeId body = tree.child(comprehension, Field::body);
      look(comprehension, tree.child(clause, Field::left), tree.child(clause, Field::right), body);
    }
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module || !unit.module->uses_framework()) return;
  eager_mode(*unit.module, report);
  python_in_graph(*unit.module, report);
  python_loops(*unit.module, report);
}

} // namespace

extern constexpr Rule P07{
    .id = "P07",
    .slug = "cpu-only-ops",
    .title = "Steps run as Python on the CPU",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation =
        R"(The GPU is fed by the host. With `run_eagerly=True` each op of a step is sent from
Python; `tf.py_function` and `tf.numpy_function` run Python on the CPU in the middle of a graph; a
Python loop over a tensor's axis launches many tiny kernels instead of one. The GPU then waits most of
the time.)",
    .fix =
        R"(Compile the step (`tf.function`, the default of `fit`), write it with the framework's own
ops, and work on whole axes.)",
    .references =
        R"(- [Better performance with tf.function](https://www.tensorflow.org/guide/function))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
