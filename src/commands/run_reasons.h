// Why a run that was observed did not use the GPU, where what was seen of it does not tell: its own
// output, the machine and the program's code together.
#pragma once

#include "commands/command.h"
#include "system/system.h"
#include "use/statistics.h"
#include "verdict/explanation.h"
#include "verdict/run_verdict.h"

namespace gpuwhy {

/// Adds the causes to `verdict` where it has none of its own.
void add_reasons(System& system, const use::RunStatistics& run, const explain::Explanation& output,
                 RunVerdict& verdict);

} // namespace gpuwhy
