// The program takes the GPUs out of the framework's sight.
// Truth: tf.config.set_visible_devices, called before the devices are opened.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

/// TensorFlow only reads data here, and another framework computes: hiding the GPU from it is
/// right.
bool computes_elsewhere(const Module& module) {
  bool other = false;
  for (const std::string_view name :
       {"jax", "torch", "flax", "haiku", "pytorch_lightning", "equinox", "clu", "mxnet"}) {
    other = other || module.imports(name);
  }
  if (!other) return false;
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto& callee = module.callee(call);
    if (callee == "tensorflow.GradientTape" || begins_with_name(callee, "keras.models") ||
        begins_with_name(callee, "keras.applications")) {
      return false;
    }
  }
  return true;
}

/// An empty list, or only CPUs, as the visible devices.
bool hides(const Module& module, NodeId call) {
  const NodeId devices = module.argument(call, 0, "devices");
  const auto list = module.fold(devices);
  const auto type = module.fold(module.argument(call, 1, "device_type"));
  const bool gpus = type.is_string() && lower(type.string) == "gpu";
  if (list.type == Value::Type::list && list.items.empty()) return gpus || !type.known();
  if (!type.known() && module.argument(call, 1, "device_type") == kNoNode) {
    const auto named = device_list(module, devices);
    return named.is_cpu();
  }
  return list.type == Value::Type::none && gpus;
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const auto callee = module.callee(call);
    if (callee != "tensorflow.config.set_visible_devices" || !hides(module, call)) continue;
    if (module.dead(call) || module.in_test(call) || chosen(module, call)) continue;
    if (computes_elsewhere(module)) continue;
    auto& finding = report.at(call, Severity::error, "no GPU is left visible to TensorFlow",
                              "remove the call, or pass tf.config.list_physical_devices('GPU')");
    finding.bearing = Bearing::hides;
    finding.framework = "tensorflow";
  }
}

} // namespace

extern constexpr Rule P02{
    .id = "P02",
    .slug = "hides-gpus",
    .title = "The program hides the GPUs from the framework",
    .since = "0.1",
    .gate = Gate::code,
    .explanation = R"(`tf.config.set_visible_devices([], 'GPU')` leaves TensorFlow without a GPU for
the life of the process. Often it is a leftover of
a day on which the GPU did not work.

A program that computes in JAX or PyTorch and lets TensorFlow only read data does this on purpose and
is not reported.)",
    .fix = R"(Remove the call. To keep some GPUs free, pass the list of those to use.)",
    .references =
        R"(- [tf.config.set_visible_devices](https://www.tensorflow.org/api_docs/python/tf/config/set_visible_devices))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
