#include "commands/run_report.h"

#include "commands/html_page.h"
#include "judge/judge_run.h"
#include "render/html_run.h"
#include "render/run_json.h"
#include "render/run_text.h"
#include "system/input.h"
#include "watch/process_tree.h"

#include <algorithm>
#include <ostream>
#include <unistd.h>

namespace gpuwhy {

std::vector<std::string> frameworks_in(const use::RunStatistics& run) {
  std::vector<std::string> all;
  for (const auto& [pid, process] : run.processes) {
    for (auto& framework : watch::frameworks_of(process.libraries)) {
      if (std::find(all.begin(), all.end(), framework) == all.end())
        all.push_back(std::move(framework));
    }
  }
  return all;
}

Result<void> write_run_page(const RunVerdict& verdict, const use::RunStatistics& run,
                            const Arguments& arguments, Console& console, const std::string& name) {
  if (!arguments.has("html")) return {};
  const auto subject = arguments.has("from") ? replayed(arguments) : std::string();
  return write_page(
      arguments, console,
      run_html(verdict, run, frameworks_in(run), page_context(console, name, subject)));
}

Result<void> tell_run(const use::RunStatistics& run, const Arguments& arguments, Console& console,
                      std::ostream& text, const std::string& name, const Complement& complement) {
  auto verdict = judge_run(run);
  if (complement) complement(run, verdict);
  const auto frameworks = frameworks_in(run);
  auto style = console.style;
  if (&text == &console.errors && ::isatty(STDERR_FILENO) == 0) style.color = false;
  const bool json = arguments.has("json");
  const bool file = arguments.has("output");
  if (file) style.color = false;
  const auto report = json ? run_json(verdict, run, frameworks)
                           : run_text(verdict, run, frameworks, style, arguments.has("verbose"));
  if (!file && !page_to_output(arguments)) (json ? console.out : text) << report;
  if (file) {
    if (auto written = write_output(arguments.value("output"), report); !written) return written;
  }
  if (auto written = write_run_page(verdict, run, arguments, console, name); !written)
    return written;
  if (!arguments.has("trace")) return {};
  return write_output(arguments.value("trace"), run_trace(verdict, run));
}

} // namespace gpuwhy
