// The program sets a variable that hides the GPU, or sets one too late to count.
// Truth: the driver reads CUDA_VISIBLE_DEVICES once, at its first initialisation in the process;
// JAX and Keras read theirs at import.
#include "program/frameworks.h"
#include "rules/P_program/environment_writes.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using namespace program;

bool computes(const Unit& unit) {
  return unit.of_program || unit.module->uses_framework();
}

/// The first thing in the order of execution that made the variable count; kNoNode if nothing did
/// before.
NodeId read_before(const Module& module, const EnvironmentWrite& write) {
  const auto& tree = module.tree();
  for (const auto& trace : module.traces()) {
    const auto here = std::find(trace.begin(), trace.end(), write.where);
    if (here == trace.end()) continue;
    for (auto at = trace.begin(); at != here; ++at) {
      if (module.exclusive(*at, write.where) || tree.inside(write.where, *at)) continue;
      if (module.dead(*at)) continue;
      if (reads_variable(module, *at, write.name)) return *at;
    }
    return kNoNode;
  }
  return kNoNode;
}

/// The same variable is put back or removed later in the same function.
bool restored(const Module& module, const EnvironmentWrite& write,
              const std::vector<EnvironmentWrite>& writes) {
  const NodeId function = module.function(write.where);
  for (const auto& other : writes) {
    if (other.where > write.where && other.name == write.name && !other.value.known() &&
        module.function(other.where) == function) {
      return true;
    }
  }
  const auto& tree = module.tree();
  const auto same = [&](NodeId at) { return at > write.where && module.function(at) == function; };
  for (const NodeId call : tree.all(Kind::call)) {
    if (same(call) && module.called_name(call) == "pop" && contains(module.text(call), write.name))
      return true;
  }
  for (const NodeId statement : tree.all(Kind::delete_statement)) {
    if (same(statement) && contains(module.text(statement), write.name)) return true;
  }
  return false;
}

/// A later write of the same variable, run as surely, wins.
bool overwritten(const Module& module, const EnvironmentWrite& write,
                 const std::vector<EnvironmentWrite>& writes) {
  for (const auto& trace : module.traces()) {
    const auto here = std::find(trace.begin(), trace.end(), write.where);
    if (here == trace.end()) continue;
    for (auto at = here + 1; at != trace.end(); ++at) {
      if (module.tree().kind(*at) == Kind::call && opens_cuda(module, *at)) return false;
      for (const auto& other : writes) {
        if (other.where == *at && other.name == write.name && module.guards(*at).empty())
          return true;
      }
    }
    return false;
  }
  return false;
}

void visible_devices(const Unit& unit, const EnvironmentWrite& write,
                     const std::vector<EnvironmentWrite>& writes, lint::Report& report) {
  const auto& module = *unit.module;
  const auto& value = write.value;
  if (value.known() && !value.is_string()) {
    report.at(write.at, Severity::error, "the value is not a string: this line raises TypeError",
              "quote the value");
    return;
  }
  if (const NodeId opener = read_before(module, write); opener != kNoNode) {
    const auto line = module.tree()[opener].line;
    report.at(write.at,
              value.is_string() && hides_every_gpu(value.string) ? Severity::info
                                                                 : Severity::warning,
              "too late: CUDA was initialised in line " + std::to_string(line) +
                  " and has read the variable",
              "set it before the first use of a GPU, best before the imports");
    return;
  }
  if (!value.is_string() || !hides_every_gpu(value.string)) return;
  if (!computes(unit) || overwritten(module, write, writes)) return;
  auto& finding =
      report.at(write.at, Severity::error,
                "CUDA_VISIBLE_DEVICES=\"" + value.string + "\" hides every GPU from this program",
                "remove the line, or name the GPU to use: \"0\"");
  finding.bearing = Bearing::hides;
  const auto& tree = module.tree();
  if (tree.kind(write.expression) == Kind::string) {
    report.edit(finding, tree[write.expression].begin_byte, tree[write.expression].end_byte,
                "\"0\"");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  const auto& module = *unit.module;
  const auto writes = environment_writes(module);
  for (const auto& write : writes) {
    const bool known = write.name == "CUDA_VISIBLE_DEVICES" || write.name == "JAX_PLATFORMS" ||
                       write.name == "JAX_PLATFORM_NAME" || write.name == "KERAS_BACKEND";
    if (!known || module.dead(write.where) || module.in_test(write.where) ||
        chosen(module, write.where))
      continue;
    if (restored(module, write, writes)) continue;
    if (write.name == "CUDA_VISIBLE_DEVICES") {
      visible_devices(unit, write, writes, report);
      continue;
    }
    const NodeId reader = read_before(module, write);
    if (write.name == "KERAS_BACKEND") {
      if (reader == kNoNode) continue;
      const bool usual = write.value.is_string() && write.value.string == "tensorflow";
      report.at(write.at, usual ? Severity::info : Severity::error,
                "too late: Keras was imported in line " +
                    std::to_string(module.tree()[reader].line) + " and has chosen its backend",
                "move the line above the first import of keras");
      continue;
    }
    if (!write.value.is_string() || write.value.string != "cpu") continue;
    if (!computes(unit)) continue;
    auto& finding = report.at(write.at, Severity::error, write.name + "=cpu keeps JAX on the CPU",
                              "remove the line");
    finding.bearing = Bearing::hides;
    finding.framework = "jax";
  }
}

} // namespace

extern constexpr Rule P03{
    .id = "P03",
    .slug = "env-set-in-code",
    .title = "The program sets a variable that hides the GPU, or sets it too late",
    .since = "0.1",
    .gate = Gate::code,
    .explanation =
        R"(`os.environ["CUDA_VISIBLE_DEVICES"] = "-1"` (or an empty string) hides every GPU
from what follows, and `JAX_PLATFORMS=cpu` keeps JAX on the CPU. The driver reads
`CUDA_VISIBLE_DEVICES` when CUDA is first initialised in the process: importing TensorFlow or PyTorch
is still early enough, listing devices, `torch.cuda.is_available()`, a tensor or a model is not.
`KERAS_BACKEND` counts at the first import of Keras. A value that is no string raises TypeError.)",
    .fix = R"(Remove the line, or name the GPU to use, and put it in front of the imports.)",
    .references =
        R"(- [CUDA environment variables](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#env-vars))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
