#include "places/found_place.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

/// "char-nvidia*" is a pattern of the driver's name in /proc/devices, a path is one node: see
/// systemd.resource-control(5).
bool names_node(std::string_view rule, const DeviceNode& node) {
  if (!rule.starts_with("char-")) return rule == node.path || rule == "char-*";
  rule.remove_prefix(5);
  if (rule == "*") return true;
  const bool open_ended = rule.ends_with('*');
  if (open_ended) rule.remove_suffix(1);
  const auto name = base_name(node.path);
  // The driver registers GPUs and nvidiactl as "nvidia" (before 560 as "nvidia-frontend").
  for (const std::string_view driver : {name == "nvidia-uvm" ? "nvidia-uvm" : "nvidia",
                                        name == "nvidia-uvm" ? "nvidia-uvm" : "nvidia-frontend"}) {
    if (open_ended ? driver.starts_with(rule) : driver == rule) return true;
  }
  return false;
}

void judge_node(const DeviceRules& rules, DeviceNode& node) {
  const auto has = [&](const auto& list, auto matches) {
    return std::any_of(list.begin(), list.end(), matches);
  };
  if (has(rules.opened, [&](const std::string& path) { return path == node.path; })) {
    node.usable = Fact<bool>::known(true, rules.source);
    node.problem.clear();
    return;
  }
  if (node.usable.known() && !node.usable.value()) return; // the permission bits say no already
  const bool listed = rules.kind == DeviceRules::Kind::listed;
  if (listed && !has(rules.allowed, [&](const auto& rule) { return names_node(rule, node); })) {
    node.usable = Fact<bool>::known(false, rules.source);
    node.problem = "EPERM";
  } else if (listed || (rules.kind == DeviceRules::Kind::as_ours && node.usable.open())) {
    node.usable = Fact<bool>::known(true, rules.source);
  } else if (rules.kind == DeviceRules::Kind::unknown) {
    node.usable = Fact<bool>::unknown(rules.why, rules.source);
  }
}

void complete_access(const DeviceRules& rules, Access& access) {
  using Nodes = Fact<std::vector<DeviceNode>>;
  if (!access.nodes.known()) return;
  if (rules.kind == DeviceRules::Kind::hidden) {
    std::vector<DeviceNode> left;
    for (const auto& node : access.nodes.value()) {
      const auto& bound = rules.allowed;
      if (std::find(bound.begin(), bound.end(), node.path) != bound.end()) left.push_back(node);
    }
    access.nodes = Nodes::known(std::move(left), rules.source);
    return;
  }
  for (auto& node : access.nodes.value()) judge_node(rules, node);
}

void complete_variables(const FoundPlace& found, EnvironmentFacts& environment) {
  environment.looked = found.environment_known;
  for (auto& variable : environment.variables) {
    const auto origin = found.origins.find(variable.name);
    if (origin != found.origins.end()) {
      variable.origins = {origin->second};
    } else if (!found.inherits_shell) {
      variable.origins.clear();
    }
  }
}

} // namespace

void complete_facts(const FoundPlace& found, Facts& facts) {
  facts.place = found.place;
  complete_variables(found, facts.environment);
  complete_access(found.devices, facts.access);
  facts.problems.insert(facts.problems.begin(), found.problems.begin(), found.problems.end());
}

void compare_with(const Facts& shell, Facts& facts) {
  Shell kept;
  kept.variables = shell.environment.variables;
  kept.working_directory = shell.platform.working_directory;
  kept.access = shell.access;
  kept.observed = shell.observed;
  for (const auto& python : shell.pythons) {
    // python and python3 of one environment are the same.
    const auto same = std::find_if(
        facts.pythons.begin(), facts.pythons.end(), [&](const PythonEnvironment& each) {
          return each.interpreter == python.interpreter ||
                 (each.prefix == python.prefix && each.executable == python.executable);
        });
    const bool known = same != facts.pythons.end();
    if (python.selected) kept.interpreter = known ? same->interpreter : python.interpreter;
    if (known) continue;
    facts.pythons.push_back(python);
    facts.pythons.back().selected = false;
  }
  auto& libraries = facts.libraries;
  libraries.files.insert(shell.libraries.files.begin(), shell.libraries.files.end());
  for (const auto& [path, directory] : shell.libraries.directories) {
    const auto [at, is_new] = libraries.directories.emplace(path, directory);
    auto& names = at->second.names;
    for (const auto& name : directory.names) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  facts.place.shell = Fact<Shell>::known(std::move(kept), {"this shell", 0});
}

} // namespace gpuwhy::places
