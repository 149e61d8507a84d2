// Which file each library comes from, as the judge's search says it, for every framework of a
// snapshot.
//
//   gpuwhy snapshot train.py | gpuwhy_predict_libraries
//
// One line a library, parted by tabs: framework, soname, "required" or "in use", path; "-": does
// not load.
#include "facts/json.h"
#include "judge/judge.h"

#include <iostream>
#include <iterator>

int main() {
  const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
  const auto facts = gpuwhy::read_snapshot(text);
  if (!facts) {
    std::cerr << facts.error().message << "\n";
    return 1;
  }
  for (const auto& subject : gpuwhy::cases_of(*facts)) {
    for (const auto& need : subject.libraries) {
      const bool found = need.found.outcome == gpuwhy::loader::Outcome::found;
      std::cout << subject.wanted << "\t" << need.soname << "\t"
                << (need.required ? "required" : "in use") << "\t"
                << (found ? need.found.path : "-") << "\n";
    }
  }
  return 0;
}
