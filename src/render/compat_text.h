// What releases need, and which of them a machine can run; for a person and for programs.
#pragma once

#include "render/style.h"
#include "verdict/compat.h"

#include <string>

namespace gpuwhy {

/// `all`: every release of the table, not only the ends of what works.
std::string compat_text(const Compat& compat, const Style& style, bool all);
/// One JSON document and a line feed: schema gpuwhy.report/1, command "compat".
std::string compat_json(const Compat& compat);
/// The JSON Schema (draft 2020-12) of what compat_json() writes.
std::string compat_schema();

} // namespace gpuwhy
