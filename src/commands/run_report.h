// What `run` and `pid` tell, in whichever form was asked for.
#pragma once

#include "base/result.h"
#include "commands/command.h"
#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace gpuwhy {

inline constexpr Option kRunJsonOption{"json", 0, "", "one JSON document on standard output"};
inline constexpr Option kRunOutputOption{"output", 'o', "FILE", "write the report to FILE instead"};
inline constexpr Option kRunTraceOption{"trace", 't', "FILE",
                                        "also write a timeline for Perfetto or chrome://tracing"};
inline constexpr Option kRunVerboseOption{"verbose", 'v', "",
                                          "all evidence, and what was ruled out"};

/// What the run had loaded: "torch", "jax", "tensorflow".
std::vector<std::string> frameworks_in(const use::RunStatistics& run);

/// --html of a run that was judged.
Result<void> write_run_page(const RunVerdict& verdict, const use::RunStatistics& run,
                            const Arguments& arguments, Console& console, const std::string& name);

/// Adds to a verdict what else is known; may be empty.
using Complement = std::function<void(const use::RunStatistics&, RunVerdict&)>;

/// Judges the run and tells. `name` is the command's. Text goes to `text`, where the program's own
/// output is not disturbed by it.
Result<void> tell_run(const use::RunStatistics& run, const Arguments& arguments, Console& console,
                      std::ostream& text, const std::string& name,
                      const Complement& complement = nullptr);

} // namespace gpuwhy
