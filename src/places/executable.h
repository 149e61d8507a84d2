// Which Python a command line starts.
#pragma once

#include "system/system.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy::places {

/// `name` as execvp finds it: with a slash as it is, else the first of `path`'s directories that
/// holds it. Empty: nowhere.
std::string find_program(System& system, std::string_view name, std::string_view path);
/// The Python of a script's #! line; empty for other files.
std::string python_of_script(System& system, const std::string& script);
bool is_python_name(std::string_view path);

struct StartedPython {
  std::string interpreter;                                    // empty: see `problem`
  std::vector<std::pair<std::string, std::string>> variables; // that `env` sets on the way
  std::string problem; // "starts /usr/bin/docker: which Python runs is not known"
};

/// Looks through `env NAME=VALUE`, and through scripts with a #! line.
StartedPython started_python(System& system, const std::vector<std::string>& words,
                             const Environment& environment);

} // namespace gpuwhy::places
