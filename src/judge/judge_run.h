// From the statistics of a run to its verdict. Pure, as judge() is.
#pragma once

#include "use/statistics.h"
#include "verdict/run_verdict.h"

namespace gpuwhy {

RunVerdict judge_run(const use::RunStatistics& run);

} // namespace gpuwhy
