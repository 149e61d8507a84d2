// Where the program runs, if not in the shell that gpuwhy was started from; and how that shell
// stands, so that the two can be compared.
#pragma once

#include "facts/access.h"
#include "facts/environment.h"
#include "facts/observed.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// The same machine as seen from the shell. What is not here is the same in both.
struct Shell {
  std::vector<Variable> variables; // allow-listed and set, sorted by name
  std::string interpreter;         // what a plain `python` starts; empty: none
  std::string working_directory;
  Access access;
  Observed observed;

  template <class V> static void fields(V&& v) {
    v("variables", &Shell::variables, "Variables of the shell that matter and are set");
    v("interpreter", &Shell::interpreter, "Interpreter that a plain python starts in the shell");
    v("working_directory", &Shell::working_directory, "Working directory of the shell");
    v("access", &Shell::access, "Device nodes, container and scheduler as the shell sees them");
    v("observed", &Shell::observed, "What the driver answered to the probes in the shell");
  }
};

struct Place {
  std::string kind;   // "kernel", "service", "process", "root", "variables"; empty: this shell
  std::string name;   // of the kernel or the unit, number of the process, path
  std::string origin; // file or folder that tells what it is like
  /// Libraries of CUDA and the driver that a running process has mapped.
  Fact<std::vector<std::string>> loaded;
  Fact<Shell> shell; // not looked: the place has files of its own, or nothing to compare

  template <class V> static void fields(V&& v) {
    v("kind", &Place::kind, "kernel, service, process, root or variables; empty: this shell");
    v("name", &Place::name, "Name of the kernel or unit, number of the process, path");
    v("origin", &Place::origin, "File or folder that tells what it is like");
    v("loaded", &Place::loaded, "CUDA and driver libraries that the process has mapped");
    v("shell", &Place::shell, "The shell that gpuwhy was started from, to compare with");
  }
};

} // namespace gpuwhy
