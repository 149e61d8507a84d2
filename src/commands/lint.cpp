#include "commands/html_page.h"
#include "commands/table.h"

#include "base/text.h"
#include "lint/lint.h"
#include "render/html_lint.h"
#include "render/lint.h"
#include "rules/rule.h"
#include "system/live.h"

#include <array>
#include <fstream>
#include <map>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    Option{"json", 0, "", "one JSON document for programs"},
    kHtmlOption,
    Option{"format", 0, "FORM", "text, json, sarif or github"},
    Option{"select", 0, "IDS", "only these causes, comma separated; P stands for all of P"},
    Option{"ignore", 0, "IDS", "not these causes"},
    Option{"gpus", 0, "N", "judge for a machine with N GPUs"},
    Option{"fix", 0, "", "apply the safe edits to the files"},
    Option{"no-settings", 0, "", "do not read [tool.gpuwhy] in pyproject.toml"},
    Option{"jobs", 'j', "N", "threads; as many as there are processors without it"},
};

std::vector<std::string> ids(const Arguments& arguments, std::string_view name) {
  std::vector<std::string> result;
  const auto found = arguments.options.find(name);
  if (found == arguments.options.end()) return result;
  for (const auto& value : found->second) {
    for (const auto id : split(value, ',')) {
      if (!trim(id).empty()) result.emplace_back(trim(id));
    }
  }
  return result;
}

/// An id that is no beginning of any cause's id.
std::optional<std::string> unknown_id(const std::vector<std::string>& list) {
  for (const auto& id : list) {
    bool known = std::string_view("unused-ignore") == id;
    for (const Rule* rule : all_rules()) known = known || rule->id.starts_with(id);
    if (!known) return id;
  }
  return std::nullopt;
}

/// Writes the edited files; the findings that were mended leave the report.
Result<std::size_t> mend(System& system, LintReport& report) {
  std::map<std::string, std::vector<CodeFinding>> by_file;
  for (const auto& finding : report.findings) {
    if (finding.edit) by_file[finding.path].push_back(finding);
  }
  for (const auto& [path, findings] : by_file) {
    const auto bytes = system.read(path, std::size_t{4} << 20U);
    if (!bytes) return fail(bytes.error().reason);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << lint::apply_edits(*bytes, findings);
    if (!file.flush()) return fail(path + ": could not be written");
  }
  return std::erase_if(report.findings,
                       [](const CodeFinding& finding) { return finding.edit.has_value(); });
}

Exit run(const Arguments& arguments, Console& console) {
  if (const auto clash = output_clash(arguments); !clash.empty())
    return wrong_usage(console, clash);
  lint::Options options;
  options.paths = arguments.operands.empty() ? std::vector<std::string>{"."} : arguments.operands;
  options.selection = {ids(arguments, "select"), ids(arguments, "ignore")};
  options.settings = !arguments.has("no-settings");
  for (const auto* list : {&options.selection.select, &options.selection.ignore}) {
    if (const auto id = unknown_id(*list))
      return wrong_usage(console, "no cause '" + printable(*id) + "'");
  }
  for (const std::string_view name : {"gpus", "jobs"}) {
    if (!arguments.has(name)) continue;
    const auto number = to_number(arguments.value(name));
    if (!number || *number < 0 || *number > 1024) {
      return wrong_usage(console, "--" + std::string(name) + ": '" +
                                      printable(arguments.value(name)) +
                                      "' is not a number of them");
    }
    if (name == "gpus") options.machine.gpus = static_cast<int>(*number);
    if (name == "jobs") options.jobs = static_cast<unsigned>(*number);
  }
  const auto form = arguments.has("json")     ? "json"
                    : arguments.has("format") ? arguments.value("format")
                                              : "text";
  if (form != "text" && form != "json" && form != "sarif" && form != "github") {
    return wrong_usage(console,
                       "--format: '" + printable(form) + "' is none of text, json, sarif, github");
  }
  const auto system = make_live_system();
  auto report = lint::run(*system, options);
  if (!report) return wrong_usage(console, report.error().message);
  if (arguments.has("fix")) {
    const auto mended = mend(*system, *report);
    if (!mended) return wrong_usage(console, mended.error().message);
    console.errors << "mended " << *mended << (*mended == 1 ? " place\n" : " places\n");
  }
  if (arguments.has("html")) {
    const auto context = page_context(console, "lint", join(options.paths, " "));
    const auto written = write_page(arguments, console, render::lint_html(*report, context));
    if (!written) return wrong_usage(console, written.error().message);
  }
  if (page_to_output(arguments)) {
    // standard output is the page's
  } else if (form == "json") {
    console.out << render::lint_json(*report);
  } else if (form == "sarif") {
    console.out << render::lint_sarif(*report);
  } else if (form == "github") {
    console.out << render::lint_github(*report);
  } else {
    console.out << render::lint_text(*report, console.style);
  }
  for (const auto& finding : report->findings) {
    if (finding.severity != Severity::info) return Exit::findings;
  }
  return Exit::gpu;
}

} // namespace

const Command kLintCommand{
    .name = "lint",
    .operands = "[PATH...]",
    .most_operands = 65536,
    .summary = "what in the code and the project's files keeps work off the GPU?",
    .details = "Reads Python files, notebooks and project files (Dockerfile, compose, Kubernetes, "
               "sbatch, requirements, "
               "environment.yml, pyproject.toml, locks, devcontainer.json, workflows). Exit "
               "status: 0 nothing, or hints "
               "only; 1 errors or warnings; 2 wrong usage. A comment '# gpuwhy: ignore[P01]' on "
               "the line, or alone above "
               "it, keeps a finding quiet.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
