// The environment that a program makes for itself, statement by statement, across its files.
#include "lint/program.h"

#include "base/text.h"
#include "program/frameworks.h"
#include "program/packages.h"
#include "rules/P_program/environment_writes.h"

#include <algorithm>
#include <array>
#include <map>

namespace gpuwhy::lint {
namespace {

using namespace program;
using rules::EnvironmentWrite;

constexpr std::size_t kMostText = 200;

bool bears_on_gpu(std::string_view name) {
  constexpr auto kBeginnings = std::to_array<std::string_view>(
      {"CUDA_", "TF_", "XLA_", "JAX_", "KERAS_", "PYTORCH_", "HIP_VISIBLE", "ROCR_VISIBLE"});
  return name == "LD_LIBRARY_PATH" || name == "LD_PRELOAD" ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view each) { return name.starts_with(each); });
}

Place place_of(const Unit& unit, NodeId node) {
  return unit.source.place(unit.module->tree()[node].line);
}

std::string file_of(const Unit& unit, const Place& place) {
  return unit.path + (place.cell == 0 ? "" : ":cell " + std::to_string(place.cell));
}

/// A condition decides about the statement, and about every import of a framework with it.
bool comes_with_framework(const Module& module, NodeId node) {
  const auto& tree = module.tree();
  if (module.dead(node) || module.function(node) != kNoNode) return false;
  std::size_t imports = 0;
  const auto guards = module.guards(node);
  for (const Kind kind : {Kind::import_statement, Kind::import_from_statement}) {
    for (const NodeId statement : tree.all(kind)) {
      const auto names = modules_of_import(module, statement);
      const bool framework = std::any_of(kPackages.begin(), kPackages.end(), [&](const auto& each) {
        return !names.empty() && names.front() == each.name;
      });
      if (!framework) continue;
      ++imports;
      for (const auto& guard : guards) {
        if (guard.branch == kNoNode || !tree.inside(statement, guard.branch)) return false;
      }
    }
  }
  return imports > 0;
}

/// Starts itself anew with the variables that it has set.
bool starts_anew(const Project& project) {
  return std::any_of(project.order.begin(), project.order.end(), [](const Step& step) {
    return step.unit->module->tree().kind(step.node) == Kind::call &&
           step.unit->module->callee(step.node).starts_with("os.exec");
  });
}

class Reader {
public:
  explicit Reader(const Project& project) : project_(project), anew_(starts_anew(project)) {}

  std::vector<ProgramVariable> run() {
    for (const auto& step : project_.order) {
      for (const auto& change : changes_at(step)) take(step, change);
      note_readers(step);
    }
    return std::move(variables_);
  }

private:
  std::vector<EnvironmentWrite> changes_at(const Step& step) {
    const auto [found, fresh] = changes_.try_emplace(step.unit);
    if (fresh) found->second = rules::environment_changes(*step.unit->module);
    std::vector<EnvironmentWrite> here;
    for (const auto& change : found->second) {
      if (change.where == step.node) here.push_back(change);
    }
    return here;
  }

  void take(const Step& step, const EnvironmentWrite& change) {
    const auto& module = *step.unit->module;
    if (!bears_on_gpu(change.name) || !step.certain || chosen(module, change.where) ||
        !(module.certain(change.where) || comes_with_framework(module, change.where)))
      return;
    if (change.value.known() && !change.value.is_string()) return; // TypeError: P03 tells
    const auto place = place_of(*step.unit, change.at);
    ProgramVariable variable;
    variable.name = change.name;
    variable.value = change.value.string;
    variable.unset = change.type == EnvironmentWrite::Type::unset;
    variable.known = variable.unset || change.value.known();
    variable.yields = change.type == EnvironmentWrite::Type::set_default;
    variable.path = file_of(*step.unit, place);
    variable.line = static_cast<int>(place.line);
    variable.place = variable.path + ":" + std::to_string(place.line);
    variable.text =
        trim(step.unit->source.line_text(module.tree()[change.at].line)).substr(0, kMostText);
    variable.too_late = too_late(change.name);
    variables_.push_back(std::move(variable));
  }

  std::string too_late(const std::string& name) const {
    if (anew_) return {};
    if (name == "LD_LIBRARY_PATH" || name == "LD_PRELOAD")
      return "the dynamic loader read it when Python started";
    const auto reader = readers_.find(kind_of(name));
    return reader == readers_.end() ? std::string() : "it was read before, by " + reader->second;
  }

  /// Variables that are read together.
  static std::string kind_of(const std::string& name) {
    if (name == "KERAS_BACKEND") return name;
    return name.starts_with("JAX_") ? "JAX_" : "";
  }

  void note_readers(const Step& step) {
    if (!step.certain || !step.unit->module->certain(step.node)) return;
    for (const std::string kind : {"", "JAX_", "KERAS_BACKEND"}) {
      if (readers_.contains(kind) || !rules::reads_variable(*step.unit->module, step.node, kind))
        continue;
      const auto place = place_of(*step.unit, step.node);
      readers_[kind] = file_of(*step.unit, place) + ":" + std::to_string(place.line);
    }
  }

  const Project& project_;
  bool anew_;
  std::map<const Unit*, std::vector<EnvironmentWrite>> changes_;
  std::map<std::string, std::string> readers_; // kind -> place
  std::vector<ProgramVariable> variables_;
};

} // namespace

std::vector<ProgramVariable> variables_of(const Project& project) {
  return Reader(project).run();
}

} // namespace gpuwhy::lint
