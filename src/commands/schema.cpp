#include "commands/facts_page.h"
#include "commands/table.h"

#include "base/text.h"
#include "facts/json.h"
#include "render/explanation.h"
#include "render/verdict_json.h"

#include <ostream>

namespace gpuwhy {
namespace {

Exit run(const Arguments& arguments, Console& console) {
  const std::string which = arguments.operands.empty() ? "snapshot" : arguments.operands.front();
  if (which == "facts") {
    console.out << facts_page();
    return Exit::gpu;
  }
  if (which == "report")
    console.out << report_schema();
  else if (which == "explain")
    console.out << explanation_schema();
  else if (which == "snapshot")
    console.out << snapshot_schema();
  else
    return wrong_usage(console, "no schema '" + printable(which) +
                                    "': there are 'snapshot', 'report', 'explain' and 'facts'");
  return Exit::gpu;
}

} // namespace

const Command kSchemaCommand{
    .name = "schema",
    .operands = "[snapshot|report|explain|facts]",
    .most_operands = 1,
    .summary =
        "print the JSON Schema of snapshots or of the report of check --json or explain --json, "
        "or a page of all facts",
    .details = {},
    .options = {},
    .run = run,
};

} // namespace gpuwhy
