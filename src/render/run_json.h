// The verdict on a run for programs: schema gpuwhy.report/1, command "run". Fields are only ever
// added to it.
#pragma once

#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// One JSON document and a line feed. `command` is "run" or "pid".
std::string run_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const std::string& command);

/// The same document as one line.
std::string on_one_line(const std::string& report);

/// A timeline in Chrome's trace format: counters of the GPUs, the host and the CUDA calls, and the
/// phases of the run; opens in Perfetto and chrome://tracing.
std::string run_trace(const RunVerdict& verdict, const use::RunStatistics& run);

} // namespace gpuwhy
