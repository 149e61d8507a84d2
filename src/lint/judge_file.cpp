// One file: what it is, its facts, and the rules' answers.
#include "lint/lint.h"

#include "base/text.h"
#include "rules/report.h"
#include "rules/rule.h"

#include <algorithm>
#include <array>

namespace gpuwhy::lint {
namespace {

using namespace program;

constexpr std::size_t kLargestSource = std::size_t{4} << 20U;
constexpr std::size_t kMostCalls = 20'000; // some rules compare calls with calls

/// A Python file without any of these cannot matter; it is not parsed.
constexpr auto kWords = std::to_array<std::string_view>(
    {"tensorflow", "keras", "torch", "jax", "CUDA_VISIBLE_DEVICES", "tf.", "KERAS_BACKEND",
     "JAX_PLATFORM", ".backward()", "LSTM(", "GRU(", "workers="});

bool can_matter(std::string_view bytes) {
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return contains(bytes, word); });
}

void note(LintReport& report, const std::string& path, std::uint32_t line, std::string text) {
  report.notes.push_back({path, line, std::move(text)});
}

void ask_rules(const Unit& unit, const Selection& selection, std::vector<CodeFinding>& findings) {
  Report report(unit);
  for (const Rule* rule : all_rules()) {
    if (rule->lint == nullptr || !selection.takes(rule->id)) continue;
    report.speaker(*rule);
    rule->lint(unit, report);
  }
  findings = std::move(report.findings());
}

/// Names and imports make a module; what is no Python in it is told.
void read_module(Unit& unit, LintReport& report) {
  auto tree = Tree::parse(unit.source.text);
  if (const auto line = tree.first_error_line()) {
    const auto place = unit.source.place(*line);
    note(report, unit.path, place.line,
         (place.cell == 0 ? std::string() : "cell " + std::to_string(place.cell) + ": ") +
             "not all of it is Python 3 that can be read; the rest was judged");
  }
  if (tree.too_deep()) note(report, unit.path, 0, "nested too deep in places: those were left out");
  if (tree.all(Kind::call).size() > kMostCalls) {
    note(report, unit.path, 0,
         "more than " + std::to_string(kMostCalls) + " calls: written by a program, not judged");
    return;
  }
  unit.module = std::make_unique<Module>(std::move(tree));
}

} // namespace

bool Selection::takes(std::string_view id) const {
  const auto named = [&](const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const std::string& item) { return id.starts_with(item); });
  };
  return (select.empty() || named(select)) && !named(ignore);
}

LintReport judge_file(const std::string& path, std::string bytes, const Selection& selection,
                      const Machine& machine, bool test) {
  LintReport report;
  report.files = 1;
  if (bytes.size() > kLargestSource) {
    note(report, path, 0, "larger than 4 MiB: not looked at");
    return report;
  }
  Unit unit;
  unit.path = path;
  unit.machine = machine;
  const auto lowered = lower(base_name(path));
  const bool notebook = lowered.ends_with(".ipynb");
  const bool python = lowered.ends_with(".py") || lowered.ends_with(".pyw");
  if (python && (test || !can_matter(bytes)) && bytes.find('\0') == std::string::npos)
    return report;
  auto source = notebook ? read_notebook(bytes) : read_text(std::move(bytes));
  if (!source) {
    note(report, path, 0, source.error().message);
    return report;
  }
  unit.source = std::move(*source);
  for (const auto& odd : unit.source.notes) note(report, path, 0, odd);
  if (notebook || python) {
    if (!can_matter(unit.source.text) && unit.source.shell.empty()) return report;
    read_module(unit, report);
    if (!unit.module) return report;
    if (!unit.source.shell.empty()) {
      unit.document = std::make_unique<Document>();
      unit.document->kind = Document::Kind::shell_lines;
      for (const auto& line : unit.source.shell) {
        unit.document->commands.push_back({"", line.words, line.line});
        requirements_of_command(line.words, line.line, *unit.document);
      }
    }
  } else {
    const auto kind = document_kind(path, unit.source.text);
    if (!kind) return report;
    auto document = read_document(*kind, unit.source.text);
    if (!document) {
      note(report, path, 0, document.error().message);
      return report;
    }
    unit.document = std::make_unique<Document>(std::move(*document));
  }
  ask_rules(unit, selection, report.findings);
  apply_ignores(unit, selection, report.findings);
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const CodeFinding& a, const CodeFinding& b) {
                     return std::tie(a.cell, a.line, a.column, a.id) <
                            std::tie(b.cell, b.line, b.column, b.id);
                   });
  return report;
}

} // namespace gpuwhy::lint
