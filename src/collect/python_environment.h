// What an interpreter would make of itself, without running it: sys.prefix, its version, sys.path.
// Truth: CPython's Modules/getpath.py and Lib/site.py, Debian's changes to site.py, PEP 405
// (pyvenv.cfg), and the layouts of virtualenv, uv, conda and pyenv.
#pragma once

#include "facts/python.h"
#include "system/system.h"

#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy {

/// Fills everything but chosen_by, selected, distributions and frameworks. `interpreter` is an
/// absolute path; what is no Python gets a `problem` and nothing else.
PythonEnvironment describe_interpreter(System& system, const std::string& interpreter);

/// Whether there is a regular file that may be executed.
bool is_program(System& system, const std::string& path);
bool is_directory(System& system, const std::string& path);
bool is_file(System& system, const std::string& path);
/// "#!/usr/bin/env python3" and the like: the line without "#!"; nothing for other files.
std::optional<std::string> hash_bang(System& system, const std::string& path);
/// An environment variable; empty if it is not set.
std::string variable_value(System& system, std::string_view name);

} // namespace gpuwhy
