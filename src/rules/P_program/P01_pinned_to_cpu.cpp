// The program asks for the CPU where it makes, loads or trains its model.
// Truth: a device scope or a device argument wins over the frameworks' own placement.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace gpuwhy::rules {
namespace {

using namespace program;

/// What runs under a device scope.
struct Work {
  bool model = false;  // makes, loads, trains or runs one
  bool layers = false; // convolutions, recurrent cells, Keras layers: more than products
  bool embeds = false; // looks rows of a table up: what trains beside it may stay with the table
};

bool belongs_on_host(const Module& module, NodeId call) {
  const auto callee = module.callee(call);
  const auto name = module.called_name(call);
  if (begins_with_name(callee, "tensorflow.summary") ||
      begins_with_name(callee, "tensorflow.data") || begins_with_name(callee, "tensorflow.io") ||
      begins_with_name(callee, "tensorflow.image") ||
      begins_with_name(callee, "keras.layers.Embedding") || callee == "tensorflow.py_function" ||
      begins_with_name(callee, "tensorflow.lookup") || callee == "multi_gpu_model" ||
      begins_with_name(callee, "tensorflow.strings")) {
    return true;
  }
  for (const auto& word : words_of(name)) {
    if (word == "embedding" || word == "lookup" || word == "summary" || word == "dataset" ||
        word == "restore" || word == "checkpoint" || word == "preprocess" || word == "batches" ||
        word == "plot" || word == "export" || word == "queue" || word == "decode" ||
        word == "average") {
      return true;
    }
  }
  return false;
}

/// A layer, as opposed to a plain product of matrices or an optimiser.
bool makes_layer(const Module& module, NodeId call) {
  const auto& callee = module.callee(call);
  return makes_model(module, call) && callee != "tensorflow.matmul" &&
         callee != "tensorflow.nn.xw_plus_b";
}

Work work_in(const Module& module, NodeId body) {
  const auto& tree = module.tree();
  Work work;
  if (body == kNoNode) return work;
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    if (belongs_on_host(module, id)) {
      work.embeds = work.embeds || contains(module.called_name(id), "embedding_lookup");
      continue;
    }
    const auto name = module.called_name(id);
    const bool bound = module.receiver(id) != kNoNode;
    work.layers = work.layers || makes_layer(module, id);
    work.model = work.model || makes_model(module, id) || names_work(name) ||
                 (!bound && names_model(name)) ||
                 (bound && names_model(name) && !begins_with_name(module.callee(id), "tensorflow"));
  }
  return work;
}

/// A scope that names a GPU in the same function or class: the author places things by hand.
bool gpu_scope_beside(const Module& module, NodeId scope) {
  const auto& tree = module.tree();
  const NodeId function = module.function(scope);
  const NodeId owner = module.class_of(scope);
  for (const NodeId call : tree.all(Kind::call)) {
    if (module.called_name(call) != "device" ||
        !device_of(module, module.argument(call, 0, "device_name")).is_gpu()) {
      continue;
    }
    const NodeId other = module.function(call);
    if (other == function || (owner != kNoNode && module.class_of(call) == owner)) return true;
  }
  return false;
}

/// A model is made once for several GPUs on the CPU: the documented way of multi_gpu_model and of
/// towers.
bool parallel_by_hand(const Module& module) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto name = module.called_name(call);
    if (name == "multi_gpu_model" || name == "average_gradients" || name == "DataParallel" ||
        name == "make_parallel" || name == "replica_device_setter") {
      return true;
    }
  }
  return false;
}

bool trains_outside(const Module& module, NodeId body) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    if (!tree.inside(call, body) && names_work(module.called_name(call)) &&
        module.called_name(call) != "main") {
      return true;
    }
  }
  return false;
}

bool measures(const Module& module, NodeId id) {
  if (module.imports("timeit") && mentions_gpu(module)) return true;
  const NodeId function = module.function(id);
  const NodeId owner = module.class_of(id);
  if (function != kNoNode && named_for_measuring(module.function_name(function))) return true;
  return owner != kNoNode &&
         named_for_measuring(module.text(module.tree().child(owner, Field::name)));
}

bool excused(const Module& module, NodeId id) {
  if (module.dead(id) || module.in_test(id) || chosen(module, id) || measures(module, id))
    return true;
  for (NodeId function = module.function(id); function != kNoNode;
       function = module.function(function)) {
    if (named_for_cpu(module.function_name(function)) && module.calls_of(function).empty())
      return true;
  }
  return false;
}

constexpr std::string_view kRemove =
    "remove the scope; TensorFlow places a model on the GPU by itself";

