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

#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::int64_t kSeconds = 5;
constexpr std::int64_t kMostSeconds = 7 * 24 * 3600;

constexpr std::array kOptions{
    kRunJsonOption, kRunOutputOption,  kRunTraceOption,
    kHtmlOption,    kRunVerboseOption, Option{"seconds", 'n', "N", "how long to look (5)"},
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
  std::optional<std::string> visible;
  for (const auto& [name, value] : process->variables) {
    if (name == "CUDA_VISIBLE_DEVICES") visible = value;
  }
  auto statistics = watch::watch_process(
      *system,
      {.process = static_cast<int>(*pid), .command = process->command, .visible_devices = visible},
      std::chrono::seconds(*time), {});
  for (const auto& problem : process->problems) statistics.end.notes.push_back(problem);
  const auto verdict = judge_run(statistics);
  const auto frameworks = frameworks_in(statistics);
  const auto report =
      arguments.has("json")
          ? with_process(run_json(verdict, statistics, frameworks, "pid"), *process)
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
