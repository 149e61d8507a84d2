#include "commands/table.h"

#include "facts/json.h"

#include <ostream>

namespace gpuwhy {
namespace {

Exit run(const Arguments&, Console& console) {
  console.out << snapshot_schema();
  return Exit::gpu;
}

} // namespace

const Command kSchemaCommand{
    .name = "schema",
    .summary = "print the JSON Schema of snapshots",
    .details = {},
    .options = {},
    .run = run,
};

} // namespace gpuwhy
