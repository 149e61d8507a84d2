#include "judge/code.h"

#include "base/text.h"
#include "facts/program_run.h"
#include "rules/F_framework/installation.h"

#include <algorithm>

namespace gpuwhy {
namespace {

bool concerns(const CodeFinding& finding, const Case& subject) {
  return finding.bearing != Bearing::note &&
         (finding.framework.empty() || finding.framework == subject.kind());
}

/// The variable that a statement at the place of the finding sets; empty: none.
std::string variable_at(const Facts& facts, const CodeFinding& finding) {
  for (const auto& variable : facts.program.variables) {
    if (variable.applied && variable.place == finding.place()) return variable.name;
  }
  return {};
}

/// Takes all findings of `id` out of the program, and the variables that they set.
void remove_findings(Facts& facts, const std::string& id) {
  for (const auto& finding : facts.program.findings) {
    if (finding.id != id || finding.bearing == Bearing::note) continue;
    if (const auto name = variable_at(facts, finding); !name.empty()) edit::take_out(facts, name);
  }
  std::erase_if(facts.program.findings, [&](const CodeFinding& finding) {
    return finding.id == id && finding.bearing != Bearing::note;
  });
}

Edit edit_of(const std::vector<const CodeFinding*>& findings) {
  const auto& first = *findings.front();
  Edit edit;
  edit.words = first.place() + ": " + first.fix;
  std::vector<std::string> others;
  for (std::size_t at = 1; at < findings.size(); ++at) others.push_back(findings[at]->place());
  if (!others.empty()) edit.words += "; likewise " + join(others, ", ");
  edit.apply = [id = first.id](Facts& facts) { remove_findings(facts, id); };
  std::vector<std::string> paths;
  for (const auto* each : findings) {
    if (!each->edit) return edit; // nothing that is safe to do by machine
    if (std::find(paths.begin(), paths.end(), each->path) == paths.end())
      paths.push_back(each->path);
  }
  std::string command = "gpuwhy lint --fix --select " + first.id;
  for (const auto& path : paths) command += " " + rules::shell_word(path);
  edit.commands.push_back(std::move(command));
  return edit;
}

Ruling ruling_of(const std::vector<const CodeFinding*>& findings) {
  const auto& first = *findings.front();
  auto text = first.place() + ": " + first.message;
  if (findings.size() > 1) {
    text += " (and " + std::to_string(findings.size() - 1) +
            (findings.size() == 2 ? " more place)" : " more places)");
  }
  auto outcome = Outcome::found(std::move(text));
  for (const auto* each : findings) {
    const auto line = each->lines.empty() ? each->message : std::string(trim(each->lines.front()));
    outcome.evidence.push_back({line, source_of(*each)});
  }
  const bool hides = std::any_of(findings.begin(), findings.end(),
                                 [](const auto* each) { return each->bearing == Bearing::hides; });
  outcome.effect = hides ? Effect::hides : Effect::breaks;
  outcome.edits.push_back(edit_of(findings));
  return {find_rule(first.id), std::move(outcome)};
}

} // namespace

Source source_of(const CodeFinding& finding) {
  const auto cell = finding.cell == 0 ? "" : ":cell " + std::to_string(finding.cell);
  return {finding.path + cell, static_cast<int>(finding.line)};
}

bool runs_program(const Case& subject) {
  const auto& program = subject.facts.program;
  const bool theirs = subject.python == nullptr || subject.python->selected;
  return program.judged() && theirs && program.uses(subject.wanted);
}

std::vector<Ruling> code_rulings(const Case& subject) {
  std::vector<Ruling> rulings;
  if (!runs_program(subject)) return rulings;
  std::vector<std::vector<const CodeFinding*>> groups; // by id, in the order of the program
  for (const auto& finding : subject.facts.program.findings) {
    if (!concerns(finding, subject) || find_rule(finding.id) == nullptr) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.front()->id == finding.id;
    });
    if (same == groups.end()) {
      groups.push_back({&finding});
    } else {
      same->push_back(&finding);
    }
  }
  for (const auto& group : groups) rulings.push_back(ruling_of(group));
  return rulings;
}

GateResult code_gate(const Case& subject, const std::vector<std::string>& ids) {
  const auto& program = subject.facts.program;
  GateResult gate{
      .gate = Gate::code, .state = GateResult::State::unknown, .reason = {}, .evidence = {}};
  if (!ids.empty()) {
    gate.state = GateResult::State::failed;
    gate.reason = join(ids, " ");
  } else if (!program.problem.empty()) {
    gate.reason = program.problem;
  } else if (!runs_program(subject)) {
    gate.reason = program.entry + " does not compute with " + subject.wanted;
  } else {
    gate.state = GateResult::State::passed;
    const auto count = program.files.size();
    gate.evidence.push_back(
        {"nothing in " + program.entry +
             (count > 1 ? " and the " + std::to_string(count - 1) + " files that it imports" : "") +
             " keeps work off the GPU",
         {}});
  }
  return gate;
}

std::vector<std::string> missing_frameworks(const Facts& facts, const PythonEnvironment& python) {
  std::vector<std::string> missing;
  if (!facts.program.judged()) return missing;
  for (const auto& name : facts.program.frameworks) {
    const bool there = std::any_of(python.frameworks.begin(), python.frameworks.end(),
                                   [&](const Framework& each) { return each.name == name; });
    if (!there) missing.push_back(name);
  }
  return missing;
}

} // namespace gpuwhy
