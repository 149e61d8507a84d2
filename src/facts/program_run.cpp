#include "facts/program_run.h"

#include "facts/edit.h"

#include <algorithm>

namespace gpuwhy {
namespace {

/// What the driver answered with the variables of the process says nothing about others.
void forget_answers(Facts& facts, std::string_view name) {
  if (name != "CUDA_VISIBLE_DEVICES" && name != "CUDA_DEVICE_ORDER") return;
  const auto& environment = facts.environment;
  const bool hidden = environment.find("CUDA_VISIBLE_DEVICES") != nullptr ||
                      environment.find("CUDA_DEVICE_ORDER") != nullptr;
  facts.observed.cuda = hidden ? Fact<CudaProbe>() : facts.observed.cuda_unhidden;
}

void put(Facts& facts, const Variable& variable) {
  edit::set_variable(facts, variable.name, variable.value);
  for (auto& each : facts.environment.variables) {
    if (each.name == variable.name) each.origins = variable.origins;
  }
}

void run(Facts& facts, ProgramVariable& statement) {
  const auto* before = facts.environment.find(statement.name);
  if (!statement.too_late.empty() || (statement.yields && before != nullptr)) return;
  const bool sets = statement.known && !statement.unset;
  const bool same = sets && before != nullptr && before->value == statement.value;
  statement.applied = true;
  if (before != nullptr) statement.replaced.push_back(*before);
  if (sets) {
    put(facts, {statement.name,
                statement.value,
                {{statement.path, statement.line, statement.text, true, {}}}});
  } else {
    edit::unset_variable(facts, statement.name);
  }
  if (!same) forget_answers(facts, statement.name);
}

} // namespace

void edit::run_program(Facts& facts) {
  if (!facts.environment.looked) return;
  for (auto& statement : facts.program.variables) run(facts, statement);
}

void edit::take_out(Facts& facts, std::string_view name) {
  auto& statements = facts.program.variables;
  for (auto each = statements.rbegin(); each != statements.rend(); ++each) {
    if (each->name != name || !each->applied) continue;
    unset_variable(facts, name);
    if (!each->replaced.empty()) put(facts, each->replaced.front());
  }
  std::erase_if(statements, [&](const ProgramVariable& each) { return each.name == name; });
  forget_answers(facts, name);
}

const ProgramVariable* set_by_program(const Facts& facts, std::string_view name) {
  const auto& all = facts.program.variables;
  const auto last = std::find_if(all.rbegin(), all.rend(), [&](const ProgramVariable& each) {
    return each.name == name && each.applied;
  });
  return last == all.rend() || last->unset || !last->known ? nullptr : &*last;
}

} // namespace gpuwhy
