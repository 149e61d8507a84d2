// Findings for people: what, where, the lines with a mark under them, how to mend it.
#include "render/lint.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::render {
namespace {

constexpr std::size_t kTab = 4;

class Painter {
public:
  explicit Painter(const Style& style) : style_(style) {}
  std::string operator()(std::string_view code, std::string_view text) const {
    if (!style_.color) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

private:
  const Style& style_;
};

constexpr std::string_view kBold = "1";
constexpr std::string_view kBlue = "34";
constexpr std::string_view color_of(Severity severity) {
  switch (severity) {
  case Severity::error: return "1;31";
  case Severity::warning: return "1;33";
  case Severity::info: return "1;36";
  }
  return "0";
}

std::string place(const CodeFinding& finding) {
  auto text = printable(finding.path) + ":";
  if (finding.cell != 0) text += "cell " + std::to_string(finding.cell) + ":";
  return text + std::to_string(finding.line) + ":" + std::to_string(finding.column);
}

/// A source line as shown: tabs widened, nothing that drives a terminal; `column` (from 1) moves
/// along.
struct Shown {
  std::string text;
  std::size_t begin = 0; // columns before the mark
  std::size_t end = 0;
};

Shown shown_line(std::string_view line, std::size_t begin, std::size_t end) {
  Shown shown;
  std::size_t characters = 0;
  std::size_t width = 0;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t length = 1;
    while (at + length < line.size() &&
           (static_cast<unsigned char>(line[at + length]) & 0xC0U) == 0x80U)
      ++length;
    ++characters;
    if (characters == begin) shown.begin = width;
    if (characters == end) shown.end = width;
    const auto piece =
        line[at] == '\t' ? std::string(kTab, ' ') : printable(line.substr(at, length));
    shown.text += piece;
    width += display_width(piece);
    at += length;
  }
  if (characters < begin) shown.begin = width;
  if (characters < end) shown.end = width;
  return shown;
}

/// The columns from `from` on, `width` of them.
std::string window(std::string_view text, std::size_t from, std::size_t width) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (at + length < text.size() &&
           (static_cast<unsigned char>(text[at + length]) & 0xC0U) == 0x80U)
      ++length;
    if (column >= from && column < from + width) result += text.substr(at, length);
    ++column;
    at += length;
  }
  return result;
}

void frame(const CodeFinding& finding, const Style& style, const Painter& paint, std::string& out) {
  if (finding.lines.empty()) return;
  const auto digits = std::to_string(finding.line + finding.lines.size() - 1).size();
  const std::string bar = style.unicode ? "│" : "|";
  const auto margin = [&](const std::string& number) {
    return paint(kBlue, std::string(digits - number.size() + 1, ' ') + number + " " + bar);
  };
  const std::size_t room = style.width > digits + 8 ? style.width - digits - 4 : 20;
  const bool one = finding.end_line == finding.line;
  for (std::size_t at = 0; at < finding.lines.size(); ++at) {
    const bool first = at == 0;
    auto line = shown_line(finding.lines[at], first ? finding.column : 1,
                           first && one ? finding.end_column : 0);
    // A long line is shown where the mark is.
    const std::size_t shift =
        first && line.begin + 10 > room ? line.begin - std::min(line.begin, room / 3) : 0;
    out += margin(std::to_string(finding.line + at)) + " " + window(line.text, shift, room) + "\n";
    if (!first) continue;
    const std::size_t begin = line.begin - shift;
    const std::size_t stop = one ? line.end : display_width(line.text);
    const std::size_t length = std::clamp<std::size_t>(stop > line.begin ? stop - line.begin : 1, 1,
                                                       room > begin ? room - begin : 1);
    out += margin("") + " " + std::string(begin, ' ') +
           paint(color_of(finding.severity), std::string(length, '^')) + "\n";
  }
  if (finding.end_line >= finding.line + finding.lines.size())
    out += margin("") + (style.unicode ? " …\n" : " ...\n");
}

void wrapped(std::string_view label, const std::string& text, const Style& style,
             std::string& out) {
  const std::size_t indent = label.size();
  const auto lines = wrap(printable(text), style.width > indent + 20 ? style.width - indent : 20);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    out += (at == 0 ? std::string(label) : std::string(indent, ' ')) + lines[at] + "\n";
  }
}

std::string counted(std::size_t count, const char* word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

} // namespace

std::string lint_text(const LintReport& report, const Style& style) {
  const Painter paint(style);
  std::string out;
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t edits = 0;
  for (const auto& finding : report.findings) {
    errors += finding.severity == Severity::error ? 1U : 0U;
    warnings += finding.severity == Severity::warning ? 1U : 0U;
    edits += finding.edit ? 1U : 0U;
    const std::string label = name_of(finding.severity);
    out += paint(color_of(finding.severity), label + "[" + finding.id + "]") + " " +
           paint(kBold, finding.title) + "\n";
    out += paint(kBlue, style.unicode ? " ──> " : " --> ") + place(finding) + "\n";
    frame(finding, style, paint, out);
    wrapped("  why  ", finding.message, style, out);
    wrapped("  fix  ", finding.fix + (finding.edit ? " (--fix does it)" : ""), style, out);
    out += "\n";
  }
  for (const auto& note : report.notes) {
    out += paint(kBold, "note") + " " + printable(note.path) +
           (note.line == 0 ? "" : ":" + std::to_string(note.line)) + ": " + printable(note.text) +
           "\n";
  }
  if (report.findings.empty()) {
    out += "nothing found in " + counted(report.files, "file") + "\n";
    return out;
  }
  const auto infos = report.findings.size() - errors - warnings;
  out += counted(errors, "error") + ", " + counted(warnings, "warning") + ", " +
         counted(infos, "hint") + " in " + counted(report.files, "file");
  if (edits > 0) out += "; --fix mends " + std::to_string(edits);
  return out + "\n";
}

} // namespace gpuwhy::render
