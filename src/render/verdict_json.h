// The verdict for programs: schema gpuwhy.report/1, command "check". Fields are only ever added to
// it.
#pragma once

#include "verdict/log_report.h"
#include "verdict/verdict.h"
#include "verdict/what_if.h"

#include <string>

namespace gpuwhy {

/// One JSON document and a line feed; valid UTF-8 whatever the verdict holds.
std::string verdict_json(const Verdict& verdict, const LogReport* log = nullptr);

/// The same for what would be, and what is.
std::string what_if_json(const WhatIf& what_if);

/// The JSON Schema (draft 2020-12) of what verdict_json() writes, made from the same table of
/// fields.
std::string report_schema();

} // namespace gpuwhy
