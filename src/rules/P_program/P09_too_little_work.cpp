// Steps so small that launching them costs more than computing them.
// Truth: a kernel launch costs microseconds whatever it computes; a GPU computes thousands of rows
// at once.
#include "program/frameworks.h"
#include "rules/P_program/dataset_chains.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

constexpr std::int64_t kTinyBatch = 8;
constexpr std::int64_t kTinyGlobalBatch = 8;
constexpr std::int64_t kTinyUnits = 64;
constexpr std::int64_t kTinyInput = 16;

bool excused(const Module& module, NodeId id) {
  const NodeId function = module.function(id);
  return module.dead(id) || module.in_test(id) ||
         (function != kNoNode && named_for_measuring(module.function_name(function)));
}

bool has_strategy(const Module& module) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.callee(call).ends_with("MirroredStrategy")) return true;
  }
  return false;
}

/// The batch size of a call that feeds a training; kNoNode without.
NodeId batch_size(const Module& module, NodeId call, bool trains_torch) {
  const auto name = module.called_name(call);
  if (name == "DataLoader" && trains_torch) return module.argument(call, 1, "batch_size");
  if (name == "fit" && module.argument(call, 2, {}) != kNoNode) return module.argument(call, 2, {});
  if (name == "fit" || name == "flow_from_directory" || name == "flow_from_dataframe" ||
      name == "flow" || contains(name, "dataset_from_directory")) {
    return module.keyword(call, "batch_size");
  }
  return kNoNode;
}

/// A call that only Keras has: fit(..., workers=0), predict(..., verbose=1).
bool keras_call(const Module& module, NodeId call) {
  for (const std::string_view word :
       {"workers", "verbose", "steps_per_epoch", "validation_data", "epochs", "steps"}) {
    if (module.keyword(call, word) != kNoNode) return true;
  }
  return module.uses_framework();
}

/// seq = Photos(..., batch_size=1); model.predict(seq)
void fed_by_name(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.called_name(call);
    const bool runs = name == "fit" || name == "fit_generator" || name == "predict" ||
                      name == "predict_generator" || name == "evaluate_generator" ||
                      name == "evaluate";
    if (!runs || module.receiver(call) == kNoNode || excused(module, call)) continue;
    const NodeId data = module.argument(call, 0, "x");
    const NodeId made = module.deref(data);
    if (made == data || tree.kind(made) != Kind::call ||
        module.keyword(made, "batch_size") == kNoNode)
      continue;
    const auto size = module.fold(module.keyword(made, "batch_size"));
    if (!size.is_integer() || size.integer < 1 || size.integer > kTinyBatch ||
        !keras_call(module, call))
      continue;
    report.at(size.origin, Severity::info,
              "a batch of " + std::to_string(size.integer) +
                  " gives the GPU little to do in a step",
              "use a larger batch, as far as memory allows");
  }
}

void tiny_batches(const Module& module, lint::Report& report) {
  const bool shared = has_strategy(module);
  bool trains_torch = false;
  for (const NodeId call : module.tree().all(Kind::call)) {
    trains_torch =
        trains_torch || (module.called_name(call) == "backward" && module.loop(call) != kNoNode);
  }
  for (const auto& chain : dataset_chains(module)) {
    const bool fitted = module.tree().kind(chain.consumer) == Kind::call &&
                        module.called_name(chain.consumer) == "fit";
    if (!fitted || chain.derived || chain.batch == kNoNode) continue;
    const auto size = module.fold(module.argument(chain.batch, 0, "batch_size"));
    if (!size.is_integer() || size.integer < 1 || size.integer > kTinyBatch ||
        excused(module, chain.batch))
      continue;
    report.at(size.origin, Severity::info,
              "a batch of " + std::to_string(size.integer) +
                  " gives the GPU little to do in a step",
              "use a larger batch, as far as memory allows");
  }
  fed_by_name(module, report);
  for (const NodeId call : module.tree().all(Kind::call)) {
    const NodeId given = batch_size(module, call, trains_torch);
    const auto size = module.fold(given);
    if (!size.is_integer() || size.integer < 1 || excused(module, call)) continue;
    if (size.integer > (shared ? kTinyGlobalBatch : kTinyBatch)) continue;
    report.at(size.origin, Severity::info,
              shared ? "a global batch of " + std::to_string(size.integer) +
                           " is shared out among all GPUs"
                     : "a batch of " + std::to_string(size.integer) +
                           " gives the GPU little to do in a step",
              shared ? "give each replica a batch of its own: size * strategy.num_replicas_in_sync"
                     : "use a larger batch, as far as memory allows");
  }
}

