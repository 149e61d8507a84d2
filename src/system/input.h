// A file that the user named as input: unlike what collectors look at, it may be a pipe.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>

namespace gpuwhy {

/// The whole of `path`; "-" is standard input. Errors name the file: not there, a directory, or larger than
/// `limit` bytes.
Result<std::string> read_input(const std::string& path, std::size_t limit);

/// Writes `text` to `path`, through a neighbour that is renamed once it is whole.
Result<void> write_output(const std::string& path, const std::string& text);

} // namespace gpuwhy
