// A collector asks a System about one subject and writes what it saw into the Facts. What it could
// not see becomes an unknown fact with the reason; it never fails, prints or throws.
#pragma once

#include "facts/facts.h"
#include "system/system.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// What the user asked to look at; the defaults look at this machine and everything found on it.
struct Scope {
  std::string python;    // the interpreter, a name on PATH, or the folder of an environment
  std::string chosen_by; // who named it; empty: --python, and no other environment is wanted
  std::string program;   // a .py, .ipynb or directory whose environment is wanted; may be empty
  std::vector<std::string> sys_path; // of the selected interpreter, as it is; empty: predicted
  bool all_environments = false;     // search for environments beyond the selected ones
  bool probes = true;                // ask the driver through the probes
};

struct Collector {
  std::string_view name;
  std::string_view
      reads; // what it looks at, for docs: "/sys/bus/pci/devices/*/{vendor,device,class,driver}"
  void (*collect)(System&, const Scope&, Facts&);
};

/// In the order in which they run: later ones may read what earlier ones wrote, never the reverse.
const std::vector<Collector>& all_collectors();

/// Turns "there is no answer" into the matching fact without a value.
template <class T> Fact<T> without_value(const Unavailable& why, const std::string& where) {
  if (why.kind == Unavailable::Kind::absent) return Fact<T>::absent({where, 0}, why.reason);
  if (why.kind == Unavailable::Kind::not_looked) return {};
  return Fact<T>::unknown(why.reason, {where, 0});
}

} // namespace gpuwhy
