// The environment that a program makes for itself before its framework looks at it. Pure.
#pragma once

#include "facts/facts.h"

#include <string_view>

namespace gpuwhy::edit {

/// The environment becomes what it is once the statements of `facts.program.variables` have run.
void run_program(Facts& facts);
/// The statements that set `name` are gone: the environment has again what they replaced.
void take_out(Facts& facts, std::string_view name);

} // namespace gpuwhy::edit

namespace gpuwhy {

/// The statement of the program that gave `name` its value; nullptr: the program did not.
const ProgramVariable* set_by_program(const Facts& facts, std::string_view name);

} // namespace gpuwhy
