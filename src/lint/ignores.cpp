// `# gpuwhy: ignore[P01]`: on the line of a finding, or alone on the line above it.
#include "lint/lint.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::lint {
namespace {

using namespace program;

constexpr std::string_view kMark = "gpuwhy: ignore";

struct Ignore {
  std::vector<std::string> ids; // empty: all
  std::vector<bool> used;
  bool used_at_all = false;
  std::uint32_t line = 1; // of the text
  std::uint32_t column = 1;
  std::uint32_t covers = 1; // the line that it speaks of
};

Ignore parse(std::string_view comment, std::uint32_t line, std::uint32_t column, bool alone) {
  Ignore ignore;
  ignore.line = line;
  ignore.column = column;
  ignore.covers = alone ? line + 1 : line;
  const auto rest = comment.substr(comment.find(kMark) + kMark.size());
  if (rest.starts_with('[') && contains(rest, "]")) {
    for (const auto id : split(rest.substr(1, rest.find(']') - 1), ',')) {
      if (!trim(id).empty()) ignore.ids.emplace_back(trim(id));
    }
  }
  ignore.used.assign(ignore.ids.size(), false);
  return ignore;
}

std::vector<Ignore> ignores_of(const Unit& unit) {
  std::vector<Ignore> ignores;
  if (unit.module) {
    const auto& tree = unit.module->tree();
    for (const NodeId id : tree.all(Kind::comment)) {
      const auto text = tree.text(id);
      if (!contains(text, kMark)) continue;
      const auto shown = unit.source.line_text(tree[id].line);
      ignores.push_back(parse(text, tree[id].line, tree[id].column, trim(shown).starts_with('#')));
    }
    return ignores;
  }
  std::uint32_t line = 0;
  for (const auto& text : unit.source.shown) {
    ++line;
    const auto at = text.find(kMark);
    const auto hash = text.find('#');
    if (at == std::string::npos || hash == std::string::npos || hash > at) continue;
    ignores.push_back(
        parse(text, line, static_cast<std::uint32_t>(hash) + 1, trim(text).starts_with('#')));
  }
  return ignores;
}

bool covers(const Unit& unit, const Ignore& ignore, const CodeFinding& finding) {
  const auto place = unit.source.place(ignore.covers);
  const auto own = unit.source.place(ignore.line);
  if (place.cell != finding.cell) return false;
  return place.line == finding.line || (own.line >= finding.line && own.line <= finding.end_line);
}

CodeFinding unused(const Unit& unit, const Ignore& ignore, const std::string& what) {
  CodeFinding finding;
  finding.id = "unused-ignore";
  finding.slug = "unused-ignore";
  finding.title = "An ignore comment covers nothing";
  finding.path = unit.path;
  const auto place = unit.source.place(ignore.line);
  finding.line = finding.end_line = place.line;
  finding.cell = place.cell;
  finding.column = ignore.column;
  const auto shown = unit.source.line_text(ignore.line);
  finding.end_column = static_cast<std::uint32_t>(display_width(shown)) + 1;
  finding.severity = Severity::info;
  finding.message = what.empty() ? "nothing is found here" : what + " is not found here";
  finding.fix = "remove it";
  finding.lines.emplace_back(shown);
  return finding;
}

} // namespace

void apply_ignores(const Unit& unit, const Selection& selection,
                   std::vector<CodeFinding>& findings) {
  auto ignores = ignores_of(unit);
  if (ignores.empty()) return;
  std::erase_if(findings, [&](const CodeFinding& finding) {
    bool gone = false;
    for (auto& ignore : ignores) {
      if (!covers(unit, ignore, finding)) continue;
      for (std::size_t at = 0; at < ignore.ids.size(); ++at) {
        if (ignore.ids[at] != finding.id) continue;
        ignore.used[at] = true;
        gone = true;
      }
      if (ignore.ids.empty()) ignore.used_at_all = gone = true;
    }
    return gone;
  });
  for (const auto& ignore : ignores) {
    if (ignore.ids.empty() && !ignore.used_at_all) findings.push_back(unused(unit, ignore, {}));
    for (std::size_t at = 0; at < ignore.ids.size(); ++at) {
      if (!ignore.used[at] && selection.takes(ignore.ids[at]))
        findings.push_back(unused(unit, ignore, ignore.ids[at]));
    }
  }
}

} // namespace gpuwhy::lint
