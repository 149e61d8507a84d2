#include "render/html_lint.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <map>

namespace gpuwhy::render {
namespace {

constexpr std::string_view kTab = "    ";

std::string counted(std::size_t count, const char* word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

const char* word_of(Severity severity) {
  return severity == Severity::info ? "hint" : name_of(severity);
}

/// First byte of the character that stands in `column`, from 1; the line's end if it is shorter.
std::size_t byte_of(std::string_view line, std::size_t column) {
  std::size_t at = 0;
  for (; column > 1 && at < line.size(); --column) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U) ++at;
  }
  return at;
}

void code(Html& html, std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const auto tab = std::min(text.find('\t', at), text.size());
    html.text(text.substr(at, tab - at));
    if (tab < text.size()) html.text(kTab);
    at = tab + 1;
  }
}

void line(Html& html, const CodeFinding& finding, std::size_t index) {
  const std::string_view text = finding.lines[index];
  const auto number = finding.line + index;
  html.element("span", {{"class", "line"}}, [&] {
    html.element("span", {{"class", "number"}}, std::to_string(number));
    html.element("code", {}, [&] {
      const auto begin = number == finding.line ? byte_of(text, finding.column) : 0;
      const auto end = number < finding.end_line
                           ? text.size()
                           : std::max(byte_of(text, finding.end_column), begin);
      // What leads the line on is no part of the place.
      const auto first = std::max(begin, std::min(text.find_first_not_of(" \t"), end));
      code(html, text.substr(0, first));
      html.element("mark", {}, [&] { code(html, text.substr(first, end - first)); });
      code(html, text.substr(end));
    });
  });
}

void frame(Html& html, const CodeFinding& finding) {
  if (finding.lines.empty()) return;
  html.element("pre", {{"class", "frame"}, {"tabindex", "0"}}, [&] {
    for (std::size_t index = 0; index < finding.lines.size(); ++index) {
      line(html, finding, index);
      html.line();
    }
    if (finding.end_line >= finding.line + finding.lines.size()) html.text("     …");
  });
}

std::string place(const CodeFinding& finding) {
  std::string text = finding.cell == 0 ? "" : "cell " + std::to_string(finding.cell) + ", ";
  return text + "line " + std::to_string(finding.line) + ", column " +
         std::to_string(finding.column);
}

void labelled(Html& html, std::string_view label, std::string_view text) {
  html_row(html, label, [&] { html.element("p", {}, text); });
}

using Count = std::array<std::size_t, 3>; // by severity

Count count(const LintReport& report) {
  Count all{};
  for (const auto& finding : report.findings) ++all[static_cast<std::size_t>(finding.severity)];
  return all;
}

std::string sentence(const LintReport& report, const Count& all) {
  const auto files = counted(report.files, "file");
  if (report.findings.empty()) return "nothing was found that keeps work off the GPU, in " + files;
  std::vector<std::string> parts;
  constexpr std::array kWords{"error", "warning", "hint"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] > 0) parts.push_back(counted(all[i], kWords[i]));
  }
  return join(parts, ", ") + " in " + files;
}

/// Worked by the page's script; without it all findings stand there.
void choice(Html& html, const Count& all) {
  const auto kinds =
      std::count_if(all.begin(), all.end(), [](std::size_t each) { return each > 0; });
  if (kinds < 2) return;
  html.element(
      "div", {{"class", "choice"}, {"role", "group"}, {"aria-label", "show"}, {"hidden"}}, [&] {
        for (const auto severity : {Severity::error, Severity::warning, Severity::info}) {
          const auto number = all[static_cast<std::size_t>(severity)];
          if (number == 0) continue;
          html.element(
              "button",
              {{"type", "button"}, {"aria-pressed", "true"}, {"data-severity", word_of(severity)}},
              counted(number, word_of(severity)));
        }
      });
  html.line();
}

} // namespace

void html_finding(Html& html, const CodeFinding& finding) {
  html.element(
      "article", {{"class", "finding"}, {"data-severity", word_of(finding.severity)}}, [&] {
        html.element("h3", {}, [&] {
          if (finding.severity == Severity::info)
            html_hint(html);
          else
            html_mark(html, finding.severity == Severity::error ? Tone::bad : Tone::limited);
          html.element("span", {}, finding.title);
        });
        html.element("p", {{"class", "name"}}, [&] {
          html.element("code", {{"class", "id"}}, finding.id);
          if (finding.slug != finding.id) html.text(" " + finding.slug);
          html.text(std::string(", ") + word_of(finding.severity) + ", " + place(finding));
        });
        frame(html, finding);
        labelled(html, "why", finding.message);
        if (!finding.fix.empty())
          labelled(html, "fix", finding.fix + (finding.edit ? " (gpuwhy lint --fix does it)" : ""));
      });
  html.line();
}

std::string lint_html(const LintReport& report, const PageContext& context) {
  const auto all = count(report);
  const auto said = sentence(report, all);
  const auto tone = all[0] > 0                ? Tone::bad
                    : all[1] > 0              ? Tone::limited
                    : report.findings.empty() ? Tone::good
                                              : Tone::open;
  std::map<std::string, std::vector<const CodeFinding*>> files;
  for (const auto& finding : report.findings) files[finding.path].push_back(&finding);
  return html_page(context, {.title = said}, [&](Html& html) {
    html_answer(html, "h1", "answer", tone, said);
    choice(html, all);
    for (const auto& file : files) {
      html.element("section", {{"class", "file"}}, [&] {
        html.element("h2", {}, [&] { html.element("code", {}, file.first); });
        for (const auto* each : file.second) html_finding(html, *each);
      });
      html.line();
    }
    std::vector<std::string> notes;
    for (const auto& note : report.notes)
      notes.push_back(note.path + (note.line == 0 ? "" : ":" + std::to_string(note.line)) + ": " +
                      note.text);
    html_section(html, "What could not be judged, or only in part", notes);
  });
}

} // namespace gpuwhy::render
