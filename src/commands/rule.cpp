#include "commands/table.h"

#include "base/text.h"
#include "commands/rule_texts.h"

#include <ostream>

namespace gpuwhy {
namespace {

Exit run_rule(const Arguments& arguments, Console& console) {
  if (arguments.operands.empty())
    return wrong_usage(console, "which cause? For example 'gpuwhy rule L04'");
  const auto& wanted = arguments.operands.front();
  const Rule* rule = find_rule(wanted);
  if (rule == nullptr) {
    std::vector<std::string> known;
    for (const Rule* each : all_rules()) {
      known.emplace_back(each->id);
      known.emplace_back(each->slug);
    }
    const auto near = nearest(wanted, known);
    return wrong_usage(console,
                       "no cause '" + printable(wanted) + "': " +
                           (near ? "did you mean '" + *near + "'?" : "'gpuwhy rules' lists them"));
  }
  console.out << rule_text(text_of(*rule), console.style);
  return Exit::gpu;
}

Exit run_rules(const Arguments&, Console& console) {
  console.out << rules_text(all_rule_texts(), console.style);
  return Exit::gpu;
}

} // namespace

const Command kRuleCommand{
    .name = "rule",
    .operands = "ID",
    .most_operands = 1,
    .summary = "explain one cause: what it is, how to see it, how to mend it",
    .details = {},
    .options = {},
    .run = run_rule,
};

const Command kRulesCommand{
    .name = "rules",
    .summary = "list all causes",
    .details = {},
    .options = {},
    .run = run_rules,
};

} // namespace gpuwhy
