#include "commands/observe.h"
#include "commands/table.h"

#include "base/text.h"
#include "judge/judge.h"
#include "render/verdict_json.h"
#include "render/verdict_text.h"
#include "render/wording.h"

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
    Option{"verbose", 'v', "", "all evidence, what was ruled out, and what could not be looked at"},
    kSysPathOption,
    kNoProbesOption,
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
  const auto required = arguments.value("require");
  if (arguments.has("require") && required != "gpu")
    return wrong_usage(console, "--require: '" + printable(required) + "' is not 'gpu'");
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto verdict = judge(*facts);
  if (arguments.has("json")) {
    console.out << verdict_json(verdict);
  } else if (arguments.has("require")) {
    console.out << requirement_line(verdict);
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
               "would use is judged. With --require gpu the exit status is the answer: 0 only if "
               "the GPU will be used.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
