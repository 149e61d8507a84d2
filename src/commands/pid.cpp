// gpuwhy pid N: how a program that runs already uses the GPU, without stopping it.
#include "commands/html_page.h"
#include "commands/run_report.h"
#include "commands/table.h"

#include "base/text.h"
#include "judge/judge_run.h"
#include "render/process_text.h"
#include "render/run_json.h"
#include "render/run_text.h"
#include "system/input.h"
#include "system/live.h"
#include "watch/process_facts.h"
#include "watch/run_program.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <unistd.h>

namespace gpuwhy {
namespace {

constexpr std::int64_t kSeconds = 5;
constexpr std::int64_t kMostSeconds = std::int64_t{7} * 24 * 3600;

constexpr std::array kOptions{
    kRunJsonOption,
    kRunOutputOption,
    kRunTraceOption,
    kHtmlOption,
    kRunVerboseOption,
    Option{"seconds", 'n', "N", "how long to look (5)"},
    Option{"on-request", 0, "",
           "report whenever a line arrives on standard input, one JSON document a line, until it "
           "ends or a line says 'end'"},
};

Exit exit_of(Used answer) {
  switch (answer) {
  case Used::used: return Exit::gpu;
  case Used::poorly_used:
  case Used::not_used: return Exit::findings;
  case Used::unknown: break;
  }
  return Exit::unknown;
}

bool is_open(const use::ProcessFacts& process) {
  return process.has_libcuda() || !process.devices.empty() || !process.problems.empty();
}

/// Where NVML tells nothing: CUDA needs libcuda in the process that uses it, ROCm its runtime, and
/// we could look into all of them.
RunVerdict judged(System& system, const use::RunStatistics& statistics,
                  const use::ProcessFacts& process) {
  auto verdict = judge_run(statistics);
  if (verdict.answer != Used::unknown || is_open(process) || statistics.maps("libcuda.so") ||
      statistics.maps("libamdhip64"))
    return verdict;
  for (const auto& [pid, seen] : statistics.processes) {
    const auto now = seen.ended ? Answer<use::ProcessFacts>() : watch::read_process(system, pid);
    if (seen.opens_gpu || (now && is_open(*now))) return verdict;
  }
  verdict.answer = Used::not_used;
  verdict.sentence = "the GPU was not used: the process has not loaded the driver's libcuda";
  return verdict;
}

watch::AttachOptions attach_to(const use::ProcessFacts& process) {
  watch::AttachOptions options{
      .process = process.pid, .command = process.command, .visible_devices = {}};
  for (const auto& [name, value] : process.variables) {
    if (name == "CUDA_VISIBLE_DEVICES") options.visible_devices = value;
  }
  return options;
}

/// For programs that watch themselves: the first line says that observing has begun.
Exit serve(System& system, use::ProcessFacts process, Console& console) {
  auto answer = Used::unknown;
  const auto begun = [&] { console.out << watching_json(process.pid) << std::flush; };
  const auto report = [&](use::RunStatistics statistics, bool last) {
    if (auto now = watch::read_process(system, process.pid)) process = std::move(*now);
    for (const auto& problem : process.problems) statistics.end.notes.push_back(problem);
    const auto verdict = judged(system, statistics, process);
    answer = verdict.answer;
    console.out << pid_json(verdict, statistics, frameworks_in(statistics), process, -1)
                << std::flush;
    return !last && console.out.good();
  };
  watch::watch_on_request(system, attach_to(process), STDIN_FILENO, begun, report);
  return exit_of(answer);
}

Exit run(const Arguments& arguments, Console& console) {
  if (arguments.operands.empty()) return wrong_usage(console, "which process? gpuwhy pid N");
  if (const auto clash = output_clash(arguments); !clash.empty())
    return wrong_usage(console, clash);
  const auto pid = to_number(arguments.operands.front());
  const auto time = arguments.has("seconds") ? to_number(arguments.value("seconds")) : kSeconds;
  if (!pid || *pid < 1 || *pid > 1 << 30)
    return wrong_usage(console, "not the number of a process: '" +
                                    printable(arguments.operands.front()) + "'");
  if (!time || *time < 1 || *time > kMostSeconds)
    return wrong_usage(console,
                       "not a number of seconds: '" + printable(arguments.value("seconds")) + "'");
  const auto system = make_live_system();
  const auto process = watch::read_process(*system, static_cast<int>(*pid));
  if (!process) return wrong_usage(console, "no process " + std::to_string(*pid));
  if (arguments.has("on-request")) {
    for (const auto* other : {"json", "output", "trace", "verbose", "seconds"}) {
      if (arguments.has(other))
        return wrong_usage(console, "--on-request and --" + std::string(other) +
                                        " do not go together: each report is a line of JSON");
    }
    return serve(*system, *process, console);
  }
  auto statistics =
      watch::watch_process(*system, attach_to(*process), std::chrono::seconds(*time), {});
  for (const auto& problem : process->problems) statistics.end.notes.push_back(problem);
  const auto verdict = judged(*system, statistics, *process);
  const auto frameworks = frameworks_in(statistics);
  const auto report =
      arguments.has("json")
          ? pid_json(verdict, statistics, frameworks, *process)
          : run_text(verdict, statistics, frameworks, console.style, arguments.has("verbose")) +
                process_text(*process, console.style, arguments.has("verbose"));
  if (const auto written = write_run_page(verdict, statistics, arguments, console, "pid"); !written)
    return wrong_usage(console, written.error().message);
  if (!arguments.has("output")) {
    if (!page_to_output(arguments)) console.out << report;
  } else if (const auto written = write_output(arguments.value("output"), report); !written)
    return wrong_usage(console, written.error().message);
  if (arguments.has("trace")) {
    if (const auto written = write_output(arguments.value("trace"), run_trace(verdict, statistics));
        !written)
      return wrong_usage(console, written.error().message);
  }
  return exit_of(verdict.answer);
}

} // namespace

const Command kPidCommand{
    .name = "pid",
    .operands = "N",
    .most_operands = 1,
    .summary = "does the program that runs as process N use the GPU, and how well?",
    .details = "Looks at the process and its descendants for some seconds, without stopping them. "
               "CUDA calls are not counted: that "
               "needs 'gpuwhy run'.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
