// The verdict on a run for programs: schema gpuwhy.report/1, commands "run" and "pid". Fields are
// only ever added to it.
#pragma once

#include "use/process.h"
#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// One JSON document and a line feed.
std::string run_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks);

/// The same of a process that runs already, and what it is; `indent` -1: on one line.
std::string pid_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const use::ProcessFacts& process,
                     int indent = 2);

/// A line that says that observing the process has begun.
std::string watching_json(int pid);

/// The JSON Schemas (draft 2020-12) of what run_json(), and pid_json() and watching_json(), write.
std::string run_schema();
std::string pid_schema();

/// A timeline in Chrome's trace format: counters of the GPUs, the host and the CUDA calls, and the
/// phases of the run; opens in Perfetto and chrome://tracing.
std::string run_trace(const RunVerdict& verdict, const use::RunStatistics& run);

} // namespace gpuwhy
