#include "facts/differences.h"

#include "facts/edit.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy {
namespace {

/// What decides whether a process loads libcuda and starts it, its visibility put aside.
constexpr std::array<std::string_view, 2> kLoading{"LD_LIBRARY_PATH", "LD_PRELOAD"};
constexpr std::array<std::string_view, 2> kVisibility{"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"};

std::string value_in(const std::vector<Variable>& variables, std::string_view name) {
  for (const auto& variable : variables) {
    if (variable.name == name) return "=" + variable.value; // unset is not empty
  }
  return {};
}

bool same_nodes(const Access& left, const Access& right) {
  const auto a = left.nodes.value_or({});
  const auto b = right.nodes.value_or({});
  return left.root == right.root && left.nodes.state() == right.nodes.state() &&
         std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
           return x.path == y.path && x.usable.state() == y.usable.state() &&
                  x.usable.value_or(false) == y.usable.value_or(false);
         });
}

bool same_answer(const Fact<CudaProbe>& left, const Fact<CudaProbe>& right) {
  const auto* a = left.get();
  const auto* b = right.get();
  return a != nullptr && b != nullptr && a->init == b->init && a->count == b->count &&
         a->library == b->library;
}

template <std::size_t N>
bool alike(const std::vector<Variable>& left, const std::vector<Variable>& right,
           const std::array<std::string_view, N>& names) {
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
    return value_in(left, name) == value_in(right, name);
  });
}

void take_variable(Facts& facts, const Shell& shell, const std::string& name) {
  std::erase_if(facts.environment.variables,
                [&](const Variable& variable) { return variable.name == name; });
  for (const auto& variable : shell.variables) {
    if (variable.name != name) continue;
    auto& all = facts.environment.variables;
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const Variable& each) { return each.name > name; });
    all.insert(at, variable);
  }
}

/// The command that ran the one environment runs the other from now on.
void take_interpreter(Facts& facts, const Shell& shell) {
  auto& used = facts.pythons.front();
  for (const auto& python : facts.pythons) {
    if (python.interpreter != shell.interpreter) continue;
    const auto name = used.interpreter;
    used = PythonEnvironment(python);
    used.interpreter = name;
    used.selected = true;
    return;
  }
}

/// An observation counts where all that it depends on is as it was when it was made.
void choose_observed(Facts& facts, const Facts& before, const Shell& shell, bool access) {
  const auto& now = facts.environment.variables;
  const auto& place = before.environment.variables;
  const auto& there = before.observed;
  const bool as_shell = access || same_nodes(before.access, shell.access);
  const bool as_place = !access || same_nodes(before.access, shell.access);
  const bool agreed = same_answer(there.cuda_unhidden, shell.observed.cuda_unhidden);
  Observed observed;
  if (agreed || (as_place && alike(now, place, kLoading))) {
    observed.cuda_unhidden = there.cuda_unhidden;
    observed.nvml = there.nvml;
    if (alike(now, place, kVisibility)) observed.cuda = there.cuda;
  }
  if (as_shell && alike(now, shell.variables, kLoading)) {
    observed.cuda_unhidden = shell.observed.cuda_unhidden;
    observed.nvml = shell.observed.nvml;
  }
  if (observed.cuda_unhidden.known() && alike(now, shell.variables, kVisibility) && as_shell &&
      (agreed || alike(now, shell.variables, kLoading)))
    observed.cuda = shell.observed.cuda;
  const bool hidden = std::any_of(kVisibility.begin(), kVisibility.end(), [&](auto name) {
    return facts.environment.find(name) != nullptr;
  });
  if (!hidden) observed.cuda = observed.cuda_unhidden;
  facts.observed = std::move(observed);
}

} // namespace

std::vector<Difference> differences_from_shell(const Facts& facts) {
  std::vector<Difference> found;
  const auto* shell = facts.place.shell.get();
  if (shell == nullptr) return found;
  const auto* python = facts.pythons.empty() ? nullptr : &facts.pythons.front();
  if (python != nullptr && python->selected && !shell->interpreter.empty() &&
      python->interpreter != shell->interpreter)
    found.push_back({.kind = Difference::Kind::interpreter});
  if (!same_nodes(facts.access, shell->access)) found.push_back({.kind = Difference::Kind::access});
  std::set<std::string> names;
  for (const auto& variable : facts.environment.variables) names.insert(variable.name);
  for (const auto& variable : shell->variables) names.insert(variable.name);
  for (const auto& name : names) {
    if (value_in(facts.environment.variables, name) != value_in(shell->variables, name))
      found.push_back({Difference::Kind::variable, name});
  }
  return found;
}

void take_from_shell(Facts& facts, const std::vector<Difference>& differences) {
  const auto* known = facts.place.shell.get();
  if (known == nullptr) return;
  const Shell shell = *known;
  const Facts before = facts;
  bool access = false;
  for (const auto& difference : differences) {
    switch (difference.kind) {
    case Difference::Kind::variable: take_variable(facts, shell, difference.name); break;
    case Difference::Kind::interpreter: take_interpreter(facts, shell); break;
    case Difference::Kind::access:
      facts.access = shell.access;
      access = true;
      break;
    }
  }
  choose_observed(facts, before, shell, access);
}

} // namespace gpuwhy
