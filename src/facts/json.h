// The snapshot: Facts as versioned JSON. The only (de)serialiser of facts; its format is documented
// by `snapshot_schema()`, which is generated from the same field lists.
#pragma once

#include "base/result.h"
#include "facts/facts.h"

#include <functional>
#include <string>
#include <string_view>

namespace gpuwhy {

inline constexpr std::string_view kSnapshotSchema = "gpuwhy.snapshot/1";

/// One JSON document. `redact` is applied to every string, names of map entries included.
std::string write_snapshot(const Facts& facts,
                           const std::function<std::string(std::string)>& redact = nullptr);
/// Errors name the line and column of broken JSON, or the path of a value of the wrong type.
Result<Facts> read_snapshot(std::string_view text);
/// JSON Schema (draft 2020-12) of the snapshot.
std::string snapshot_schema();

} // namespace gpuwhy
