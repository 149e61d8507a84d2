// Code that stands in a text: no file, no machine, and perhaps not all of it.
#include "lint/lint.h"

#include "program/frameworks.h"
#include "program/project.h"

#include <algorithm>

namespace gpuwhy::lint {
namespace {

using namespace program;

using Units = std::vector<std::unique_ptr<Unit>>; // null: cannot matter, or cannot be read

Units read_all(const std::vector<std::string>& texts) {
  Units units;
  for (const auto& text : texts) {
    units.push_back(nullptr);
    if (!can_matter(text)) continue;
    std::vector<ReadNote> odd;
    if (auto unit = read_source({}, read_cell(text), odd)) units.back() = std::move(*unit);
  }
  return units;
}

/// Another text defines what moves models about: what this one leaves undone may be done there. A
/// question at a prompt ("torch.cuda.is_available()") moves nothing.
bool handled_elsewhere(const Units& units, const Unit& self) {
  return std::any_of(units.begin(), units.end(), [&](const auto& unit) {
    return unit && unit.get() != &self && mentions_gpu(*unit->module) &&
           !unit->module->tree().all(Kind::function_definition).empty();
  });
}

} // namespace

std::vector<LintReport> judge_pasted(const std::vector<std::string>& texts) {
  const auto units = read_all(texts);
  std::vector<LintReport> reports;
  for (const auto& unit : units) {
    auto& report = reports.emplace_back();
    if (!unit) continue;
    report.files = 1;
    judge_unit(*unit, {}, report.findings);
    std::erase_if(report.findings, [&](const CodeFinding& finding) {
      return finding.id == "P15" && handled_elsewhere(units, *unit);
    });
    sort_by_place(report.findings);
  }
  return reports;
}

} // namespace gpuwhy::lint
