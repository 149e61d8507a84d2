// PyTorch trains where its model and tensors are, and they are made on the CPU.
// Truth: torch.nn.Module and torch.Tensor are created on the CPU unless told otherwise.
#include "program/frameworks.h"
#include "rules/R_runtime/figures.h"
#include "rules/report.h"
#include "rules/rule.h"
#include "use/statistics.h"

#include "base/text.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

/// Somebody else, or another place in the file, decides about the device.
bool device_is_handled(const Module& module) {
  for (const std::string_view name : {"accelerate",
                                      "pytorch_lightning",
                                      "lightning",
                                      "fastai",
                                      "ignite",
                                      "transformers",
                                      "deepspeed",
                                      "horovod",
                                      "ray",
                                      "skorch",
                                      "torchtnt",
                                      "composer",
                                      "stable_baselines3",
                                      "catalyst",
                                      "mmcv",
                                      "jax",
                                      "torch_xla",
                                      "keras",
                                      "torch.distributed",
                                      "poutyne",
                                      "tianshou",
                                      "monai"}) {
    if (module.imports(name)) return true;
  }
  const auto& tree = module.tree();
  for (const NodeId call : tree.all(Kind::call)) {
    const auto name = module.called_name(call);
    if (name == "to" || name == "cuda" || name == "set_default_device" ||
        name == "set_default_tensor_type" || name == "to_device" || name == "device" ||
        name == "prepare" || name == "xpu" || name == "mps") {
      return true;
    }
    if (module.keyword(call, "device") != kNoNode) return true;
  }
  for (const NodeId id : tree.all(Kind::identifier)) {
    for (const auto& word : words_of(module.text(id))) {
      if (word == "cuda" || word == "gpu" || word == "device") return true;
    }
  }
  return false;
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module || !unit.module->imports("torch")) return;
  const auto& module = *unit.module;
  const auto& tree = module.tree();
  NodeId backward = kNoNode;
  NodeId optimizer = kNoNode;
  for (const NodeId call : tree.all(Kind::call)) {
    if (module.called_name(call) == "backward" && module.loop(call) != kNoNode) backward = call;
    const auto callee = module.callee(call);
    if (begins_with_name(callee, "torch.optim")) optimizer = call;
  }
  if (backward == kNoNode || optimizer == kNoNode || module.in_test(backward)) return;
  if (device_is_handled(module)) return;
  // The model that the optimizer works on must be made here: else whoever made it may have moved
  // it.
  NodeId model = kNoNode;
  NodeId made = kNoNode;
  for (NodeId id = optimizer; id < tree[optimizer].end; ++id) {
    if (tree.kind(id) == Kind::call && module.called_name(id) == "parameters")
      model = module.receiver(id);
  }
  if (model == kNoNode) return;
  if (tree.kind(model) == Kind::identifier) {
    const auto* binding = module.reaching(module.text(model), model);
    if (binding == nullptr || binding->type != Binding::Type::assigned ||
        tree.kind(binding->value) != Kind::call)
      return;
    made = binding->value;
  } else if (tree.kind(model) == Kind::attribute) {
    const NodeId value = module.deref(model);
    if (tree.kind(value) != Kind::call) return;
    made = value;
  } else {
    return;
  }
  const NodeId loop = module.loop(backward);
  for (NodeId id = loop; id < tree[loop].end; ++id) { // the batch, as the loader made it
    if (tree.kind(id) == Kind::call &&
        module.text(tree.child(id, Field::function)) == module.text(model)) {
      report.at(id, Severity::warning,
                "what goes into the model was made on the CPU and never moved", ".to(device)");
      break;
    }
  }
  auto& finding = report.at(
      made, Severity::warning,
      "neither this model nor its batches are ever moved to a GPU: it trains on the CPU",
      "device = \"cuda\" if torch.cuda.is_available() else \"cpu\"; then .to(device) for the "
      "model and each batch");
  finding.bearing = Bearing::hides;
  finding.framework = "torch";
}

/// In a run: PyTorch never moves anything by itself.
Outcome check_run(const use::RunStatistics& run) {
  if (run.any_used() || run.any_held()) return Outcome::not_applicable();
  if (!run.maps("libtorch_cuda")) return Outcome::not_applicable();
  if (!run.start.nvml.works || run.gpus.empty())
    return Outcome::unknown("whether there was a GPU to use");
  if (run.end.time < 5) return Outcome::unknown("the run was too short");
  return Outcome::found("PyTorch ran for " + seconds(run.end.time) +
                        " on the processor: nothing was moved to the GPU")
      .because("a CUDA build of PyTorch, and no memory of a GPU was ever taken by it; " +
                   count(run.host.cores) + " cores in use",
               {"/proc", 0})
      .mend({"model.to('cuda'), and each batch .to('cuda'); or let a trainer do it (accelerate, "
             "lightning)",
             {},
             {}});
}

} // namespace

extern constexpr Rule P15{
    .id = "P15",
    .slug = "not-moved-to-device",
    .title = "The model is never moved to the GPU",
    .since = "0.1",
    .gate = Gate::code,
    .explanation =
        R"(PyTorch makes modules and tensors on the CPU and computes where they are. A program
that moves neither its model nor its batches trains on the CPU, GPU or not. (JAX and TensorFlow place
their work on the GPU by themselves.))",
    .fix = R"(Move the model once and each batch in the loop: `.to(device)`.)",
    .references =
        R"(- [torch.nn.Module.to](https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to))",
    .explains = {},
    .lint = lint,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
