#include "commands/schema.h"

#include "commands/facts_page.h"
#include "commands/pick_json.h"
#include "commands/table.h"

#include "base/text.h"
#include "facts/json.h"
#include "render/board_text.h"
#include "render/compat_text.h"
#include "render/explanation.h"
#include "render/lint.h"
#include "render/mending_json.h"
#include "render/prove_text.h"
#include "render/run_json.h"
#include "render/verdict_json.h"

#include <array>
#include <ostream>

namespace gpuwhy {
namespace {

struct Page {
  std::string_view name;
  std::string (*text)();
};

/// A report's schema has the name of its command; check's is called "report" too.
constexpr std::array kPages{
    Page{"snapshot", snapshot_schema}, Page{"report", report_schema},
    Page{"check", report_schema},      Page{"explain", explanation_schema},
    Page{"lint", render::lint_schema}, Page{"run", run_schema},
    Page{"pid", pid_schema},           Page{"watch", board_schema},
    Page{"prove", prove_schema},       Page{"pick", pick_schema},
    Page{"compat", compat_schema},     Page{"fix", fix_schema},
    Page{"facts", facts_page},
};

Exit run(const Arguments& arguments, Console& console) {
  const std::string which = arguments.operands.empty() ? "snapshot" : arguments.operands.front();
  for (const auto& page : kPages) {
    if (page.name != which) continue;
    console.out << page.text();
    return Exit::gpu;
  }
  return wrong_usage(console, "no schema '" + printable(which) + "': there are " +
                                  join(schema_names(), ", "));
}

} // namespace

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const auto& page : kPages) names.emplace_back(page.name);
  return names;
}

const Command kSchemaCommand{
    .name = "schema",
    .operands = "[SCHEMA]",
    .most_operands = 1,
    .summary =
        "print the JSON Schema of a command's --json or of snapshots, or a page of all facts",
    .details =
        "SCHEMA is a command's name: check (also called report), explain, lint, run, pid, watch, "
        "prove, pick, compat or fix; or snapshot, as without a word; or facts, a page for people. "
        "A "
        "report names its command, so 'command' in it tells which schema it follows. watch writes "
        "such a document on each line, and so does pid --on-request.\n"
        "\n"
        "Units stand with the fields: bytes, seconds, per cent of 100, shares of 1. Fields are "
        "only "
        "ever added, so be ready for more than a schema names.\n"
        "\n"
        "  gpuwhy run --json -o run.json -- python train.py\n"
        "  gpuwhy schema run > run.schema.json\n"
        "  check-jsonschema --schemafile run.schema.json run.json",
    .options = {},
    .run = run,
};

} // namespace gpuwhy
