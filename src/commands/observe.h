// Where a command's facts come from: this machine, a snapshot, or a tape.
#pragma once

#include "base/result.h"
#include "collect/collector.h"
#include "commands/command.h"
#include "facts/facts.h"
#include "system/system.h"

namespace gpuwhy {

inline constexpr Option kPythonOption{"python", 'p', "PATH",
                                      "the interpreter or environment in question"};
inline constexpr Option kAllOption{
    "all", 'a', "", "also environments that are not on PATH (conda, pyenv, uv, virtualenvs)"};
inline constexpr Option kSysPathOption{
    "sys-path", 0, "DIR",
    "a directory of that interpreter's sys.path, in order, where a running one is asked; without "
    "any, sys.path is predicted"};
inline constexpr Option kNoProbesOption{"no-probes", 0, "", "do not ask the driver (NVML, cuInit)"};

/// What the options and the operand ask to look at.
Scope scope_of(const Arguments& arguments);
/// Fails unless it is "train.py", a notebook, the directory of a project, or empty.
Result<void> check_program(System& system, const std::string& program);

/// Runs all collectors on `system`, as the options and the operand say.
Facts look_at(System& system, const Arguments& arguments);

/// The program that was named, read here, whatever machine the other facts are of.
void read_program(System& system, const Arguments& arguments, Facts& facts);

/// With --from FILE what that file recorded, else this machine. Errors name the file and the place
/// in it.
Result<Facts> observe(const Arguments& arguments);

} // namespace gpuwhy
