#include "commands/html_page.h"
#include "commands/observe.h"
#include "commands/table.h"

#include "judge/judge.h"
#include "render/html_verdict.h"
#include "render/verdict_json.h"
#include "render/verdict_text.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    kPythonOption,
    kAllOption,
    Option{"from", 'f', "FILE",
           "judge a recorded machine (snapshot or tape) instead of this one; - is standard input"},
    Option{"json", 0, "", "one JSON document for programs"},
    kHtmlOption,
    Option{"verbose", 'v', "", "all evidence, what was ruled out, and what could not be looked at"},
    kNoProbesOption,
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

Result<void> page(const Arguments& arguments, Console& console, const Verdict& verdict) {
  if (!arguments.has("html")) return {};
  const auto subject = arguments.has("from")        ? replayed(arguments)
                       : arguments.operands.empty() ? std::string("this machine")
                                                    : arguments.operands.front();
  return write_page(arguments, console,
                    verdict_html(verdict, page_context(console, "check", subject)));
}

Exit run(const Arguments& arguments, Console& console) {
  if (const auto clash = output_clash(arguments); !clash.empty())
    return wrong_usage(console, clash);
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto verdict = judge(*facts);
  if (const auto written = page(arguments, console, verdict); !written)
    return wrong_usage(console, written.error().message);
  if (page_to_output(arguments)) return exit_of(verdict);
  if (arguments.has("json")) {
    console.out << verdict_json(verdict);
  } else {
    console.out << verdict_text(verdict, console.style,
                                arguments.has("verbose") ? Detail::full : Detail::brief);
  }
  return exit_of(verdict);
}

} // namespace

const Command kCheckCommand{
    .name = "check",
    .operands = "[PATH]",
    .most_operands = 1,
    .summary = "will the GPU be used here, and if not, why?",
    .details = "PATH is the program (.py, .ipynb) or the project's directory; without it, what a "
               "plain 'python' "
               "would use is judged.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
