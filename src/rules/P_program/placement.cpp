#include "rules/P_program/placement.h"

#include "program/frameworks.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

bool measures(const Module& module, NodeId id) {
  if (module.imports("timeit") && mentions_gpu(module)) return true;
  const NodeId function = module.function(id);
  const NodeId owner = module.class_of(id);
  if (function != kNoNode && named_for_measuring(module.function_name(function))) return true;
  return owner != kNoNode &&
         named_for_measuring(module.text(module.tree().child(owner, Field::name)));
}

} // namespace

bool excused(const Module& module, NodeId id) {
  if (module.dead(id) || module.in_test(id) || chosen(module, id) || measures(module, id))
    return true;
  for (NodeId function = module.function(id); function != kNoNode;
       function = module.function(function)) {
    if (named_for_cpu(module.function_name(function)) && module.calls_of(function).empty())
      return true;
  }
  return false;
}

CodeFinding& pin(lint::Report& report, NodeId at, std::string_view framework, std::string message,
                 std::string fix) {
  auto& finding = report.at(at, Severity::error, std::move(message), std::move(fix));
  finding.bearing = Bearing::hides;
  finding.framework = framework;
  return finding;
}

} // namespace gpuwhy::rules
