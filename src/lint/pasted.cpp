// Code that stands in a text: no file, no machine, and perhaps not all of it.
#include "lint/lint.h"

#include "program/project.h"

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

} // namespace

std::vector<CodeFinding> judge_pasted(const std::vector<std::string>& texts) {
  const auto units = read_all(texts);
  std::vector<CodeFinding> all;
  for (std::size_t number = 0; number < units.size(); ++number) {
    if (!units[number]) continue;
    std::vector<CodeFinding> found;
    judge_unit(*units[number], {}, found);
    sort_by_place(found);
    for (auto& finding : found) {
      if (finding.id == "P15" && handled_elsewhere(units, *units[number])) continue;
      finding.cell = static_cast<std::uint32_t>(number) + 1;
      all.push_back(std::move(finding));
    }
  }
  return all;
}

} // namespace gpuwhy::lint
