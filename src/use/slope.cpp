// Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968: the interval's ranks
// follow from the variance of Kendall's score, here with the correction for tied values.
#include "use/slope.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

namespace gpuwhy::use {
namespace {

constexpr std::size_t kMostPoints = 400;
constexpr std::size_t kFewestPoints = 8;
constexpr double kNormal95 = 1.96;

using Points = std::vector<std::pair<double, double>>;

Points thin(const Points& points) {
  if (points.size() <= kMostPoints) return points;
  Points kept;
  for (std::size_t i = 0; i < kMostPoints; ++i)
    kept.push_back(points[i * points.size() / kMostPoints]);
  return kept;
}

double variance_of_score(const Points& points) {
  std::map<double, double> ties;
  for (const auto& point : points) ties[point.second] += 1;
  const auto term = [](double n) { return n * (n - 1) * (2 * n + 5); };
  double variance = term(static_cast<double>(points.size()));
  for (const auto& [value, count] : ties) variance -= term(count);
  return variance / 18;
}

} // namespace

Slope robust_slope(const Points& all) {
  const auto points = thin(all);
  if (points.size() < kFewestPoints) return {};
  std::vector<double> slopes;
  double score = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double time = points[j].first - points[i].first;
      const double change = points[j].second - points[i].second;
      if (time <= 0) continue;
      slopes.push_back(change / time);
      score += change > 0 ? 1 : change < 0 ? -1 : 0;
    }
  }
  if (slopes.empty()) return {};
  std::sort(slopes.begin(), slopes.end());
  const auto count = static_cast<double>(slopes.size());
  const double spread = kNormal95 * std::sqrt(std::max(variance_of_score(points), 0.0));
  const auto at = [&](double rank) {
    return slopes[static_cast<std::size_t>(std::clamp(rank, 0.0, count - 1))];
  };
  return {.per_second = at(count / 2),
          .lowest = at((count - spread) / 2),
          .highest = at((count + spread) / 2),
          .trend = score / count};
}

} // namespace gpuwhy::use
