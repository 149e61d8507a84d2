// Which variables a start-up file sets, and to what.
#pragma once

#include "collect/shell_words.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

enum class ShellDialect {
  posix,       // sh, bash, zsh; also csh's setenv
  fish,        // set -gx NAME value...
  plain,       // NAME=value without expansions: /etc/environment
  environment, // NAME=value with $NAME: environment.d(5), pam_env(5)
};

struct ShellAssignment {
  std::string name;
  ShellWord value;
  bool append = false;   // NAME+=value
  bool exported = false; // programs that the shell starts see it
  int line = 0;
  std::string text; // the command, without values of other variables
};

struct ShellFile {
  std::vector<ShellAssignment> assignments; // in order
  std::vector<ShellWord> sourced;           // files that it reads in turn
};

/// Views in the result point into `text`.
ShellFile read_assignments(std::string_view text, ShellDialect dialect);

} // namespace gpuwhy