void tensorflow_scopes(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto callee = module.callee(call);
    const bool scope = callee == "tensorflow.device" || callee == "keras.device" ||
                       callee == "tensorflow.Graph.device";
    if (!scope || !device_of(module, module.argument(call, 0, "device_name")).is_cpu()) continue;
    if (excused(module, call)) continue;
    for (const NodeId body : bodies_of(module, call)) {
      const auto work = work_in(module, body);
      if (!work.model || (work.embeds && !work.layers)) continue;
      if (parallel_by_hand(module)) continue;
      if (gpu_scope_beside(module, call) && !trains_outside(module, body)) continue;
      auto& finding =
          report.at(call, Severity::error, "what is made and run in this scope stays on the CPU",
                    std::string(kRemove));
      const NodeId place = module.argument(call, 0, "device_name");
      if (module.tree().kind(place) == Kind::string) {
        report.edit(finding, module.tree()[place].begin_byte, module.tree()[place].end_byte,
                    "None");
        if (callee == "keras.device") finding.edit.reset();
      }
      break;
    }
  }
}

bool host_work(std::string_view name) {
  for (const auto& word : words_of(name)) {
    if (word == "restore" || word == "load" || word == "convert" || word == "init" ||
        word == "save" || word == "put" || word == "checkpoint" || word == "asarray" ||
        word == "array") {
      return true;
    }
  }
  return false;
}

bool jax_work(const Module& module, NodeId body) {
  const auto& tree = module.tree();
  if (body == kNoNode) return false;
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    const auto name = module.called_name(id);
    if (host_work(name)) continue;
    if (names_work(name) || name == "run" || name == "update" || name == "apply" ||
        contains(name, "step") || contains(name, "train") || name == "grad" ||
        name == "value_and_grad") {
      return true;
    }
  }
  return false;
}

void jax_places(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto callee = module.callee(call);
    if (!begins_with_name(callee, "jax") && callee != "functools.partial" && callee != "partial")
      continue;
    if (excused(module, call)) continue;
    if (callee == "jax.default_device" &&
        device_of(module, module.argument(call, 0, "device")).is_cpu()) {
      const auto bodies = bodies_of(module, call);
      if (std::any_of(bodies.begin(), bodies.end(),
                      [&](NodeId body) { return jax_work(module, body); })) {
        report.at(call, Severity::error, "JAX computes on the CPU in this scope",
                  "remove the scope; JAX uses the GPU by default");
      }
    }
    if (callee == "jax.config.update") {
      const auto name = module.fold(module.argument(call, 0, {}));
      if (name.is_string() && name.string == "jax_default_device" &&
          device_of(module, module.argument(call, 1, {})).is_cpu()) {
        report.at(call, Severity::error, "JAX's default device is set to the CPU",
                  "remove the line");
      }
      const auto value = module.fold(module.argument(call, 1, {}));
      const bool platform = name.is_string() &&
                            (name.string == "jax_platforms" || name.string == "jax_platform_name");
      if (platform && value.is_string() && value.string == "cpu") {
        report.at(call, Severity::error, "JAX is told to use the CPU platform only",
                  "remove the line");
      }
    }
    const bool compiles =
        callee == "jax.jit" || callee == "jax.pmap" ||
        (callee.ends_with("partial") &&
         begins_with_name(module.resolve(module.argument(call, 0, {})), "jax.jit"));
    if (!compiles) continue;
    const auto backend = module.fold(module.keyword(call, "backend"));
    if ((backend.is_string() && backend.string == "cpu") ||
        device_of(module, module.keyword(call, "device")).is_cpu()) {
      report.at(call, Severity::error, "this function is compiled for the CPU",
                "remove the backend or device argument");
    }
  }
}

void strategies(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto callee = module.callee(call);
    if (!begins_with_name(callee, "tensorflow.distribute")) continue;
    const auto devices =
        module.argument(call, 0, callee.ends_with("OneDeviceStrategy") ? "device" : "devices");
    bool cpu = device_of(module, devices).is_cpu();
    const auto list = module.fold(devices);
    if (callee.ends_with("MirroredStrategy") && list.type == Value::Type::list &&
        !list.items.empty()) {
      cpu = std::all_of(list.items.begin(), list.items.end(), [](const Value& item) {
        return item.is_string() && parse_device(item.string).is_cpu();
      });
    }
    if (!cpu || excused(module, call)) continue;
    report.at(call, Severity::error, "this strategy keeps every variable and step on the CPU",
              "use tf.distribute.get_strategy(), or a strategy over the GPUs");
  }
}

// --- PyTorch -------------------------------------------------------------------------------------

using Names = std::set<std::string, std::less<>>;

