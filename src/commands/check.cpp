#include "commands/html_page.h"
#include "commands/observe.h"
#include "commands/place.h"
#include "commands/table.h"

#include "base/text.h"
#include "explain/explainer.h"
#include "judge/judge.h"
#include "judge/log.h"
#include "judge/what_if.h"
#include "lint/lint.h"
#include "render/html_verdict.h"
#include "render/log_text.h"
#include "render/verdict_json.h"
#include "render/verdict_text.h"
#include "render/what_if_text.h"
#include "render/wording.h"
#include "system/input_stream.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    kPythonOption,
    kKernelOption,
    kPidOption,
    kServiceOption,
    kRootOption,
    kEnvOption,
    kAllOption,
    Option{"from", 'f', "FILE",
           "judge a recorded machine (snapshot or tape) instead of this one; - is standard input"},
    Option{"log", 'l', "FILE",
           "hold a log of the program against this machine; - is standard input"},
    Option{"json", 0, "", "one JSON document for programs"},
    kHtmlOption,
    Option{"verbose", 'v', "", "all evidence, what was ruled out, and what could not be looked at"},
    kSysPathOption,
    kNoProbesOption,
    Option{"what-if", 'w', "CHANGE", "judge as if this had been typed; may be given several times"},
    Option{"require", 0, "gpu", "one line only; for health checks and job prologs"},
};

/// The selected environment decides. A GPU that is listed and fails when it is used is no success.
Exit exit_of(const Verdict& verdict) {
  if (verdict.frameworks.empty()) return Exit::unknown;
  const auto& selected = verdict.frameworks.front();
  const bool breaks =
      std::any_of(selected.causes.begin(), selected.causes.end(),
                  [](const Cause& cause) { return cause.effect == Effect::breaks; });
  switch (selected.answer) {
  case Usable::gpu: return breaks ? Exit::findings : Exit::gpu;
  case Usable::no_gpu: return Exit::findings;
  case Usable::unknown: return Exit::unknown;
  }
  return Exit::unknown;
}

Result<LogReport> read_log(const std::string& path, const Verdict& verdict) {
  explain::Explainer explainer(lint::judge_pasted);
  const auto read = stream_input(path, [&](std::string_view bytes) { explainer.feed(bytes); });
  if (!read) return tl::unexpected(read.error());
  return compare_log(path, explainer.finish(), verdict);
}

Result<void> page(const Arguments& arguments, Console& console, const Verdict& verdict) {
  if (!arguments.has("html")) return {};
  std::string subject = arguments.has("from") ? replayed(arguments) : "this machine";
  if (!arguments.operands.empty())
    subject = arguments.operands.front() + (arguments.has("from") ? " on " + subject : "");
  return write_page(arguments, console,
                    verdict_html(verdict, page_context(console, "check", subject)));
}

/// The answer and its first reason, in one line.
std::string requirement_line(const Verdict& verdict) {
  if (verdict.frameworks.empty()) return "gpuwhy: no Python environment was judged\n";
  const auto& selected = verdict.frameworks.front();
  auto line = "gpuwhy: " + answer_words(selected);
  if (!selected.causes.empty())
    line += ": " + selected.causes.front().summary + " (" + selected.causes.front().id + ")";
  else if (selected.answer == Usable::unknown && !selected.unknown.empty())
    line += ": " + selected.unknown.front();
  return line + "\n";
}

Exit run(const Arguments& arguments, Console& console) {
  if (const auto clash = output_clash(arguments); !clash.empty())
    return wrong_usage(console, clash);
  const auto required = arguments.value("require");
  if (arguments.has("require") && required != "gpu")
    return wrong_usage(console, "--require: '" + printable(required) + "' is not 'gpu'");
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  if (const auto changes = arguments.options.find("what-if"); changes != arguments.options.end()) {
    const auto supposed = what_if(*facts, changes->second);
    if (!supposed) return wrong_usage(console, supposed.error().message);
    console.out << (arguments.has("json")
                        ? what_if_json(*supposed)
                        : what_if_text(*supposed, console.style,
                                       arguments.has("verbose") ? Detail::full : Detail::brief));
    return exit_of(supposed->after);
  }
  const auto verdict = judge(*facts);
  std::optional<LogReport> log;
  if (arguments.has("log")) {
    auto read = read_log(arguments.value("log"), verdict);
    if (!read) return wrong_usage(console, read.error().message);
    log = std::move(*read);
  }
  if (const auto written = page(arguments, console, verdict); !written)
    return wrong_usage(console, written.error().message);
  if (page_to_output(arguments)) return exit_of(verdict);
  if (arguments.has("json")) {
    console.out << verdict_json(verdict, log ? &*log : nullptr);
  } else if (arguments.has("require")) {
    console.out << requirement_line(verdict);
  } else {
    console.out << verdict_text(verdict, console.style,
                                arguments.has("verbose") ? Detail::full : Detail::brief);
    if (log) console.out << log_text(*log, console.style);
  }
  return log && log_decides(*log) ? Exit::findings : exit_of(verdict);
}

} // namespace

const Command kCheckCommand{
    .name = "check",
    .operands = "[PATH]",
    .most_operands = 1,
    .summary = "will the GPU be used here, and if not, why?",
    .details =
        "PATH is the program (.py, .ipynb) or the project's directory: its code, and the "
        "files of the project that it imports, are judged together with the machine. "
        "Without it, what a plain 'python' would use is judged. --log adds what a log says, and "
        "whether it can be of this environment at all. With --require gpu the exit status is the "
        "answer: 0 only if the GPU will be used.\n"
        "\n"
        "--what-if changes what was seen, not the machine, and shows the verdict before and "
        "after. It takes:\n"
        "  unset LD_LIBRARY_PATH              NAME=VALUE\n"
        "  pip install 'jax[cuda12]==0.6.*'   pip uninstall tensorflow-cpu\n"
        "  driver 550\n"
        "A package whose content is in none of gpuwhy's tables leaves the answer open.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
