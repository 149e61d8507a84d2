// A program run observed, from its start to its end.
#pragma once

#include "base/result.h"
#include "use/statistics.h"
#include "watch/observation.h"

#include <functional>
#include <string>
#include <vector>

namespace gpuwhy::watch {

struct RunOptions {
  std::vector<std::string> command;
  bool output_to_errors = false;                       // keep our standard output free
  bool count_calls = true;                             // with CUPTI, where the program brings it
  bool see_libraries = false;                          // through LD_AUDIT
  std::function<void(const use::RunObserver&)> status; // called now and then
  std::function<void(std::string_view)> output;        // what the program prints, as it comes
};

struct RunResult {
  int wait_status = 0; // as waitpid(2) gives it
  use::RunStatistics statistics;
};

/// The errno of a program that could not be started.
tl::expected<RunResult, int> run_program(System& system, const RunOptions& options,
                                         Listener listener);

struct AttachOptions {
  int process = 0;
  std::vector<std::string> command;
  std::optional<std::string> visible_devices; // as it was given them
};

/// Watches a process that runs already, for so long or until it ends.
use::RunStatistics watch_process(System& system, const AttachOptions& options,
                                 std::chrono::milliseconds time, Listener listener);

/// What was seen so far; `last`: the process or the requests have ended. False: nobody listens.
using Report = std::function<bool(use::RunStatistics statistics, bool last)>;

/// Watches a process that runs already and reports whenever a line arrives at `requests`, until
/// that ends, a line says "end", or the process ends. `begun` is called when observing has begun.
void watch_on_request(System& system, const AttachOptions& options, int requests,
                      const std::function<void()>& begun, const Report& report);

} // namespace gpuwhy::watch
