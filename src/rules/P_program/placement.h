// Where a program puts its model by hand: what P01 asks of each framework.
#pragma once

#include "program/module.h"
#include "rules/report.h"

#include <string>
#include <string_view>

namespace gpuwhy::rules {

/// The place is a test, a measurement, a choice of the user's, or says by its name that it is for
/// the CPU.
bool excused(const program::Module& module, program::NodeId id);
/// A finding that keeps the model of `framework` off the GPU; empty: of any.
CodeFinding& pin(lint::Report& report, program::NodeId at, std::string_view framework,
                 std::string message, std::string fix);
/// `.to("cpu")`, `.cpu()`, `device="cpu"` and kin.
void torch_pins(const program::Module& module, lint::Report& report);

} // namespace gpuwhy::rules