/// What is treated as a model somewhere: its parameters are asked for, it is set to eval.
Names treated_as_models(const Module& module) {
  Names names;
  for (const NodeId call : module.tree().all(Kind::call)) {
    const NodeId owner = module.receiver(call);
    const auto method = module.called_name(call);
    if (owner != kNoNode && (method == "parameters" || method == "load_state_dict" ||
                             method == "eval" || method == "zero_grad" || method == "state_dict")) {
      names.emplace(module.text(owner));
    }
  }
  return names;
}

/// The expression holds a model: by its name, by how it was made, by what is done with it.
bool is_model(const Module& module, NodeId expression, const Names& treated) {
  const auto& tree = module.tree();
  if (expression == kNoNode) return false;
  if (tree.kind(expression) == Kind::call) {
    const auto name = module.called_name(expression);
    return makes_model(module, expression) || names_model(name) || name == "eval" ||
           name == "train";
  }
  const auto name = tree.kind(expression) == Kind::attribute
                        ? module.text(tree.child(expression, Field::attribute))
                        : module.text(expression);
  if (names_model(name)) return true;
  return treated.contains(module.text(expression));
}

/// After this place the same function saves, exports or draws.
bool only_stored(const Module& module, NodeId place) {
  const auto& tree = module.tree();
  const NodeId function = module.function(place);
  for (const NodeId call : tree.all(Kind::call)) {
    if (call < place || module.function(call) != function) continue;
    for (const auto& word : words_of(module.called_name(call))) {
      if (word == "save" || word == "export" || word == "script" || word == "trace" ||
          word == "quantize" || word == "convert" || word == "dump" || word == "onnx" ||
          word == "savefig" || word == "scatter" || word == "freeze" || word == "prune" ||
          word == "half" || word == "merge") {
        return true;
      }
    }
  }
  return false;
}

/// Some `.to(x)` of this name goes to a place that is not known: it comes and goes.
bool moved_elsewhere(const Module& module, NodeId object, NodeId self) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (call == self || module.called_name(call) != "to" || module.receiver(call) == kNoNode)
      continue;
    if (module.text(module.receiver(call)) == module.text(object) &&
        !device_of(module, module.argument(call, 0, "device")).is_cpu()) {
      return true;
    }
  }
  return false;
}

bool runs_model(const Module& module) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.called_name(call);
    if (name == "backward" || names_work(name)) return true;
    if (module.receiver(call) == kNoNode && names_model(name)) return true;
    const auto callee = module.callee(call);
    if (callee == "torch.no_grad" || callee == "torch.inference_mode") return true;
    if (tree.kind(tree.child(call, Field::function)) == Kind::attribute &&
        module.text(module.receiver(call)) == "self" && names_model(name)) {
      return true;
    }
  }
  return false;
}

/// torch is imported, or a fragment trains as only torch does.
bool is_torch(const Module& module) {
  if (module.imports("torch")) return true;
  if (module.uses_framework()) return false;
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.called_name(call) == "backward" || module.called_name(call) == "zero_grad")
      return true;
  }
  return false;
}

/// What a loop around `place` takes out of its data.
bool is_batch(const Module& module, NodeId expression, NodeId place) {
  const auto& tree = module.tree();
  while (tree.kind(expression) == Kind::call || tree.kind(expression) == Kind::attribute ||
         tree.kind(expression) == Kind::subscript) {
    const NodeId inner = tree.kind(expression) == Kind::call ? module.receiver(expression)
                         : tree.kind(expression) == Kind::attribute
                             ? tree.child(expression, Field::object)
                             : tree.child(expression, Field::value);
    if (inner == kNoNode) return false;
    expression = inner;
  }
  if (tree.kind(expression) != Kind::identifier) return false;
  for (NodeId loop = module.loop(place); loop != kNoNode; loop = module.loop(loop)) {
    const NodeId target = tree.child(loop, Field::left);
    if (target == kNoNode) continue;
    for (NodeId id = target; id < tree[target].end; ++id) {
      if (tree.kind(id) == Kind::identifier && module.text(id) == module.text(expression))
        return true;
    }
  }
  return false;
}

bool trains_in_function(const Module& module, NodeId place) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.called_name(call) == "backward" && module.function(call) == module.function(place))
      return true;
  }
  return false;
}

