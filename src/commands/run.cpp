// gpuwhy run -- CMD...: the program runs unchanged; what was seen is told when it has ended.
#include "commands/html_page.h"
#include "commands/observe.h"
#include "commands/run_reasons.h"
#include "commands/run_report.h"
#include "commands/table.h"

#include "base/text.h"
#include "explain/explainer.h"
#include "system/input.h"
#include "system/live.h"
#include "system/program.h"
#include "use/recording.h"
#include "watch/run_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestRecording = 256U << 20U; // bytes

constexpr std::array kOptions{
    kRunJsonOption,
    kRunOutputOption,
    Option{"save", 's', "FILE", "record what is seen, for --from"},
    Option{"from", 'f', "FILE", "judge a recorded run; nothing is started; - is standard input"},
    kRunTraceOption,
    kHtmlOption,
    kRunVerboseOption,
    Option{"status", 0, "", "a line with the GPUs' state while the program runs (on a terminal)"},
    Option{"no-calls", 0, "",
           "do not count CUDA calls (with CUPTI, now and then for a fifth of a second)"},
    Option{"libraries", 0, "",
           "also see which CUDA libraries the loader looks for and takes (LD_AUDIT; glibc 2.35 or "
           "newer)"},
};

/// What is said of a program that cannot be started, and the status a shell gives it.
Exit not_started(const std::string& command, int error, Console& console) {
  console.errors << "gpuwhy: " << printable(command) << ": "
                 << (error == ENOENT ? "command not found" : std::strerror(error)) << "\n";
  return static_cast<Exit>(error == ENOENT ? 127 : 126);
}

Exit replay(const Arguments& arguments, Console& console) {
  const auto path = arguments.value("from");
  const auto text = read_input(path, kLargestRecording);
  if (!text) return wrong_usage(console, text.error().message);
  const auto run = use::read_run(*text);
  if (!run) return wrong_usage(console, printable(path) + ": " + run.error().message);
  if (const auto told = tell_run(*run, arguments, console, console.out, "run"); !told)
    return wrong_usage(console, told.error().message);
  return Exit::gpu;
}

/// --save: lines as they come; a disk that fills up ends the recording, not the run.
class Recorder {
public:
  explicit Recorder(GrowingFile file) : file_(std::move(file)) {}
  void start(const use::RunStart& start) { file_.append(use::write_start(start)); }
  void tick(const use::Tick& tick) { write(thinner_.add(tick)); }
  void end(const use::RunEnd& end) {
    write(thinner_.rest());
    file_.append(use::write_end(end));
  }
  const std::string& problem() const { return file_.problem(); }

private:
  void write(const std::optional<use::Tick>& tick) {
    if (tick) file_.append(use::write_tick(*tick));
  }
  GrowingFile file_;
  use::Thinner thinner_;
};

/// One line above the cursor's, rewritten in place.
void show_status(const use::RunObserver& observer, Console& console) {
  std::string line = "gpuwhy:";
  for (const auto& gpu : observer.newest()) {
    line += " GPU " + std::to_string(gpu.index);
    if (gpu.busy) line += " " + std::to_string(static_cast<int>(*gpu.busy)) + " %";
    if (gpu.memory) line += " " + std::to_string(*gpu.memory >> 20U) + " MiB";
  }
  if (line.size() >= console.style.width) line.resize(console.style.width - 1);
  console.errors << "\r\x1b[K" << line << "\r" << std::flush;
}

Exit run(const Arguments& arguments, Console& console) {
  if (const auto clash = output_clash(arguments); !clash.empty())
    return wrong_usage(console, clash);
  if (arguments.has("from")) return replay(arguments, console);
  if (arguments.program.empty())
    return wrong_usage(console, "which program? gpuwhy run -- python train.py");
  std::optional<Recorder> recorder;
  if (arguments.has("save")) {
    auto file = GrowingFile::create(arguments.value("save"));
    if (!file) return wrong_usage(console, file.error().message);
    recorder.emplace(std::move(*file));
  }
  const watch::Listener listener{
      .start =
          [&](const use::RunStart& start) {
            if (recorder) recorder->start(start);
          },
      .tick =
          [&](const use::Tick& tick) {
            if (recorder) recorder->tick(tick);
          },
  };
  const auto system = make_live_system();
  watch::RunOptions options;
  options.command = arguments.program;
  options.output_to_errors =
      (arguments.has("json") && !arguments.has("output")) || page_to_output(arguments);
  options.count_calls = !arguments.has("no-calls");
  options.see_libraries = arguments.has("libraries");
  explain::Explainer output;
  options.output = [&](std::string_view bytes) { output.feed(bytes); };
  if (arguments.has("status") && console.style.color) {
    options.status = [&](const use::RunObserver& observer) { show_status(observer, console); };
  }
  auto result = watch::run_program(*system, options, listener);
  if (!result) return not_started(arguments.program.front(), result.error(), console);
  auto& statistics = result->statistics;
  if (recorder) recorder->end(statistics.end);
  if (recorder && !recorder->problem().empty())
    statistics.end.notes.push_back("the recording is not whole: " + recorder->problem());
  if (!arguments.has("json") && !arguments.has("output") && !page_to_output(arguments))
    console.errors << "\n";
  const auto explanation = output.finish();
  const auto told = tell_run(statistics, arguments, console, console.errors, "run",
                             [&](const use::RunStatistics& run, RunVerdict& verdict) {
                               add_reasons(*system, run, explanation, verdict);
                             });
  if (!told) console.errors << "gpuwhy: " << told.error().message << "\n";
  console.out.flush();
  console.errors.flush();
  end_as(result->wait_status);
}

} // namespace

const Command kRunCommand{
    .name = "run",
    .takes_program = true,
    .summary = "run a program observed: was the GPU used, how well, and what holds it back?",
    .details = "The program runs unchanged: its terminal, input, signals and exit status are its "
               "own. What was seen is told on "
               "standard error when it has ended. With --json the report goes to standard output "
               "and the program's own output "
               "to standard error; with --json -o FILE both stay where they are.\n"
               "Exit status: the program's; 127 and 126 if it cannot be found or started.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
