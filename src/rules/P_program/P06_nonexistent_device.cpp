// A device is named that this program cannot have.
// Truth: indices count the visible GPUs from 0, after CUDA_VISIBLE_DEVICES has chosen them.
#include "program/frameworks.h"
#include "rules/P_program/environment_writes.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

/// How many GPUs the program makes visible by a constant, if it does.
struct Visible {
  std::optional<int> count;
  NodeId expression = kNoNode; // the value, where it is not a constant
  NodeId at = kNoNode;
};

Visible visible_gpus(const Module& module) {
  Visible visible;
  for (const auto& write : environment_writes(module)) {
    if (write.name != "CUDA_VISIBLE_DEVICES" || module.dead(write.where)) continue;
    visible.at = write.at;
    if (write.value.is_string() && !hides_every_gpu(write.value.string)) {
      visible.count = static_cast<int>(split(write.value.string, ',').size());
    } else if (!write.value.known()) {
      visible.expression = write.expression;
    }
  }
  return visible;
}

/// The index is used only where there are that many.
bool guarded(const Module& module, NodeId at) {
  for (NodeId place = at; place != kNoNode;) {
    for (const auto& guard : module.guards(place)) {
      if (guard.condition == kNoNode) continue;
      const auto words = module.text(guard.condition);
      if (contains(words, "len(") || contains(words, "count") || contains(words, "num") ||
          contains(words, "n_gpu") || contains(words, "ngpu") || contains(words, "gpus") ||
          contains(words, ">")) {
        return true;
      }
    }
    place = module.function(place);
  }
  const auto& tree = module.tree();
  const NodeId attempt = tree.around(at, Kind::try_statement);
  if (attempt != kNoNode) {
    for (const NodeId clause : tree.children(attempt)) {
      if (tree.kind(clause) == Kind::except_clause && contains(module.text(clause), "IndexError"))
        return true;
    }
  }
  return false;
}

struct Use {
  NodeId at = kNoNode;
  int index = 0;
  std::string_view framework = {}; // that raises an error there; empty: it takes another device
};

/// The device that an expression names, or one that it names under a condition: "cuda:1" if
/// torch.cuda.is_available() else "cpu".
Device named_in(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  const NodeId node = module.deref(expression);
  if (tree.kind(node) != Kind::conditional_expression) return device_of(module, expression);
  const auto first = device_of(module, tree.at(node, 0));
  return first.is_gpu() ? first : device_of(module, tree.at(node, 2));
}

/// Where a GPU of an index above 0 is named by a constant.
std::vector<Use> uses(const Module& module) {
  const auto& tree = module.tree();
  std::vector<Use> found;
  const auto take = [&](NodeId at, const Device& device, std::string_view framework) {
    if (device.is_gpu() && device.index && *device.index > 0)
      found.push_back({at, *device.index, framework});
  };
  for (const NodeId call : tree.all(Kind::call)) {
    const auto& callee = module.callee(call);
    const auto name = module.called_name(call);
    if (callee == "tensorflow.device" || callee == "torch.device" || callee == "keras.device" ||
        callee == "tensorflow.distribute.OneDeviceStrategy") {
      take(call, named_in(module, module.argument(call, 0, "device")),
           callee == "torch.device" ? "torch" : "");
    } else if (name == "to" && module.imports("torch")) {
      const NodeId given = module.argument(call, 0, "device");
      if (tree.kind(given) == Kind::string) take(call, device_of(module, given), "torch");
    } else if (callee == "torch.cuda.set_device" ||
               (name == "cuda" && module.receiver(call) != kNoNode && module.imports("torch"))) {
      const auto index = module.fold(module.argument(call, 0, "device"));
      if (index.is_integer() && index.integer > 0 && index.integer < 64) {
        found.push_back({call, static_cast<int>(index.integer), "torch"});
      } else {
        take(call, device_of(module, module.argument(call, 0, "device")), "torch");
      }
    }
    if (module.imports("torch") && tree.kind(module.keyword(call, "device")) == Kind::string) {
      take(call, device_of(module, module.keyword(call, "device")), "torch");
    }
  }
  for (const NodeId subscript : tree.all(Kind::subscript)) {
    const auto list = device_list(module, tree.child(subscript, Field::value));
    const auto index = module.fold(tree.child(subscript, Field::subscript));
    if (list.is_gpu() && index.is_integer() && index.integer > 0 && index.integer < 64) {
      const bool jax = begins_with_name(module.callee(list.origin), "jax");
      found.push_back({subscript, static_cast<int>(index.integer), jax ? "jax" : "tensorflow"});
    }
  }
  return found;
}

