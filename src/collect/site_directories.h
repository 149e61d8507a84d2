// sys.path of an interpreter, as Lib/site.py builds it, without the standard library and the
// script's own directory.
#pragma once

#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct SiteQuestion {
  std::string prefix;      // sys.prefix
  std::string base_prefix; // of the interpreter behind a virtual environment; else the same
  std::string version;     // "3.11"
  bool virtual_environment = false;
  bool system_site = true; // a virtual environment sees the packages of its base
};

/// Directories that exist, in the order in which an import searches them.
std::vector<std::string> site_directories(System& system, const SiteQuestion& question);
/// Those of `path` that an import would search: sys.path of an interpreter that runs already.
std::vector<std::string> existing_directories(System& system, const std::vector<std::string>& path);

} // namespace gpuwhy
