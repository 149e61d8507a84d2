// The forms of a lint report: for people, for programs, for code scanners, for GitHub's
// annotations.
#pragma once

#include "render/style.h"
#include "verdict/lint_report.h"

#include <string>

namespace gpuwhy::render {

std::string lint_text(const LintReport& report, const Style& style);
/// gpuwhy.report/1
std::string lint_json(const LintReport& report);
/// The JSON Schema (draft 2020-12) of what lint_json() writes.
std::string lint_schema();
/// SARIF 2.1.0
std::string lint_sarif(const LintReport& report);
/// Workflow commands: ::error file=...,line=...::...
std::string lint_github(const LintReport& report);

} // namespace gpuwhy::render
