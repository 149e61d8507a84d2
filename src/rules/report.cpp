// Places of findings: from syntax nodes and lines to what a reader sees.
#include "rules/report.h"

#include "base/text.h"
#include "rules/rule.h"

#include <algorithm>

namespace gpuwhy::lint {
namespace {

constexpr std::uint32_t kMostLinesShown = 3;

} // namespace

CodeFinding& Report::add(CodeFinding finding, std::uint32_t text_line, std::uint32_t text_end) {
  finding.id = rule_->id;
  finding.slug = rule_->slug;
  finding.title = rule_->title;
  finding.path = unit_.path;
  const auto start = unit_.source.place(text_line);
  const auto end = unit_.source.place(text_end);
  finding.line = start.line;
  finding.cell = start.cell;
  finding.end_line = end.cell == start.cell ? end.line : start.line;
  for (const auto& other : findings_) {
    if (other.id == finding.id && other.line == finding.line && other.cell == finding.cell) {
      ignored_ = std::move(finding);
      return ignored_;
    }
  }
  const auto last = std::min(finding.end_line - finding.line, kMostLinesShown - 1);
  for (std::uint32_t line = 0; line <= last; ++line) {
    finding.lines.emplace_back(unit_.source.line_text(text_line + line));
  }
  findings_.push_back(std::move(finding));
  return findings_.back();
}

CodeFinding& Report::at(program::NodeId node, Severity severity, std::string message,
                        std::string fix) {
  const auto& tree = unit_.module->tree();
  const auto& place = tree[node];
  CodeFinding finding;
  finding.severity = severity;
  finding.message = std::move(message);
  finding.fix = std::move(fix);
  const auto shown = unit_.source.line_text(place.line);
  finding.column = static_cast<std::uint32_t>(display_width(
                       shown.substr(0, std::min<std::size_t>(place.column - 1, shown.size())))) +
                   1;
  finding.end_column = finding.column;
  if (place.end_line == place.line) {
    finding.end_column =
        finding.column + static_cast<std::uint32_t>(display_width(tree.text(node)));
  } else {
    finding.end_column = static_cast<std::uint32_t>(display_width(shown)) + 1;
  }
  return add(std::move(finding), place.line, place.end_line);
}

CodeFinding& Report::at_line(std::uint32_t line, Severity severity, std::string message,
                             std::string fix) {
  CodeFinding finding;
  finding.severity = severity;
  finding.message = std::move(message);
  finding.fix = std::move(fix);
  const auto shown = unit_.source.line_text(line);
  const auto first = shown.find_first_not_of(" \t");
  finding.column = first == std::string_view::npos ? 1 : static_cast<std::uint32_t>(first) + 1;
  finding.end_column = static_cast<std::uint32_t>(display_width(shown)) + 1;
  return add(std::move(finding), line, line);
}

void Report::edit(CodeFinding& finding, std::uint32_t begin, std::uint32_t end,
                  std::string replacement) const {
  if (unit_.source.verbatim) {
    finding.edit = TextEdit{begin, end, std::move(replacement)};
  }
}

} // namespace gpuwhy::lint
