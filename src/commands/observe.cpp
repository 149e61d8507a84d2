#include "commands/observe.h"

#include "base/text.h"
#include "collect/collector.h"
#include "facts/json.h"
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

/// "train.py", a notebook, or the directory of a project.
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

/// What the program imports; a project's directory is no program.
Fact<ProgramFacts> read_program(System& system, const std::string& program) {
  const auto path = normalize_path(join_path(system.identity().working_directory, program));
  const auto status = system.status(path);
  if (program.empty() || !status || status->type != FileStatus::Type::regular) return {};
  const auto imports = program::framework_imports(system, path);
  if (!imports) return Fact<ProgramFacts>::unknown(imports.error().message, {path, 0});
  ProgramFacts facts{path, {}};
  for (const auto& each : *imports) facts.imports.push_back({each.name, each.module, each.line});
  return Fact<ProgramFacts>::known(std::move(facts), {path, 0});
}

} // namespace

Facts look_at(System& system, const Arguments& arguments) {
  Scope scope;
  scope.python = arguments.value("python");
  if (!arguments.operands.empty()) scope.program = arguments.operands.front();
  scope.all_environments = arguments.has("all");
  scope.probes = !arguments.has("no-probes");
  Facts facts;
  for (const auto& collector : all_collectors()) collector.collect(system, scope, facts);
  facts.program = read_program(system, scope.program);
  return facts;
}

Result<Facts> observe(const Arguments& arguments) {
  if (arguments.has("from")) return replay(arguments);
  const auto system = make_live_system();
  const auto program = arguments.operands.empty() ? std::string() : arguments.operands.front();
  if (const auto checked = check_program(*system, program); !checked)
    return tl::unexpected(checked.error());
  return look_at(*system, arguments);
}

} // namespace gpuwhy