/// One row: x[None], x[i:i+1], np.expand_dims(x, 0), x.reshape(1, -1).
bool single_row(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  const NodeId node = module.deref(expression);
  if (tree.kind(node) == Kind::subscript) {
    const NodeId index = tree.child(node, Field::subscript);
    if (tree.kind(index) == Kind::none || module.resolve(index) == "numpy.newaxis" ||
        module.resolve(index) == "tensorflow.newaxis") {
      return true;
    }
    const auto words = module.text(index);
    const auto colon = words.find(':');
    if (tree.kind(index) != Kind::slice || colon == std::string_view::npos) return false;
    const auto from = std::string(trim(words.substr(0, colon)));
    const auto to = replace_all(std::string(trim(words.substr(colon + 1))), " ", "");
    return !from.empty() && to == from + "+1";
  }
  if (tree.kind(node) != Kind::call) return false;
  const auto name = module.called_name(node);
  if (name == "unsqueeze") {
    const auto axis = module.fold(module.argument(node, 0, "dim"));
    return axis.is_integer() && axis.integer == 0;
  }
  if (name == "expand_dims") {
    const auto axis = module.fold(module.argument(node, 1, "axis"));
    return axis.is_integer() && axis.integer == 0;
  }
  if (name == "reshape") {
    const bool method = module.resolve(module.receiver(node)) != "numpy" &&
                        module.resolve(module.receiver(node)) != "tensorflow";
    auto shape = module.fold(module.argument(node, method ? 0 : 1, {}));
    if (shape.type == Value::Type::list && !shape.items.empty()) shape = shape.items.front();
    return shape.is_integer() && shape.integer == 1;
  }
  if (name == "array" || name == "asarray" || name == "stack") {
    const NodeId list = module.argument(node, 0, {});
    return tree.kind(list) == Kind::list && tree.count(list) == 1 &&
           tree.kind(tree.at(list, 0)) != Kind::list_comprehension;
  }
  return false;
}

/// In a loop, or in a function of this file that is called in one.
bool repeated(const Module& module, NodeId id, int depth = 0) {
  if (module.loop(id) != kNoNode) return true;
  const NodeId function = module.function(id);
  if (function == kNoNode || depth > 3) return false;
  for (const NodeId call : module.calls_of(function)) {
    if (!module.tree().inside(call, function) && repeated(module, call, depth + 1)) return true;
  }
  return false;
}

void single_rows(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto name = module.called_name(call);
    if (name.empty()) continue;
    const NodeId object = module.receiver(call);
    const bool step = name == "train_on_batch" || name == "predict" || name == "predict_on_batch" ||
                      name == "fit";
    const bool applied = object == kNoNode && names_model(name) && name.front() >= 'a' &&
                         name.front() <= 'z' && module.positional_count(call) == 1;
    if ((!applied && (!step || object == kNoNode)) || excused(module, call)) continue;
    const auto rows = module.argument(call, 0, "x");
    const bool single = rows != kNoNode && single_row(module, rows);
    const auto batch = module.fold(module.keyword(call, "batch_size"));
    if (!single || batch.is_integer() || !repeated(module, call)) continue;
    report.at(
        call, Severity::info,
        "one row a call, again and again: nearly all of the time goes into launching and copying",
        "collect rows and pass them together");
  }
}

/// What a Sequential model of few small layers computes in a step is less than its launch.
bool tiny_model(const Module& module) {
  const auto& tree = module.tree();
  int layers = 0;
  bool small_input = false;
  for (const NodeId call : tree.all(Kind::call)) {
    const auto& callee = module.callee(call);
    if (begins_with_name(callee, "keras.applications") || callee == "keras.models.load_model" ||
        callee == "keras.models.Model") {
      return false;
    }
    const bool input = callee == "keras.Input" || callee == "keras.layers.Input" ||
                       callee == "keras.layers.InputLayer";
    if (!begins_with_name(callee, "keras.layers") && !input) continue;
    NodeId shape = module.keyword(call, "input_shape");
    if (shape == kNoNode) shape = module.keyword(call, "input_dim");
    if (shape == kNoNode && input) shape = module.argument(call, 0, "shape");
    if (shape != kNoNode) {
      const auto value = module.fold(shape);
      std::int64_t product = value.is_integer() ? value.integer : 1;
      if (!value.known()) return false;
      for (const auto& item : value.items) {
        if (!item.is_integer() || item.integer > 4096) return false;
        product *= std::max<std::int64_t>(item.integer, 1);
        if (product > 1'000'000) return false;
      }
      if (product > kTinyInput) return false;
      small_input = true;
    }
    if (input) continue;
    if (callee == "keras.layers.Dropout" || callee == "keras.layers.Flatten" ||
        callee == "keras.layers.Activation")
      continue;
    const auto units = module.fold(module.argument(call, 0, "units"));
    if (!units.is_integer() || units.integer > kTinyUnits) return false;
    ++layers;
  }
  return small_input && layers > 0 && layers <= 4;
}

void tiny_nets(const Module& module, lint::Report& report) {
  if (!tiny_model(module)) return;
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.called_name(call) != "fit" || module.receiver(call) == kNoNode ||
        excused(module, call))
      continue;
    const auto batch = module.fold(module.keyword(call, "batch_size"));
    if (module.keyword(call, "batch_size") != kNoNode &&
        !(batch.is_integer() && batch.integer <= 64))
      continue;
    report.at(call, Severity::info, "the net is so small that a GPU is no faster than the CPU here",
              "use a large batch, or do not mind the GPU");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  if (!unit.module->uses_framework()) {
    fed_by_name(*unit.module, report);
    return;
  }
  tiny_batches(*unit.module, report);
  single_rows(*unit.module, report);
  tiny_nets(*unit.module, report);
}

} // namespace

extern constexpr Rule P09{
    .id = "P09",
    .slug = "too-little-work",
    .title = "A step gives the GPU too little work",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation =
        R"(Each op of a step costs the host some microseconds to launch, whatever its size.
With a batch of a few rows, one row a call or a net of a few hundred weights the GPU computes for a
fraction of that and waits for the rest; a CPU is as fast. This is advice, not a fault.)",
    .fix = R"(A larger batch, several steps an execution (`steps_per_execution`), or the CPU.)",
    .references =
        R"(- [Optimize TensorFlow GPU performance](https://www.tensorflow.org/guide/gpu_performance_analysis))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
