// Several GPUs, and one of them does all the work.
// Truth: OneDeviceStrategy; multi_gpu_model and DataParallel give a new model, which must be the
// one used.
#include "program/frameworks.h"
#include "rules/R_runtime/figures.h"
#include "rules/report.h"
#include "rules/rule.h"
#include "use/statistics.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using namespace program;

/// The name is used after `from` other than for saving: called, compiled, trained, handed on.
bool used_after(const Module& module, std::string_view name, NodeId from) {
  const auto& tree = module.tree();
  for (const NodeId id : tree.all(Kind::identifier)) {
    if (id < tree[from].end || module.text(id) != name) continue;
    const NodeId parent = tree.parent(id);
    if (tree.kind(parent) == Kind::assignment && tree[id].field == Field::left) continue;
    if (tree.kind(parent) == Kind::attribute) {
      const auto method = module.text(tree.child(parent, Field::attribute));
      if (method == "summary" || method == "name") continue;
    }
    return true;
  }
  return false;
}

bool trained_after(const Module& module, std::string_view name, NodeId from) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (call < from) continue;
    if (module.receiver(call) == kNoNode && module.called_name(call) == name) return true;
    if (module.receiver(call) == kNoNode || module.text(module.receiver(call)) != name) continue;
    const auto method = module.called_name(call);
    if (method == "compile" || method == "fit" || method == "fit_generator" ||
        method == "train_on_batch")
      return true;
  }
  return false;
}

void unused_parallel_models(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.called_name(call);
    if (name != "multi_gpu_model" && name != "DataParallel" && name != "make_parallel") continue;
    if (module.dead(call) || module.in_test(call)) continue;
    const auto inner = module.text(module.argument(call, 0, "model"));
    const NodeId assignment = tree.parent(call);
    const bool bare = tree.kind(assignment) == Kind::expression_statement;
    if (!bare && tree.kind(assignment) != Kind::assignment) continue;
    const auto outer = bare ? std::string_view() : module.text(tree.child(assignment, Field::left));
    if (outer == inner || inner.empty()) continue;
    if (!bare && (contains(outer, ".") || used_after(module, outer, assignment))) continue;
    if (!trained_after(module, inner, call) && !bare) continue;
    report.at(call, Severity::warning,
              "the parallel model is not the one that is used: one GPU does all the work",
              "compile and train the model that this call returns");
  }
}

/// strategy = MirroredStrategy(), and no model in its scope.
void unused_strategies(const Module& module, lint::Report& report) {
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    if (!module.callee(call).ends_with("MirroredStrategy") || module.dead(call) ||
        module.in_test(call))
      continue;
    const NodeId assignment = tree.parent(call);
    const NodeId target =
        tree.kind(assignment) == Kind::assignment ? tree.child(assignment, Field::left) : kNoNode;
    if (tree.kind(target) != Kind::identifier) continue;
    const auto name = module.text(target);
    bool used = false;
    bool compiled = false;
    for (const NodeId id : tree.all(Kind::identifier)) {
      if (id == target || module.text(id) != name) continue;
      const NodeId parent = tree.parent(id);
      const bool counts =
          tree.kind(parent) == Kind::attribute &&
          module.text(tree.child(parent, Field::attribute)) == "num_replicas_in_sync";
      used = used || !counts;
    }
    for (const NodeId other : tree.all(Kind::call)) {
      compiled =
          compiled || (module.called_name(other) == "fit" && module.receiver(other) != kNoNode);
    }
    if (used || !compiled) continue;
    report.at(call, Severity::warning,
              "no model is made in the scope of this strategy: one GPU does all the work",
              "make and compile the model under 'with " + std::string(name) + ".scope():'");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module || !unit.module->uses_framework()) return;
  const auto& module = *unit.module;
  unused_parallel_models(module, report);
  unused_strategies(module, report);
  if (!unit.machine.gpus || *unit.machine.gpus < 2) return;
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (!module.callee(call).ends_with("OneDeviceStrategy") || module.dead(call) ||
        module.in_test(call))
      continue;
    if (!device_of(module, module.argument(call, 0, "device")).is_gpu() || chosen(module, call))
      continue;
    report.at(call, Severity::info,
              "one of " + std::to_string(*unit.machine.gpus) + " GPUs is used",
              "tf.distribute.MirroredStrategy() uses all of them");
  }
}

constexpr std::uint64_t kOwnContext = 1ULL << 30U;

/// In a run: several GPUs, one at work.
Outcome check_run(const use::RunStatistics& run) {
  if (run.gpus.size() < 2) return Outcome::not_applicable();
  if (run.start.visible_devices) return Outcome::clear("CUDA_VISIBLE_DEVICES chooses the GPUs");
  const auto works = [](const use::GpuUse& gpu) { return gpu.used && gpu.busy_whole >= 1; };
  const auto used = std::count_if(run.gpus.begin(), run.gpus.end(), works);
  if (used != 1)
    return used == 0 ? Outcome::not_applicable()
                     : Outcome::clear(std::to_string(used) + " GPUs were used");
  const auto free = std::count_if(run.gpus.begin(), run.gpus.end(), [&](const use::GpuUse& gpu) {
    return !works(gpu) && !gpu.by_others && gpu.memory_before < kOwnContext;
  });
  if (free == 0) return Outcome::clear("the other GPUs were taken by other programs");
  const auto* gpu = run.main_gpu();
  if (gpu->busy < 50) return Outcome::clear("one GPU is not kept busy either");
  return Outcome::found("one of " + std::to_string(run.gpus.size()) + " GPUs was used; " +
                        std::to_string(free) + " stood idle")
      .because(gpu_name(*gpu) + " had a kernel " + percent(gpu->busy) + " of the time", {"NVML", 0})
      .mend({"spread the batch: keras.distribution.DataParallel or tf.distribute.MirroredStrategy, "
             "jax.sharding, torchrun with DistributedDataParallel: at most " +
                 std::to_string(free + 1) + " times faster",
             {},
             {}});
}

} // namespace

extern constexpr Rule P10{
    .id = "P10",
    .slug = "single-gpu-of-many",
    .title = "One GPU of several does all the work",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation = R"(A Keras model runs on one GPU unless it is made under a distribution strategy.
`multi_gpu_model` and `DataParallel` return a new model and leave the old one as it is: compiling and
training the old one uses one GPU.)",
    .fix =
        R"(Make and compile the model in the scope of `tf.distribute.MirroredStrategy()`; in PyTorch use
DistributedDataParallel.)",
    .references =
        R"(- [Distributed training with Keras](https://www.tensorflow.org/tutorials/distribute/keras))",
    .explains = {},
    .lint = lint,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
