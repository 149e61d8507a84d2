#include "commands/observe.h"
#include "commands/table.h"

#include "judge/judge.h"

#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    kPythonOption,
    kAllOption,
    Option{"from", 'f', "FILE", "judge a recorded machine (snapshot or tape) instead of this one; - is standard input"},
    Option{"json", 0, "", "one JSON document for programs"},
    Option{"verbose", 'v', "", "all evidence, what was ruled out, and what could not be looked at"},
    kNoProbesOption,
};

/// The selected environment decides; where there is none, the best of all.
Exit exit_of(const Verdict& verdict) {
  if (verdict.frameworks.empty()) return Exit::unknown;
  switch (verdict.frameworks.front().answer) {
  case Usable::gpu: return Exit::gpu;
  case Usable::no_gpu: return Exit::findings;
  case Usable::unknown: return Exit::unknown;
  }
  return Exit::unknown;
}

Exit run(const Arguments& arguments, Console& console) {
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto verdict = judge(*facts);
  using Json = nlohmann::ordered_json;
  Json report{{"schema", "gpuwhy.report/1"}, {"command", "check"}, {"verdicts", Json::array()}};
  for (const auto& each : verdict.frameworks) {
    Json causes = Json::array();
    for (const auto& cause : each.causes) causes.push_back({{"id", cause.id}, {"slug", cause.slug}, {"summary", cause.summary}});
    static constexpr std::array kAnswers{"gpu", "no_gpu", "unknown"};
    report["verdicts"].push_back({{"framework", each.framework},
                                  {"version", each.version},
                                  {"interpreter", each.interpreter},
                                  {"environment", each.environment},
                                  {"verdict", kAnswers[static_cast<std::size_t>(each.answer)]},
                                  {"causes", causes},
                                  {"unknown", each.unknown}});
  }
  console.out << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  return exit_of(verdict);
}

} // namespace

const Command kCheckCommand{
    .name = "check",
    .operands = "[PATH]",
    .most_operands = 1,
    .summary = "will the GPU be used here, and if not, why?",
    .details = "PATH is the program (.py, .ipynb) or the project's directory; without it, what a plain 'python' "
               "would use is judged.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
