#include "commands/observe.h"
#include "commands/place.h"
#include "commands/table.h"

#include "base/text.h"
#include "collect/privacy.h"
#include "facts/json.h"
#include "system/input.h"
#include "system/live.h"
#include "system/tape.h"

#include <array>
#include <ostream>
#include <sstream>

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
    kNoProbesOption,
    Option{"tape", 't', "FILE",
           "also record the machine's own answers, for a later gpuwhy to read again"},
    Option{"no-redact", 0, "", "keep the names of user, home and host"},
};

/// The names of this user and of the one who runs there.
Exit write_place(const Arguments& arguments, Console& console) {
  const auto seen = look_at_place(arguments);
  if (!seen) return wrong_usage(console, seen.error().message);
  if (arguments.has("no-redact")) {
    console.out << write_snapshot(seen->facts, {});
    return Exit::gpu;
  }
  const auto ours = make_redactor(make_live_system()->identity());
  const auto theirs = make_redactor(seen->identity);
  console.out << write_snapshot(seen->facts,
                                [&](std::string text) { return theirs(ours(std::move(text))); });
  return Exit::gpu;
}

Exit run(const Arguments& arguments, Console& console) {
  if (names_place(arguments)) return write_place(arguments, console);
  const auto live = make_live_system();
  const bool redact = !arguments.has("no-redact");
  TapePolicy policy = private_tape(live->identity());
  if (!redact) policy.redact = nullptr;
  const auto redactor = policy.redact;
  const auto recorder = make_recording_system(*live, std::move(policy));
  System& system = arguments.has("tape") ? *recorder : *live;
  const auto facts = look_at(system, arguments);
  if (arguments.has("tape")) {
    std::ostringstream tape;
    recorder->write(tape);
    const auto written = write_output(arguments.value("tape"), tape.str());
    if (!written) return wrong_usage(console, written.error().message);
  }
  console.out << write_snapshot(facts, redactor);
  return Exit::gpu;
}

} // namespace

const Command kSnapshotCommand{
    .name = "snapshot",
    .operands = "[PATH]",
    .most_operands = 1,
    .summary = "record what was observed, to replay it elsewhere with --from",
    .details = "Writes the facts of this machine as JSON. 'gpuwhy check --from FILE' judges them "
               "anywhere. Only "
               "variables that bear on the GPU are in it; user, home and host names are replaced.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
