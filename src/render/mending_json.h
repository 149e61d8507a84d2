// The plan of `gpuwhy fix` for programs: schema gpuwhy.report/1, command "fix".
#pragma once

#include "verdict/mending.h"

#include <optional>
#include <string>

namespace gpuwhy {

/// One JSON document and a line feed. `applied`: empty where nothing was to be applied.
std::string mending_json(const Mending& mending, const std::optional<Applied>& applied = {});

/// The JSON Schema (draft 2020-12) of what mending_json() writes.
std::string fix_schema();

} // namespace gpuwhy
