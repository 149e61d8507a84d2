// Devices are configured after TensorFlow opened them, or in a way that TensorFlow refuses.
// Truth: the checks of tensorflow/python/eager/context.py: RuntimeError once the context exists,
// ValueError for growth beside a virtual device or for growth that differs between GPUs.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using namespace program;

bool grows(std::string_view callee) {
  return callee == "tensorflow.config.set_memory_growth";
}

bool configures(std::string_view callee) {
  return grows(callee) || callee == "tensorflow.config.set_visible_devices" ||
         callee == "tensorflow.config.set_virtual_device_configuration" ||
         callee == "tensorflow.config.set_logical_device_configuration";
}

/// The handler around a call that keeps the error from the reader; kNoNode without.
NodeId handler(const Module& module, NodeId call) {
  const auto& tree = module.tree();
  const NodeId attempt = tree.around(call, Kind::try_statement);
  if (attempt == kNoNode || !tree.inside(call, tree.child(attempt, Field::body))) return kNoNode;
  for (const NodeId clause : tree.children(attempt)) {
    if (tree.kind(clause) != Kind::except_clause) continue;
    for (NodeId id = clause; id < tree[clause].end; ++id) {
      if (tree.kind(id) == Kind::raise_statement) return kNoNode;
    }
    return clause;
  }
  return kNoNode;
}

/// The call that opened the devices before `call` in the order of execution.
NodeId opened_before(const Module& module, NodeId call) {
  for (const auto& trace : module.traces()) {
    const auto here = std::find(trace.begin(), trace.end(), call);
    if (here == trace.end()) continue;
    for (auto at = trace.begin(); at != here; ++at) {
      if (module.tree().kind(*at) != Kind::call || !opens_tensorflow(module, *at)) continue;
      if (module.exclusive(*at, call) || module.dead(*at)) continue;
      return *at;
    }
    return kNoNode;
  }
  return kNoNode;
}

/// The function gets a model that somebody built: the devices are open.
NodeId receives_model(const Module& module, NodeId call) {
  const auto& tree = module.tree();
  const NodeId function = module.function(call);
  if (function == kNoNode || tree.kind(function) != Kind::function_definition) return kNoNode;
  for (const NodeId part : tree.children(tree.child(function, Field::parameters))) {
    if (tree.kind(part) != Kind::identifier && tree.kind(part) != Kind::typed_parameter) continue;
    const NodeId name = tree.kind(part) == Kind::identifier ? part : tree.at(part, 0);
    for (const NodeId use : tree.all(Kind::call)) {
      if (!tree.inside(use, function) || module.receiver(use) == kNoNode) continue;
      const auto method = module.called_name(use);
      if (module.text(module.receiver(use)) == module.text(name) &&
          (method == "predict" || method == "fit" || method == "train_on_batch" ||
           method == "predict_on_batch")) {
        return part;
      }
    }
  }
  return kNoNode;
}

/// `gpus[0]`, or the only turn of a loop over `gpus[:1]`: one of perhaps several.
bool one_of_list(const Module& module, NodeId device) {
  const auto& tree = module.tree();
  const NodeId node = module.deref(device);
  if (tree.kind(node) == Kind::subscript) {
    return module.fold(tree.child(node, Field::subscript)).is_integer() &&
           device_list(module, tree.child(node, Field::value)).is_gpu();
  }
  if (tree.kind(node) != Kind::identifier) return false;
  const auto* binding = module.reaching(module.text(node), node);
  if (binding == nullptr || binding->type != Binding::Type::loop) return false;
  const NodeId over = tree.child(binding->at, Field::right);
  return tree.kind(over) == Kind::subscript &&
         module.text(tree.child(over, Field::subscript)) == ":1" &&
         device_list(module, tree.child(over, Field::value)).is_gpu();
}

/// Only one GPU is visible, or only one exists.
bool single_gpu(const Unit& unit) {
  const auto& module = *unit.module;
  if (unit.machine.gpus && *unit.machine.gpus <= 1) return true;
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.callee(call) == "tensorflow.config.set_visible_devices") return true;
  }
  for (const NodeId name : module.tree().all(Kind::string_content)) {
    if (module.text(name) == "CUDA_VISIBLE_DEVICES") return true;
  }
  return false;
}

std::string key_of(const Module& module, NodeId device) {
  return std::string(module.text(module.deref(device)));
}

void growth_beside_limit(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId limit : tree.all(Kind::call)) {
    const auto& callee = module.callee(limit);
    if (callee != "tensorflow.config.set_virtual_device_configuration" &&
        callee != "tensorflow.config.set_logical_device_configuration") {
      continue;
    }
    for (const NodeId growth : tree.all(Kind::call)) {
      if (!grows(module.callee(growth)) || module.function(growth) != module.function(limit))
        continue;
      const auto on = module.fold(module.argument(growth, 1, "enable")).as_truth();
      if (on && !*on) continue;
      if (key_of(module, module.argument(growth, 0, "device")) !=
          key_of(module, module.argument(limit, 0, "device")))
        continue;
      if (module.exclusive(growth, limit) || module.exclusive(limit, growth)) continue;
      report.at(std::max(growth, limit), Severity::error,
                "memory growth and a virtual device on the same GPU: TensorFlow raises ValueError",
                "keep one of the two");
    }
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module || (!unit.module->imports("tensorflow") && !unit.module->imports("keras")))
    return;
  const auto& module = *unit.module;
  growth_beside_limit(module, report);
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto callee = module.callee(call);
    if (!configures(callee) || module.dead(call) || module.in_test(call)) continue;
    NodeId opener = opened_before(module, call);
    if (opener == kNoNode) opener = receives_model(module, call);
    if (opener != kNoNode) {
      const NodeId swallowed = handler(module, call);
      const bool visible = callee == "tensorflow.config.set_visible_devices";
      report.at(call, swallowed == kNoNode ? Severity::error : Severity::warning,
                "too late: line " + std::to_string(module.tree()[opener].line) +
                    " has opened the devices, and this raises RuntimeError" +
                    (swallowed == kNoNode
                         ? (visible ? " unless it changes nothing" : "")
                         : ", which the handler in line " +
                               std::to_string(module.tree()[swallowed].line) + " hides"),
                "move it to the top of the program, before the first tensor, model or dataset");
      continue;
    }
    if (grows(callee) && one_of_list(module, module.argument(call, 0, "device")) &&
        !single_gpu(unit)) {
      report.at(
          call, Severity::info,
          "with several GPUs this fails: TensorFlow wants the same growth on all that are visible",
          "loop over all GPUs");
    }
  }
}

} // namespace

extern constexpr Rule P05{
    .id = "P05",
    .slug = "config-after-init",
    .title = "Devices are configured after TensorFlow has opened them",
    .since = "0.1",
    .gate = Gate::code,
    .explanation = R"(Which GPUs are visible, memory growth and virtual devices are settled when
TensorFlow opens its devices: at the first tensor, model, dataset made from arrays, strategy or
`list_logical_devices`. Later calls raise RuntimeError, and the usual `except RuntimeError: print(e)`
hides that nothing was set. Growth must be the same on all visible GPUs, and cannot be combined with a
virtual device on the same GPU.)",
    .fix = R"(Put the configuration at the top of the program, once, for all GPUs.)",
    .references =
        R"(- [Limiting GPU memory growth](https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
