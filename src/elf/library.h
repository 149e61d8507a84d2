// Turns a file with a shared library's name into what the loader would make of it (loader.md 1.5).
#pragma once

#include "facts/libraries.h"
#include "system/system.h"

namespace gpuwhy {

/// Never fails: what cannot be examined gets the status that says so. Whether a file is for the
/// right processor is judged by the machine name of `system.identity()`.
LibraryFile classify_library(System& system, const std::string& path);

/// "9.3.0" of "libcudnn.so.9.3.0": a real version has at least two components; nothing for
/// "libcudnn.so.9".
std::optional<std::string> version_in_file_name(std::string_view name);

} // namespace gpuwhy
