// The search for one name by one object: goes through places_for() until a file ends it.
#pragma once

#include "loader/search.h"

namespace gpuwhy::loader {

/// How the search for one name ended.
struct Hit {
  enum class End { missing, loaded, file, bad, crash };
  End end = End::missing;
  std::string path;
  Step step = Step::default_directory;
  std::string because;
  std::string detail;
  std::vector<Asked> trace;
  std::vector<std::string> not_looked; // before the end was reached: what is said here may be wrong
};

Hit search_once(const Libraries& libraries, const Setting& setting, const Request& request);

} // namespace gpuwhy::loader
