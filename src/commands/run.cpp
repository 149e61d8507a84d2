// gpuwhy run -- CMD...: the program runs unchanged; what was seen is told when it has ended.
#include "commands/table.h"

#include "base/text.h"
#include "system/input.h"
#include "system/live.h"
#include "system/program.h"
#include "use/recording.h"
#include "watch/run_program.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestRecording = 256U << 20U; // bytes

constexpr std::array kOptions{
    Option{"json", 0, "", "one JSON document on standard output; the program's output goes to standard error"},
    Option{"output", 'o', "FILE", "write the report to FILE, not to the terminal"},
    Option{"save", 's', "FILE", "record what is seen, for --from"},
    Option{"from", 'f', "FILE", "judge a recorded run; nothing is started"},
    Option{"trace", 't', "FILE", "a timeline for Perfetto or chrome://tracing"},
    Option{"no-calls", 0, "", "do not count CUDA calls (with CUPTI, a fifth of a second in every five)"},
};

/// What is said of a program that cannot be started, and the status a shell gives it.
Exit not_started(const std::string& command, int error, Console& console) {
  console.errors << "gpuwhy: " << printable(command) << ": " << (error == ENOENT ? "command not found" : std::strerror(error)) << "\n";
  return static_cast<Exit>(error == ENOENT ? 127 : 126);
}

Exit replay(const Arguments& arguments, Console& console) {
  const auto path = arguments.value("from");
  const auto text = read_input(path, kLargestRecording);
  if (!text) return wrong_usage(console, text.error().message);
  const auto run = use::read_run(*text);
  if (!run) return wrong_usage(console, printable(path) + ": " + run.error().message);
  return Exit::gpu;
}

Exit run(const Arguments& arguments, Console& console) {
  if (arguments.has("from")) return replay(arguments, console);
  if (arguments.program.empty()) return wrong_usage(console, "which program? gpuwhy run -- python train.py");
  std::optional<GrowingFile> saved;
  if (arguments.has("save")) {
    auto file = GrowingFile::create(arguments.value("save"));
    if (!file) return wrong_usage(console, file.error().message);
    saved.emplace(std::move(*file));
  }
  use::Thinner thinner;
  const auto save = [&](const std::optional<use::Tick>& tick) {
    if (saved && tick) saved->append(use::write_tick(*tick));
  };
  const watch::Listener listener{
      .start = [&](const use::RunStart& start) { if (saved) saved->append(use::write_start(start)); },
      .tick = [&](const use::Tick& tick) { save(thinner.add(tick)); },
  };
  const auto system = make_live_system();
  watch::RunOptions options;
  options.command = arguments.program;
  options.output_to_errors = arguments.has("json") && !arguments.has("output");
  options.count_calls = !arguments.has("no-calls");
  auto result = watch::run_program(*system, options, listener);
  if (!result) return not_started(arguments.program.front(), result.error(), console);
  save(thinner.rest());
  if (saved) saved->append(use::write_end(result->statistics.end));
  console.out.flush();
  end_as(result->wait_status);
}

} // namespace

const Command kRunCommand{
    .name = "run",
    .takes_program = true,
    .summary = "run a program observed: was the GPU used, how well, and what holds it back?",
    .details = "The program runs unchanged: its terminal, input, signals and exit status are its own.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
