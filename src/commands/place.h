// Where the program really runs: the options that name another place than this shell.
#pragma once

#include "base/result.h"
#include "commands/command.h"
#include "facts/facts.h"
#include "system/system.h"

namespace gpuwhy {

inline constexpr Option kKernelOption{"kernel", 'k', "NAME",
                                      "as this Jupyter kernel starts it, not as this shell would"};
inline constexpr Option kPidOption{"pid", 0, "N", "as the running process N has it"};
inline constexpr Option kServiceOption{"service", 0, "UNIT", "as this systemd service starts it"};
inline constexpr Option kRootOption{"root", 0, "DIR",
                                    "inside this root directory: an unpacked image, another disk"};
inline constexpr Option kEnvOption{
    "env", 0, "FILE",
    "with the variables of FILE (docker's env-file, output of 'env' or 'env -0', JSON, 'docker "
    "inspect'); - is standard input"};

struct Observation {
  Facts facts;
  Identity identity; // of who runs there: a snapshot hides the name
};

/// One of the options above was given, or the operand is a notebook, whose kernel is a place.
bool names_place(const Arguments& arguments);
/// Errors are one line.
Result<Observation> look_at_place(const Arguments& arguments);

} // namespace gpuwhy
