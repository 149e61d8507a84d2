// Libraries that a run was seen to look for and not to get (gpuwhy run --libraries).
#pragma once

#include "rules/rule.h"

#include <span>

namespace gpuwhy::rules {

/// No file of a library whose name begins with one of `names` was there, or `lying`: one was, and
/// could not be loaded. What the program got under another name is not missing.
Outcome not_found_in_run(const use::RunStatistics& run, std::span<const std::string_view> names);
Outcome not_loaded_in_run(const use::RunStatistics& run, std::span<const std::string_view> names);

} // namespace gpuwhy::rules