/// os.environ["CUDA_VISIBLE_DEVICES"] = str(n) and then f"cuda:{n}": after the choice it is number
/// 0.
void counted_twice(const Module& module, const Visible& visible, lint::Report& report) {
  const auto& tree = module.tree();
  if (visible.expression == kNoNode) return;
  const auto strip = [&](NodeId node) {
    node = module.deref(node);
    while (tree.kind(node) == Kind::call && module.callee(node) == "str")
      node = module.argument(node, 0, {});
    return node;
  };
  NodeId chosen_index = strip(visible.expression);
  std::string name(module.text(chosen_index));
  if (tree.kind(chosen_index) == Kind::conditional_expression) {
    name = module.text(strip(tree.at(chosen_index, 2)));
  }
  if (name.empty() || contains(name, "(")) return;
  for (const NodeId call : tree.all(Kind::call)) {
    const auto& callee = module.callee(call);
    if (callee != "torch.device" && callee != "tensorflow.device" &&
        module.called_name(call) != "to")
      continue;
    const NodeId given = module.argument(call, 0, "device");
    const auto words = module.text(given);
    const bool device = contains(words, "cuda:") || contains(lower(words), "gpu:");
    const bool same = contains(words, "{" + name + "}") || contains(words, "% " + name) ||
                      contains(words, "+ str(" + name + ")") ||
                      contains(words, "+str(" + name + ")") ||
                      contains(words, "format(" + name + ")");
    if (device && same) {
      report.at(call, Severity::info,
                "after CUDA_VISIBLE_DEVICES chose one GPU (line " +
                    std::to_string(tree[visible.at].line) +
                    ") that GPU is number 0: any other index names nothing",
                "use index 0");
    }
  }
}

/// Reached for surely, and nobody catches the error.
void weigh(const Module& module, const Use& use, CodeFinding& finding) {
  if (use.framework.empty() || !module.certain(use.at) ||
      module.tree().around(use.at, Kind::try_statement) != kNoNode)
    return;
  finding.bearing = Bearing::breaks;
  finding.framework = use.framework;
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  if (!module.uses_framework()) return;
  const auto visible = visible_gpus(module);
  counted_twice(module, visible, report);
  for (const auto& use : uses(module)) {
    if (module.dead(use.at) || module.in_test(use.at)) continue;
    if (visible.count) {
      if (use.index < *visible.count) continue;
      auto& finding = report.at(use.at, Severity::error,
                                "GPU " + std::to_string(use.index) +
                                    " does not exist here: CUDA_VISIBLE_DEVICES (line " +
                                    std::to_string(module.tree()[visible.at].line) + ") leaves " +
                                    std::to_string(*visible.count) + ", counted from 0",
                                "use index 0");
      weigh(module, use, finding);
      continue;
    }
    if (guarded(module, use.at)) continue;
    if (unit.machine.gpus) {
      if (use.index < *unit.machine.gpus) continue;
      auto& finding = report.at(use.at, Severity::error,
                                "GPU " + std::to_string(use.index) +
                                    " does not exist on this machine, which has " +
                                    std::to_string(*unit.machine.gpus),
                                "use index 0, or check how many GPUs there are");
      weigh(module, use, finding);
      continue;
    }
    report.at(use.at, Severity::info,
              "on a machine with fewer than " + std::to_string(use.index + 1) +
                  " GPUs this device does not exist",
              "check how many GPUs there are before using this index");
  }
}

} // namespace

extern constexpr Rule P06{
    .id = "P06",
    .slug = "nonexistent-device",
    .title = "A device is named that does not exist",
    .since = "0.1",
    .gate = Gate::code,
    .explanation =
        R"(GPUs are counted from 0, and only those that `CUDA_VISIBLE_DEVICES` leaves visible
are counted: after `CUDA_VISIBLE_DEVICES=1` the only GPU is number 0. A device that does not exist
raises an error, unless soft placement or a bare `except` turns it into the CPU without a word.)",
    .fix = R"(Use index 0, or check the number of GPUs first.)",
    .references =
        R"(- [Using a single GPU on a multi-GPU system](https://www.tensorflow.org/guide/gpu#using_a_single_gpu_on_a_multi-gpu_system))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
