// The verdict on a run for people, on one screen.
#pragma once

#include "render/style.h"
#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <string>
#include <vector>

namespace gpuwhy {

std::string run_text(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const Style& style, bool full);

/// A history as a row of bars, `width` columns; values are 0 to 100, a negative one is a gap.
std::string bars(const std::vector<double>& values, std::size_t width, const Style& style);

} // namespace gpuwhy
