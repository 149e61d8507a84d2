#include "judge/judge.h"

#include "base/text.h"
#include "judge/code.h"
#include "judge/decisive.h"
#include "judge/plan.h"

#include <algorithm>

namespace gpuwhy {
namespace {

/// A gate that nothing was sent through: that a rule behind it is clear means nothing.
std::string not_reached(const Case& subject, Gate gate, bool no_gpu) {
  const bool of_driver = gate == Gate::driver || gate == Gate::access || gate == Gate::libcuda;
  const bool of_build =
      gate == Gate::build || gate == Gate::libraries || gate == Gate::architecture;
  if (of_driver && no_gpu) return "not reached: there is no GPU";
  if (of_build && subject.framework == nullptr) return "not reached: there is no framework to ask";
  return {};
}

std::vector<GateResult> route_of(const Case& subject, const Rulings& rulings) {
  std::vector<GateResult> route;
  const bool no_gpu =
      std::any_of(rulings.found.begin(), rulings.found.end(),
                  [](const Ruling& ruling) { return ruling.rule->gate == Gate::hardware; });
  for (const auto& text : kGates) {
    if (text.gate > Gate::code) break; // later gates are judged by looking at the run
    if (text.gate == Gate::code && subject.facts.program.path.empty()) break;
    GateResult result{
        .gate = text.gate, .state = GateResult::State::unknown, .reason = {}, .evidence = {}};
    std::vector<std::string> ids;
    for (const auto& ruling : rulings.found) {
      if (ruling.rule->gate != text.gate) continue;
      ids.emplace_back(ruling.rule->id);
      result.evidence.insert(result.evidence.end(), ruling.outcome.evidence.begin(),
                             ruling.outcome.evidence.end());
    }
    for (const auto& ruling : rulings.comes_of_it) {
      if (ruling.rule->gate == text.gate) ids.emplace_back(ruling.rule->id);
    }
    std::vector<std::string> missing;
    for (const auto& ruling : rulings.unknown) {
      if (ruling.rule->gate == text.gate) missing.push_back(ruling.outcome.text);
    }
    std::vector<Evidence> clear;
    for (const auto& ruling : rulings.clear) {
      if (ruling.rule->gate == text.gate) clear.push_back({ruling.outcome.text, {}});
    }
    if (text.gate == Gate::code) {
      auto code = code_gate(subject, ids);
      if (!ids.empty()) code.evidence = std::move(result.evidence);
      result = std::move(code);
    } else if (!ids.empty()) {
      result.state = GateResult::State::failed;
      result.reason = join(ids, " ");
    } else if (auto reason = not_reached(subject, text.gate, no_gpu); !reason.empty()) {
      result.reason = std::move(reason);
    } else if (!missing.empty()) {
      result.reason = missing.front();
    } else if (!clear.empty()) {
      result.state = GateResult::State::passed;
      result.evidence = std::move(clear);
    } else {
      result.reason = "not reached";
    }
    route.push_back(std::move(result));
  }
  return route;
}

FrameworkVerdict judge_case(const Case& subject) {
  FrameworkVerdict verdict;
  verdict.framework = subject.wanted;
  verdict.installed = subject.framework != nullptr || subject.keras != nullptr;
  if (subject.python != nullptr) {
    verdict.interpreter = subject.python->interpreter;
    verdict.environment = subject.python->prefix;
    verdict.environment_kind = subject.python->kind;
    verdict.python_version = subject.python->version.value_or("");
    verdict.selected = subject.python->selected;
  }
  if (runs_program(subject)) verdict.program = subject.facts.program.entry;
  verdict.backend = subject.backend;
  const auto* named = subject.keras != nullptr ? subject.keras : subject.framework;
  if (named != nullptr) verdict.version = named->version.value_or("");
  const Rulings rulings = ask_rules(subject);
  verdict.answer = usable(rulings);
  verdict.route = route_of(subject, rulings);
  for (const auto& ruling : rulings.unknown) {
    if (std::find(verdict.unknown.begin(), verdict.unknown.end(), ruling.outcome.text) ==
        verdict.unknown.end()) {
      verdict.unknown.push_back(ruling.outcome.text);
    }
  }
  for (const auto& ruling : rulings.clear) {
    verdict.ruled_out.push_back(std::string(ruling.rule->id) + " " +
                                std::string(ruling.rule->slug) + ": " + ruling.outcome.text);
  }
  make_plan(subject, rulings, verdict);
  return verdict;
}

std::string cuda_text(int version) {
  if (version <= 0) return {};
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::vector<GpuLine> gpu_lines(const Facts& facts) {
  std::vector<GpuLine> lines;
  const auto* nvml = facts.observed.nvml.get();
  const auto* cuda = facts.observed.cuda_unhidden.get();
  std::string driver =
      facts.driver.module.known() ? facts.driver.module.value().version : std::string();
  if (driver.empty() && nvml != nullptr) driver = nvml->driver_version;
  const std::string cuda_version = cuda_text(cuda != nullptr   ? cuda->driver_version
                                             : nvml != nullptr ? nvml->cuda_version
                                                               : 0);
  if (cuda != nullptr && cuda->init == 0) {
    for (const auto& device : cuda->devices) {
      lines.push_back(
          {device.name, device.compute_capability.str(), device.memory, driver, cuda_version});
    }
  }
  if (!lines.empty()) return lines;
  if (nvml != nullptr && nvml->init == 0) {
    for (const auto& device : nvml->devices) {
      lines.push_back(
          {device.name,
           device.compute_capability.known() ? device.compute_capability.value().str() : "",
           device.memory_total.value_or(0), driver, cuda_version});
    }
  }
  if (!lines.empty()) return lines;
  for (const auto& gpu : facts.hardware.gpus.value_or({})) {
    lines.push_back({gpu.product.value_or(gpu.vendor + " GPU " + gpu.device_id),
                     gpu.compute_capability.known() ? gpu.compute_capability.value().str() : "", 0,
                     gpu.vendor == "nvidia" ? driver : "",
                     gpu.vendor == "nvidia" ? cuda_version : ""});
  }
  return lines;
}

std::optional<PlaceLine> place_of(const Facts& facts,
                                  const std::vector<FrameworkVerdict>& frameworks) {
  const auto& place = facts.place;
  if (place.kind.empty()) return std::nullopt;
  PlaceLine line{place.kind, place.name, place.origin, {}, place.loaded.value_or({})};
  if (!frameworks.empty()) line.shell = answer_of_shell(facts, frameworks.front().framework);
  return line;
}

ProgramReport report_of(const ProgramFacts& program) {
  ProgramReport report{program.path, program.entry, program.files, program.frameworks,
                       program.notes};
  if (!program.problem.empty()) {
    report.notes.insert(report.notes.begin(), program.problem);
  } else if (program.frameworks.empty()) {
    report.notes.insert(report.notes.begin(),
                        program.entry + " imports none of TensorFlow, Keras, JAX and PyTorch: "
                                        "nothing in it was judged");
  }
  for (const auto& variable : program.variables) {
    if (variable.too_late.empty()) continue;
    report.notes.push_back(variable.place + ": setting " + variable.name +
                           " here has no effect: " + variable.too_late);
  }
  return report;
}

} // namespace

Verdict judge(const Facts& facts) {
  Verdict verdict;
  for (const auto& subject : cases_of(facts)) verdict.frameworks.push_back(judge_case(subject));
  verdict.gpus = gpu_lines(facts);
  verdict.place = place_of(facts, verdict.frameworks);
  if (!facts.program.path.empty()) verdict.program = report_of(facts.program);
  verdict.findings = facts.program.findings;
  verdict.problems = facts.problems;
  return verdict;
}

} // namespace gpuwhy
