// The verdict on a run as one HTML file, with its timeline.
#pragma once

#include "render/html_charts.h"
#include "render/html_page.h"
#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <string>
#include <vector>

namespace gpuwhy {

std::string run_html(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const PageContext& context);

/// What its charts show.
ChartSheet run_charts(const use::RunStatistics& run);

} // namespace gpuwhy
