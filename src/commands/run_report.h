// What `run` and `pid` tell, in whichever form was asked for.
#pragma once

#include "base/result.h"
#include "commands/command.h"
#include "use/statistics.h"

namespace gpuwhy {

inline constexpr Option kRunJsonOption{"json", 0, "", "one JSON document on standard output"};
inline constexpr Option kRunOutputOption{"output", 'o', "FILE", "write the report to FILE instead"};
inline constexpr Option kRunTraceOption{"trace", 't', "FILE", "also write a timeline for Perfetto or chrome://tracing"};
inline constexpr Option kRunVerboseOption{"verbose", 'v', "", "all evidence, and what was ruled out"};

/// Judges the run and tells. `name` is the command's. Text goes to `text`, where the program's own output is
/// not disturbed by it.
Result<void> tell_run(const use::RunStatistics& run, const Arguments& arguments, Console& console, std::ostream& text, const std::string& name);

} // namespace gpuwhy
