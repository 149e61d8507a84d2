// PyTorch's models and those of the libraries on top of it: moved to the CPU, or told to run there.
// Truth: torch.nn.Module.to, torch.set_default_device; the device arguments of Lightning,
// Transformers, stable-baselines3 and Ultralytics.
#include "rules/P_program/placement.h"

#include "base/text.h"
#include "program/frameworks.h"

#include <set>

namespace gpuwhy::rules {
namespace {

using namespace program;

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
    const auto& callee = module.callee(call);
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
      pin(report, call, "torch", "each batch is put on the CPU before the step",
          "move it to the model's device");
      continue;
    }
    if (!is_model(module, object, treated)) continue;
    if (device.origin != kNoNode && excused(module, device.origin)) continue;
    if (only_stored(module, call) || moved_elsewhere(module, object, call)) continue;
    if (knows_gpu && tree.inside(device.origin, call)) continue;
    pin(report, tree.inside(device.origin, call) ? call : device.origin, "torch",
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
    const auto& callee = module.callee(call);
    const auto name = module.called_name(call);
    if (name == "load" || name == "to" || begins_with_name(callee, "jax") || name == "device")
      continue;
    const bool tensor = begins_with_name(callee, "torch") && !begins_with_name(callee, "torch.nn");
    if (callee == "torch.set_default_device" &&
        device_of(module, module.argument(call, 0, "device")).is_cpu() && !mentions_gpu(module) &&
        !excused(module, call)) {
      pin(report, call, "torch", "every new tensor and module is put on the CPU",
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
    pin(report, tree.inside(at, call) ? call : at, "", "the model is told to run on the CPU",
        "leave the argument out, or choose the GPU where there is one");
  }
}

} // namespace

void torch_pins(const Module& module, lint::Report& report) {
  torch_moves(module, report);
  device_arguments(module, report);
}

} // namespace gpuwhy::rules
