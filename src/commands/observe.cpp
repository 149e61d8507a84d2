#include "commands/observe.h"

#include "base/text.h"
#include "collect/collector.h"
#include "commands/place.h"
#include "facts/json.h"
#include "facts/program_run.h"
#include "lint/program.h"
#include "program/imports.h"
#include "system/input.h"
#include "system/live.h"
#include "system/tape.h"

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestRecord = 256U << 20U; // bytes

Result<Facts> replay(const Arguments& arguments) {
  const auto path = arguments.value("from");
  const auto text = read_input(path, kLargestRecord);
  if (!text) return tl::unexpected(text.error());
  const auto shown = printable(path) + ": ";
  if (contains(std::string_view(*text).substr(0, 64), "gpuwhy.tape/")) {
    const auto tape = read_tape(*text);
    if (!tape) return fail(shown + tape.error().message);
    return look_at(**tape, arguments);
  }
  auto facts = read_snapshot(*text);
  if (!facts) return fail(shown + facts.error().message);
  return facts;
}

} // namespace

Result<void> check_program(System& system, const std::string& program) {
  if (program.empty()) return {};
  const auto status =
      system.status(normalize_path(join_path(system.identity().working_directory, program)));
  const auto shown = printable(program);
  if (!status)
    return fail(shown + ": " +
                (status.error().kind == Unavailable::Kind::absent ? "no such file"
                                                                  : status.error().reason));
  if (status->type == FileStatus::Type::directory) return {};
  if (status->type != FileStatus::Type::regular)
    return fail(shown + ": not a program but a device, pipe or socket");
  const auto head = system.read_at(
      normalize_path(join_path(system.identity().working_directory, program)), 0, 4096);
  if (!head) return fail(shown + ": " + head.error().reason);
  const bool python =
      program.ends_with(".py") || program.ends_with(".ipynb") || program.ends_with(".pyw") ||
      (head->starts_with("#!") && contains(head->substr(0, head->find('\n')), "python"));
  if (!python || head->find('\0') != std::string::npos) {
    return fail(shown +
                ": not a Python program (.py, .ipynb, or a script whose #! line names python)");
  }
  return {};
}

namespace {

/// GPUs that CUDA counts with the variables of this process; nothing if nobody could be asked.
program::Machine machine_of(const Facts& facts) {
  const auto* probe = facts.observed.cuda.get();
  if (probe == nullptr || probe->init != 0) return {};
  return {probe->count};
}

} // namespace

void read_program(System& system, const Arguments& arguments, Facts& facts) {
  if (arguments.operands.empty()) return;
  auto& program = facts.program;
  program = lint::read_program(system, arguments.operands.front(), machine_of(facts));
  if (!program.problem.empty()) return;
  const auto path = normalize_path(join_path(system.identity().working_directory, program.entry));
  const auto imports = program::framework_imports(system, path);
  if (!imports) {
    program.notes.push_back("the order of its imports is not known: " + imports.error().message);
  } else {
    for (const auto& each : *imports)
      program.imports.push_back({each.name, each.module, each.line});
  }
  edit::run_program(facts);
}

Scope scope_of(const Arguments& arguments) {
  Scope scope;
  scope.python = arguments.value("python");
  if (!arguments.operands.empty()) scope.program = arguments.operands.front();
  if (const auto given = arguments.options.find("sys-path"); given != arguments.options.end())
    scope.sys_path = given->second;
  scope.all_environments = arguments.has("all");
  scope.probes = !arguments.has("no-probes");
  return scope;
}

Facts look_at(System& system, const Arguments& arguments) {
  const auto scope = scope_of(arguments);
  Facts facts;
  for (const auto& collector : all_collectors()) collector.collect(system, scope, facts);
  return facts;
}

Result<Facts> observe(const Arguments& arguments) {
  const auto system = make_live_system();
  if (names_place(arguments)) {
    auto facts = look_at_place(arguments).map([](auto&& seen) { return std::move(seen.facts); });
    // A path inside another root is not a path here.
    if (facts && !arguments.has("root")) read_program(*system, arguments, *facts);
    return facts;
  }
  const auto program = arguments.operands.empty() ? std::string() : arguments.operands.front();
  if (const auto checked = check_program(*system, program); !checked)
    return tl::unexpected(checked.error());
  // `python -m gpuwhy` asks about the interpreter that it was started with.
  const auto& environment = system->environment();
  const auto python = environment.find("GPUWHY_PYTHON");
  auto asked = arguments;
  if (!arguments.has("python") && python != environment.end() && !python->second.empty())
    asked.options["python"] = {python->second};
  Result<Facts> facts = arguments.has("from") ? replay(arguments) : look_at(*system, asked);
  if (facts) read_program(*system, arguments, *facts);
  return facts;
}

} // namespace gpuwhy
