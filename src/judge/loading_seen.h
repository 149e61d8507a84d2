// The loader's search as it was predicted, held against what the loader did in a run: the truth
// test of src/loader.
#pragma once

#include "facts/facts.h"
#include "use/statistics.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// A line for each library of `framework` that came from elsewhere than predicted, or else one that
/// says how many came as predicted; nothing where nothing can be compared.
std::vector<std::string> compare_loading(const Facts& facts, const use::RunStatistics& run,
                                         const std::vector<std::string>& frameworks);

} // namespace gpuwhy
