#include "commands/observe.h"
#include "commands/table.h"

#include "judge/compat.h"
#include "render/compat_text.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    kPythonOption,
    kAllOption,
    Option{"from", 'f', "FILE", "for a recorded machine; - is standard input"},
    Option{"json", 0, "", "one JSON document for programs"},
    Option{"verbose", 'v', "", "every release of the tables, and why it cannot work"},
    kNoProbesOption,
};

Exit run(const Arguments& arguments, Console& console) {
  auto look = arguments;
  look.operands.clear(); // a release, no program
  const auto facts = observe(look);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto compat = arguments.operands.empty() ? Result<Compat>(compatible_here(*facts))
                                                 : needs_of(*facts, arguments.operands.front());
  if (!compat) return wrong_usage(console, compat.error().message);
  console.out << (arguments.has("json")
                      ? compat_json(*compat)
                      : compat_text(*compat, console.style, arguments.has("verbose")));
  if (!arguments.operands.empty()) return compat->needs.empty() ? Exit::unknown : Exit::gpu;
  const bool any = std::any_of(compat->here.begin(), compat->here.end(), [](const FitTable& table) {
    return std::any_of(table.fits.begin(), table.fits.end(),
                       [](const Fit& fit) { return fit.against.empty(); });
  });
  return any ? Exit::gpu : Exit::findings;
}

} // namespace

const Command kCompatCommand{
    .name = "compat",
    .operands = "[RELEASE]",
    .most_operands = 1,
    .summary = "what a release needs, or which releases can work on this machine",
    .details = "RELEASE is tensorflow==2.16, jax==0.6.2, torch==2.6 or torch==2.6+cu126. Without "
               "it: what to install here, for each Python that was found.\n"
               "\n"
               "The answers come from tables that gpuwhy carries, each row with its source. A "
               "release that is newer than they are is told as such; if it is installed here, "
               "what it says of itself is shown.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
