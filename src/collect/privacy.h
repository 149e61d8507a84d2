// What may leave the machine in a snapshot or on a tape: no name of the user, the home directory or
// the host, no variable that is not on the list, no line of a start-up file that says anything
// else.
#pragma once

#include "system/system.h"
#include "system/tape.h"

#include <functional>
#include <string>
#include <string_view>

namespace gpuwhy {

/// Whether a variable bears on the question; what is not on the list may be a secret.
bool is_allowed_variable(std::string_view name);

/// Replaces the user's name by "user" and the host's by "host", wherever they stand as whole words,
/// so that a path and its parts change alike. Names that say nothing about a person (root, ubuntu,
/// localhost) stay.
std::function<std::string(std::string)> make_redactor(const Identity& identity);

/// Of a shell start-up file, the commands that set an allowed variable or read another file, on the
/// lines on which they stood. Assignments of other variables within a kept command lose their
/// value.
std::string only_allowed_lines(std::string_view text);

/// The policy of a tape that is meant to be given away.
TapePolicy private_tape(const Identity& identity);

} // namespace gpuwhy
