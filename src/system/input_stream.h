// An input that may be larger than memory, or still growing: read piece by piece.
#pragma once

#include "base/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace gpuwhy {

/// Gives `path` ("-": standard input) to `take`, at most 256 KiB at a time, to its end. Errors name
/// the file.
Result<void> stream_input(const std::string& path,
                          const std::function<void(std::string_view)>& take);

/// Keeps reading a file that grows, until `idle` (called whenever all that is there was read) says
/// false, or until SIGINT or SIGTERM. A file that became shorter is read from its start again.
Result<void> follow_input(const std::string& path,
                          const std::function<void(std::string_view)>& take,
                          const std::function<bool()>& idle);

} // namespace gpuwhy
