// pyenv puts scripts called "python" on PATH that start one of several interpreters. Which one
// follows from files and one variable; truth: pyenv's COMMANDS.md (pyenv version, pyenv exec).
#pragma once

#include "system/system.h"

#include <string>

namespace gpuwhy {

struct ShimTarget {
  /// Absolute path of what would run; empty with `system`: the next one on PATH; empty otherwise:
  /// nothing would, the shim only prints an error.
  std::string path;
  bool system = false;
  std::string because; // "$PYENV_VERSION", "/proj/.python-version"
};

bool is_pyenv_shim(System& system, const std::string& path);
/// What the shim `path` starts in the working directory.
ShimTarget resolve_pyenv_shim(System& system, const std::string& path);

} // namespace gpuwhy
