// A recurrent layer whose arguments rule out the cuDNN kernel.
// Truth: the conditions in the documentation of keras.layers.LSTM and GRU.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

/// The name of an activation: "relu", tf.nn.relu, keras.activations.relu; empty if not known.
std::string activation(const Module& module, NodeId expression) {
  const auto value = module.fold(expression);
  if (value.is_string()) return value.string;
  if (value.type == Value::Type::none) return "None";
  const auto name = module.resolve(expression);
  const bool known = begins_with_name(name, "tensorflow.nn") ||
                     begins_with_name(name, "keras.activations") ||
                     begins_with_name(name, "tensorflow.math") || name == "tensorflow.tanh" ||
                     name == "tensorflow.sigmoid";
  return known ? name.substr(name.rfind('.') + 1) : std::string();
}

/// Why the layer cannot use cuDNN; empty if it can, or if that is not known.
std::string hindrance(const Module& module, NodeId call, std::string_view layer, NodeId& at) {
  const auto is = [&](std::string_view name, bool wanted) {
    const NodeId given = module.keyword(call, name);
    const auto value = module.fold(given).as_truth();
    if (given == kNoNode || !value || *value != wanted) return false;
    at = given;
    return true;
  };
  if (const NodeId given = module.argument(call, 1, "activation"); given != kNoNode) {
    const auto name = activation(module, given);
    if (!name.empty() && name != "tanh") return "activation is " + name + ", not tanh";
  }
  if (const NodeId given = module.argument(call, 2, "recurrent_activation"); given != kNoNode) {
    const auto name = activation(module, given);
    if (!name.empty() && name != "sigmoid")
      return "recurrent_activation is " + name + ", not sigmoid";
  }
  if (const auto rate = module.fold(module.keyword(call, "recurrent_dropout")).number();
      rate && *rate > 0) {
    return "recurrent_dropout is above 0";
  }
  if (is("unroll", true)) return "unroll is on";
  if (is("use_bias", false)) return "use_bias is off";
  if (layer == "GRU" && is("reset_after", false)) return "reset_after is off";
  return {};
}

/// The model is made for TensorFlow Lite or TensorFlow.js, which cannot run cuDNN's layer.
bool converted(const Module& module) {
  const auto& tree = module.tree();
  for (const NodeId id : tree.all(Kind::identifier)) {
    const auto name = module.text(id);
    if (name == "TFLiteConverter" || name == "tensorflowjs" || name == "tfjs" || name == "tflite" ||
        name == "tf2onnx")
      return true;
  }
  return false;
}

bool is_cell(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  const NodeId cell = module.deref(expression);
  if (tree.kind(cell) == Kind::list || tree.kind(cell) == Kind::list_comprehension) {
    for (NodeId id = cell + 1; id < tree[cell].end; ++id) {
      if (tree.kind(id) == Kind::call && is_cell(module, id)) return true;
    }
    return false;
  }
  if (tree.kind(cell) != Kind::call) return false;
  const auto& name = module.callee(cell);
  return name == "keras.layers.LSTMCell" || name == "keras.layers.GRUCell" ||
         name == "keras.layers.SimpleRNNCell" || name == "keras.layers.StackedRNNCells";
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  if (!module.imports("keras") && !module.imports("tensorflow") && !module.imports("tf_keras"))
    return;
  const bool exported = converted(module);
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto callee = module.callee(call);
    if (!begins_with_name(callee, "keras.layers")) continue;
    const auto layer = std::string_view(callee).substr(callee.rfind('.') + 1);
    if (layer != "LSTM" && layer != "GRU" && layer != "RNN" && layer != "SimpleRNN") continue;
    if (exported || module.dead(call) || module.in_test(call)) continue;
    if (layer == "SimpleRNN") {
      report.at(call, Severity::warning, "SimpleRNN has no cuDNN kernel: it runs step by step",
                "use LSTM or GRU with their default arguments");
      continue;
    }
    if (layer == "RNN") {
      if (is_cell(module, module.argument(call, 0, "cell"))) {
        report.at(call, Severity::warning, "RNN over a cell never uses cuDNN: it runs step by step",
                  "use the layer LSTM or GRU itself");
      }
      continue;
    }
    NodeId at = call;
    const auto reason = hindrance(module, call, layer, at);
    if (reason.empty()) continue;
    report.at(call, Severity::warning,
              reason + ": this " + std::string(layer) + " cannot use cuDNN's kernel",
              "leave the argument at its default, if the model allows it");
  }
}

} // namespace

extern constexpr Rule P13{
    .id = "P13",
    .slug = "non-cudnn-layer",
    .title = "A recurrent layer cannot use cuDNN",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation = R"(Keras runs LSTM and GRU with cuDNN's fused kernel only if activation is tanh,
recurrent_activation is sigmoid, recurrent_dropout is 0, unroll is off, the bias is on and (GRU)
reset_after is on. Else the layer runs step by step, several times slower on a GPU. SimpleRNN and RNN
over a cell have no such kernel.)",
    .fix = R"(Keep those arguments at their defaults; put dropout between layers instead.)",
    .references = R"(- [keras.layers.LSTM](https://keras.io/api/layers/recurrent_layers/lstm/))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
