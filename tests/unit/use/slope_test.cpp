#include "use/slope.h"

#include <gtest/gtest.h>

namespace gpuwhy::use {
namespace {

using Points = std::vector<std::pair<double, double>>;

TEST(Slope, finds_a_line_through_noise_and_a_spike) {
  Points points;
  for (int i = 0; i < 60; ++i) points.emplace_back(i, 3.0 * i + (i * 37 % 11));
  points[30].second = 1e6;
  const auto slope = robust_slope(points);
  EXPECT_NEAR(slope.per_second, 3, 0.2);
  EXPECT_GT(slope.lowest, 2.5);
  EXPECT_LT(slope.highest, 3.5);
  EXPECT_GT(slope.trend, 0.8);
}

TEST(Slope, a_plateau_has_none) {
  Points points;
  for (int i = 0; i < 60; ++i) points.emplace_back(i, i < 5 ? i * 100.0 : 500.0);
  EXPECT_EQ(robust_slope(points).lowest, 0);
}

TEST(Slope, noise_alone_is_not_sure_of_growth) {
  Points points;
  for (int i = 0; i < 60; ++i) points.emplace_back(i, i * 7919 % 101);
  const auto slope = robust_slope(points);
  EXPECT_LT(slope.lowest, 0);
  EXPECT_GT(slope.highest, 0);
}

TEST(Slope, few_points_and_many) {
  EXPECT_EQ(robust_slope({{0, 0}, {1, 1}}).per_second, 0);
  Points points;
  for (int i = 0; i < 100'000; ++i) points.emplace_back(i, 2.0 * i);
  EXPECT_DOUBLE_EQ(robust_slope(points).per_second, 2);
  EXPECT_EQ(robust_slope(Points(50, {1, 1})).per_second, 0); // no time passes
}

} // namespace
} // namespace gpuwhy::use
