// A TensorFlow 1 session is told that there are no GPUs.
// Truth: ConfigProto.device_count is a limit; 0 for "GPU" leaves none.
#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

/// The pair "GPU": 0 of a dictionary; kNoNode without.
NodeId zero_gpus(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  const NodeId dictionary = module.deref(expression);
  if (tree.kind(dictionary) == Kind::call && module.callee(dictionary) == "dict") {
    const auto value = module.fold(module.keyword(dictionary, "GPU"));
    return value.is_integer() && value.integer == 0 ? dictionary : kNoNode;
  }
  if (tree.kind(dictionary) != Kind::dictionary) return kNoNode;
  for (const NodeId pair : tree.children(dictionary)) {
    if (tree.kind(pair) != Kind::pair) continue;
    const auto key = module.fold(tree.child(pair, Field::key));
    const auto value = module.fold(tree.child(pair, Field::value));
    if (key.is_string() && key.string == "GPU" && value.is_integer() && value.integer == 0)
      return pair;
  }
  return kNoNode;
}

/// `**more` whose dictionary has device_count.
NodeId from_splat(const Module& module, NodeId call) {
  const auto& tree = module.tree();
  for (const NodeId argument : tree.children(tree.child(call, Field::arguments))) {
    if (tree.kind(argument) != Kind::dictionary_splat) continue;
    const NodeId dictionary = module.deref(tree.at(argument, 0));
    if (tree.kind(dictionary) != Kind::dictionary) continue;
    for (const NodeId pair : tree.children(dictionary)) {
      if (tree.kind(pair) != Kind::pair) continue;
      const auto key = module.fold(tree.child(pair, Field::key));
      if (key.is_string() && key.string == "device_count") {
        return zero_gpus(module, tree.child(pair, Field::value));
      }
    }
  }
  return kNoNode;
}

/// The session only rewrites a graph: freezing and optimising need no GPU.
bool only_rewrites(const Module& module, NodeId at) {
  const auto& tree = module.tree();
  const NodeId function = module.function(at);
  for (const NodeId call : tree.all(Kind::call)) {
    if (module.function(call) != function) continue;
    const auto& name = module.callee(call);
    if (contains(name, "graph_util") || contains(name, "convert_variables_to_constants") ||
        contains(name, "TransformGraph") || contains(name, "optimize_for_inference") ||
        contains(name, "freeze") || contains(name, "tflite") || contains(name, "TFLite") ||
        contains(name, "saved_model.builder") || contains(name, "simple_save") ||
        contains(name, "write_graph")) {
      return true;
    }
  }
  return false;
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  const auto& tree = module.tree();
  const auto tell = [&](NodeId at, NodeId pair) {
    if (module.dead(at) || module.in_test(at) || chosen(module, at) || only_rewrites(module, at))
      return;
    const NodeId place = tree.inside(pair, at) ? pair : at;
    auto& finding =
        report.at(place, Severity::error, "the session may use no GPU: device_count says 0",
                  "remove device_count");
    finding.bearing = Bearing::hides;
    finding.framework = "tensorflow";
  };
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.callee(call);
    if (name != "tensorflow.ConfigProto" && !name.ends_with(".ConfigProto") &&
        name != "ConfigProto")
      continue;
    const NodeId given = module.keyword(call, "device_count");
    const NodeId pair = given != kNoNode ? zero_gpus(module, given) : from_splat(module, call);
    if (pair == kNoNode) continue;
    if (!tree.inside(pair, call) && chosen(module, pair)) continue;
    tell(call, pair);
  }
  for (const NodeId assignment : tree.all(Kind::assignment)) { // config.device_count["GPU"] = 0
    const NodeId left = tree.child(assignment, Field::left);
    if (tree.kind(left) != Kind::subscript) continue;
    const NodeId map = tree.child(left, Field::value);
    if (tree.kind(map) != Kind::attribute ||
        module.text(tree.child(map, Field::attribute)) != "device_count")
      continue;
    const auto key = module.fold(tree.child(left, Field::subscript));
    const auto value = module.fold(tree.child(assignment, Field::right));
    if (key.is_string() && key.string == "GPU" && value.is_integer() && value.integer == 0) {
      tell(assignment, assignment);
    }
  }
}

} // namespace

extern constexpr Rule P04{
    .id = "P04",
    .slug = "tf1-device-count-zero",
    .title = "A session is told to use no GPU",
    .since = "0.1",
    .gate = Gate::code,
    .explanation =
        R"(In TensorFlow 1 `ConfigProto(device_count={'GPU': 0})` limits the number of GPUs
that a session may use to none. Everything that runs in it runs on the CPU; the log still lists the
GPU.)",
    .fix = R"(Remove `device_count`, or set it to the number of GPUs to use.)",
    .references =
        R"(- [tf.compat.v1.ConfigProto](https://www.tensorflow.org/api_docs/python/tf/compat/v1/ConfigProto))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
