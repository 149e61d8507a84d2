// Where the variables of this process were set: the start-up files of shells, PAM, systemd, conda,
// virtual environments and direnv. bash(1) INVOCATION, zsh(1) STARTUP/SHUTDOWN FILES, fish(1),
// pam_env(8), environment.d(5), conda's activation scripts, direnv(1).
#pragma once

#include "facts/environment.h"
#include "system/system.h"

#include <vector>

namespace gpuwhy {

/// Whether the variable is a list whose elements are parted by ":".
bool is_list_variable(std::string_view name);

/// Fills `origins` of each variable: certain ones first, else in the order in which the files are
/// read.
void find_origins(System& system, std::vector<Variable>& variables);

} // namespace gpuwhy
