// Does a quantity grow, and how surely? Theil and Sen's slope with Kendall's test: a few jumps, a
// plateau at the start or a spike do not mislead it as they would a least-squares line.
#pragma once

#include <utility>
#include <vector>

namespace gpuwhy::use {

struct Slope {
  double per_second = 0; // the median slope
  double lowest = 0;     // its interval of 95 per cent confidence
  double highest = 0;
  double trend = 0; // Kendall's tau, -1 to 1
};

/// `points` are (time, value), in the order of time; more than 400 are thinned evenly. Fewer than 8
/// give zeros.
Slope robust_slope(const std::vector<std::pair<double, double>>& points);

} // namespace gpuwhy::use
