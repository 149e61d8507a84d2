#include "knowledge/causes.h"

#include "knowledge/cells.h"

#include <algorithm>

namespace gpuwhy {
namespace {

struct Causes {
  std::vector<CauseName> names;
  std::vector<std::string> problems;
};

Causes read_causes() {
  Causes causes;
  TableReader table("causes", {"id", "slug", "gate", "effect", "title", "fix"});
  for (const auto& [line, cells] : table.rows) {
    const bool whole =
        std::none_of(cells.begin(), cells.end(), [](auto cell) { return cell.empty(); });
    const auto& effect = cells[3];
    if (!whole || cells[0].size() != 3 ||
        (effect != "hides" && effect != "breaks" && effect != "slows")) {
      table.complain(line, "a cell does not parse");
    }
    causes.names.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]});
  }
  causes.problems = std::move(table.problems);
  return causes;
}

const Causes& causes() {
  static const Causes kCauses = read_causes();
  return kCauses;
}

} // namespace

const std::vector<CauseName>& all_causes() {
  return causes().names;
}

const CauseName* find_cause(std::string_view id) {
  const auto& names = causes().names;
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const CauseName& name) { return name.id == id; });
  return found == names.end() ? nullptr : &*found;
}

const std::vector<std::string>& cause_problems() {
  return causes().problems;
}

} // namespace gpuwhy
