// One file: what it is, its facts, and the rules' answers.
#include "lint/lint.h"

#include "base/text.h"
#include "program/packages.h"
#include "program/project.h"
#include "rules/report.h"
#include "rules/rule.h"

#include <algorithm>
#include <array>

namespace gpuwhy::lint {
namespace {

using namespace program;

constexpr std::size_t kLargestSource = std::size_t{4} << 20U;

/// A Python file without any of these, and without a package of kPackages, cannot matter; it is not
/// parsed.
constexpr auto kWords = std::to_array<std::string_view>(
    {"tensorflow", "keras", "torch", "jax", "CUDA_VISIBLE_DEVICES", "tf.", "KERAS_BACKEND",
     "JAX_PLATFORM", ".backward()", "LSTM(", "GRU(", "workers="});

void note(LintReport& report, const std::string& path, std::uint32_t line, std::string text) {
  report.notes.push_back({path, line, std::move(text)});
}

std::unique_ptr<Unit> read_project_file(const std::string& path, std::string bytes,
                                        LintReport& report) {
  auto source = read_text(std::move(bytes));
  if (!source) {
    note(report, path, 0, source.error().message);
    return nullptr;
  }
  auto unit = std::make_unique<Unit>();
  unit->path = path;
  unit->source = std::move(*source);
  for (const auto& odd : unit->source.notes) note(report, path, 0, odd);
  const auto kind = document_kind(path, unit->source.text);
  if (!kind) return nullptr;
  auto document = read_document(*kind, unit->source.text);
  if (!document) {
    note(report, path, 0, document.error().message);
    return nullptr;
  }
  unit->document = std::make_unique<Document>(std::move(*document));
  return unit;
}

} // namespace

bool can_matter(std::string_view bytes) {
  const auto holds = [&](std::string_view word) { return contains(bytes, word); };
  return std::any_of(kWords.begin(), kWords.end(), holds) ||
         std::any_of(kPackages.begin(), kPackages.end(),
                     [&](const Package& package) { return holds(package.name); });
}

bool Selection::takes(std::string_view id) const {
  const auto named = [&](const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const std::string& item) { return id.starts_with(item); });
  };
  return (select.empty() || named(select)) && !named(ignore);
}

void judge_unit(const Unit& unit, const Selection& selection, std::vector<CodeFinding>& findings) {
  Report report(unit);
  for (const Rule* rule : all_rules()) {
    if (rule->lint == nullptr || !selection.takes(rule->id)) continue;
    report.speaker(*rule);
    rule->lint(unit, report);
  }
  findings = std::move(report.findings());
}

void sort_by_place(std::vector<CodeFinding>& findings) {
  std::stable_sort(
      findings.begin(), findings.end(), [](const CodeFinding& a, const CodeFinding& b) {
        return std::tie(a.cell, a.line, a.column, a.id) < std::tie(b.cell, b.line, b.column, b.id);
      });
}

LintReport judge_file(const std::string& path, std::string bytes, const Selection& selection,
                      const Machine& machine, bool test) {
  LintReport report;
  report.files = 1;
  const auto lowered = lower(base_name(path));
  const bool notebook = lowered.ends_with(".ipynb"); // most of it may be pictures
  if (!notebook && bytes.size() > kLargestSource) {
    note(report, path, 0, "larger than 4 MiB: not looked at");
    return report;
  }
  const bool python = lowered.ends_with(".py") || lowered.ends_with(".pyw");
  if (python && (test || !can_matter(bytes)) && bytes.find('\0') == std::string::npos)
    return report;
  std::unique_ptr<Unit> unit;
  if (notebook || python) {
    std::vector<ReadNote> odd;
    auto read = read_python(path, std::move(bytes), odd);
    for (auto& each : odd) note(report, path, each.line, std::move(each.text));
    if (!read) {
      note(report, path, 0, read.error().message);
      return report;
    }
    unit = std::move(*read);
    if (!can_matter(unit->source.text) && unit->source.shell.empty()) return report;
  } else {
    unit = read_project_file(path, std::move(bytes), report);
    if (!unit) return report;
  }
  unit->machine = machine;
  judge_unit(*unit, selection, report.findings);
  apply_ignores(*unit, selection, report.findings);
  sort_by_place(report.findings);
  return report;
}

} // namespace gpuwhy::lint
