// The program asks for the CPU where it makes, loads or trains its model.
// Truth: a device scope or a device argument wins over the frameworks' own placement.
#include "program/frameworks.h"
#include "rules/P_program/placement.h"
#include "rules/R_runtime/waiting.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace gpuwhy::rules {
namespace {

using namespace program;

/// What runs under a device scope.
struct Work {
  bool model = false;  // makes, loads, trains or runs one
  bool keeps = false;  // makes or trains one: it does not merely predict
  bool layers = false; // convolutions, recurrent cells, Keras layers: more than products
  bool embeds = false; // looks rows of a table up: what trains beside it may stay with the table
};

bool belongs_on_host(const Module& module, NodeId call) {
  const auto& callee = module.callee(call);
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

bool only_runs(std::string_view method) {
  return method.starts_with("predict") || method.starts_with("evaluate") || method == "sample" ||
         method == "generate" || method.starts_with("infer") || method == "detect" ||
         method == "classify" || method == "transcribe" || method == "extract_features";
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
    work.keeps = work.keeps || makes_model(module, id) || (names_work(name) && !only_runs(name));
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

constexpr std::string_view kRemove =
    "remove the scope; TensorFlow places a model on the GPU by itself";

void tensorflow_scopes(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto& callee = module.callee(call);
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
          pin(report, call, callee == "keras.device" ? "" : "tensorflow",
              "what is made and run in this scope stays on the CPU", std::string(kRemove));
      // A model that was made and trained elsewhere only rests here.
      if (!work.keeps && trains_outside(module, body)) finding.bearing = Bearing::note;
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

/// Another function is compiled for whatever there is: the program does not live on this one alone.
bool compiles_elsewhere(const Module& module, NodeId self) {
  const auto& calls = module.tree().all(Kind::call);
  const auto free = [&](NodeId call) {
    return call != self && begins_with_name(module.callee(call), "jax.jit") &&
           module.keyword(call, "backend") == kNoNode && module.keyword(call, "device") == kNoNode;
  };
  if (std::any_of(calls.begin(), calls.end(), free)) return true;
  const auto& decorators = module.tree().all(Kind::decorator);
  return std::any_of(decorators.begin(), decorators.end(), [&](NodeId decorator) {
    return module.resolve(module.tree().at(decorator, 0)) == "jax.jit";
  });
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
        pin(report, call, "jax", "JAX computes on the CPU in this scope",
            "remove the scope; JAX uses the GPU by default");
      }
    }
    if (callee == "jax.config.update") {
      const auto name = module.fold(module.argument(call, 0, {}));
      if (name.is_string() && name.string == "jax_default_device" &&
          device_of(module, module.argument(call, 1, {})).is_cpu()) {
        pin(report, call, "jax", "JAX's default device is set to the CPU", "remove the line");
      }
      const auto value = module.fold(module.argument(call, 1, {}));
      const bool platform = name.is_string() &&
                            (name.string == "jax_platforms" || name.string == "jax_platform_name");
      if (platform && value.is_string() && value.string == "cpu") {
        pin(report, call, "jax", "JAX is told to use the CPU platform only", "remove the line");
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
      auto& finding = pin(report, call, "jax", "this function is compiled for the CPU",
                          "remove the backend or device argument");
      if (compiles_elsewhere(module, call)) finding.bearing = Bearing::note;
    }
  }
}

void strategies(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto& callee = module.callee(call);
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
    pin(report, call, "tensorflow", "this strategy keeps every variable and step on the CPU",
        "use tf.distribute.get_strategy(), or a strategy over the GPUs");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  tensorflow_scopes(module, report);
  strategies(module, report);
  jax_places(module, report);
  torch_pins(module, report);
}

/// In a run: a layer that was left on the processor.
Outcome check_run(const use::RunStatistics& run) {
  if (auto otherwise = waits_for_else(run, {Wait::part_on_cpu})) return std::move(*otherwise);
  const auto* gpu = run.main_gpu();
  const auto& sums = run.calls.sums;
  auto outcome = Outcome::found("a part of the model runs on the processor: in each step tensors "
                                "leave the GPU and come back, and it idles " +
                                percent(100 - gpu->busy) + " of the time");
  outcome.evidence.push_back({bytes(run.calls.per_second(sums.to_host_bytes)) +
                                  "/s from the GPU, " +
                                  bytes(run.calls.per_second(sums.to_device_bytes)) + "/s to it, " +
                                  count(run.host.cores) + " cores at work between the two",
                              {"CUPTI", 0}});
  outcome.evidence.push_back(busy_evidence(*gpu));
  return std::move(outcome)
      .mend({"look for device scopes and moves: with tf.device('/CPU:0'), jax.default_device(cpu), "
             ".to('cpu'), .cpu(), a layer that was not moved",
             {},
             {}})
      .with_effect(Effect::slows);
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
    .check_run = check_run,
};

} // namespace gpuwhy::rules