void torch_moves(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  if (!is_torch(module) || !runs_model(module)) return;
  const auto treated = treated_as_models(module);
  const bool knows_gpu =
      mentions_gpu(module); // then a literal .to("cpu") may be a pause on the host
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.called_name(call);
    const NodeId object = module.receiver(call);
    if (object == kNoNode || (name != "to" && name != "cpu")) continue;
    const auto device = name == "cpu" ? Device{Device::Type::cpu, {}, call}
                                      : device_of(module, module.argument(call, 0, "device"));
    if (!device.is_cpu() || excused(module, call)) continue;
    if (!knows_gpu && !is_model(module, object, treated) && is_batch(module, object, call) &&
        trains_in_function(module, call) && tree.inside(device.origin, call)) {
      report.at(call, Severity::error, "each batch is put on the CPU before the step",
                "move it to the model's device");
      continue;
    }
    if (!is_model(module, object, treated)) continue;
    if (device.origin != kNoNode && excused(module, device.origin)) continue;
    if (only_stored(module, call) || moved_elsewhere(module, object, call)) continue;
    if (knows_gpu && tree.inside(device.origin, call)) continue;
    report.at(tree.inside(device.origin, call) ? call : device.origin, Severity::error,
              "the model is put on the CPU and used there",
              "choose the device: \"cuda\" if torch.cuda.is_available() else \"cpu\"");
  }
}

/// Constructors and trainers that are told to use the CPU.
void device_arguments(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  if (!module.uses_framework()) return;
  const auto treated = treated_as_models(module);
  for (const NodeId call : tree.all(Kind::call)) {
    const auto callee = module.callee(call);
    const auto name = module.called_name(call);
    if (name == "load" || name == "to" || begins_with_name(callee, "jax") || name == "device")
      continue;
    const bool tensor = begins_with_name(callee, "torch") && !begins_with_name(callee, "torch.nn");
    if (callee == "torch.set_default_device" &&
        device_of(module, module.argument(call, 0, "device")).is_cpu() && !mentions_gpu(module) &&
        !excused(module, call)) {
      report.at(call, Severity::error, "every new tensor and module is put on the CPU",
                "remove the line");
      continue;
    }
    if (tensor || begins_with_name(callee, "tensorflow")) continue;
    const bool made = names_model(name) || makes_whole_model(module, call) || name == "Trainer" ||
                      name == "pipeline" || name == "SentenceTransformer" || name == "load_model" ||
                      name == "train" || name == "predict" || name == "fit" || name == "PPO" ||
                      name == "DQN" || name == "SAC" || name == "A2C" || name == "TD3" ||
                      (tree.kind(tree.parent(call)) == Kind::assignment &&
                       is_model(module, tree.child(tree.parent(call), Field::left), treated));
    const bool arguments_class = name == "TrainingArguments" || name == "Seq2SeqTrainingArguments";
    if (!made && !arguments_class) continue;
    NodeId at = kNoNode;
    for (const std::string_view key : {"device", "accelerator", "device_map"}) {
      const NodeId value = module.keyword(call, key);
      if (value != kNoNode && device_of(module, value).is_cpu())
        at = device_of(module, value).origin;
    }
    const NodeId first = module.argument(call, 0, {});
    if (at == kNoNode && made && tree.kind(first) == Kind::string &&
        device_of(module, first).is_cpu())
      at = first;
    for (const std::string_view key : {"use_cpu", "no_cuda"}) {
      const auto value = module.fold(module.keyword(call, key));
      if (arguments_class && value.as_truth().value_or(false)) at = value.origin;
    }
    const auto number = module.fold(module.keyword(call, name == "pipeline" ? "device" : "gpus"));
    if ((name == "pipeline" && number.is_integer() && number.integer == -1) ||
        (name == "Trainer" && number.is_integer() && number.integer == 0)) {
      at = number.origin;
    }
    if (at == kNoNode || excused(module, call) || excused(module, at)) continue;
    if (mentions_gpu(module) && !arguments_class && name != "Trainer") continue;
    if (only_stored(module, call)) continue;
    report.at(tree.inside(at, call) ? call : at, Severity::error,
              "the model is told to run on the CPU",
              "leave the argument out, or choose the GPU where there is one");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  tensorflow_scopes(module, report);
  strategies(module, report);
  jax_places(module, report);
  torch_moves(module, report);
  device_arguments(module, report);
}

} // namespace

extern constexpr Rule P01{
    .id = "P01",
    .slug = "pinned-to-cpu",
    .title = "The program puts its model on the CPU",
    .since = "0.1",
    .gate = Gate::code,
    .explanation = R"(A device scope (`tf.device('/CPU:0')`, `jax.default_device`), a one-device
strategy or a device argument (`.to("cpu")`, `device="cpu"`) decides where variables live and where
their steps run. It wins over the frameworks' own choice, which is the GPU. A scope reaches to the
end of its block, and what was made in it stays where it was made: a GPU scope around the training
does not move it.

Embedding tables, input pipelines and summaries are meant for the CPU and are not reported.)",
    .fix = R"(Remove the scope or the argument. In PyTorch choose the device once,
`"cuda" if torch.cuda.is_available() else "cpu"`, and use it everywhere.)",
    .references = R"(- [Use a GPU](https://www.tensorflow.org/guide/gpu))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
