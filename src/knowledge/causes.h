// The names of all causes, whether or not a rule looks for them on a machine: causes.tsv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct CauseName {
  std::string_view id;     // "L04"
  std::string_view slug;   // "cudnn-version-mismatch"
  std::string_view gate;   // "libraries"
  std::string_view effect; // "hides", "breaks", "slows"
  std::string_view title;
  std::string_view fix; // one line
};

/// In the order of the table.
const std::vector<CauseName>& all_causes();
/// nullptr for an id that is not listed.
const CauseName* find_cause(std::string_view id);
/// For the tests: rows that do not parse.
const std::vector<std::string>& cause_problems();

} // namespace gpuwhy
