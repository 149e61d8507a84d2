#include "base/amount.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

TEST(Amount, bytes) {
  EXPECT_EQ(parse_bytes("4096"), 4096U);
  EXPECT_EQ(parse_bytes("8GiB"), 8ULL << 30U);
  EXPECT_EQ(parse_bytes("8g"), 8ULL << 30U);
  EXPECT_EQ(parse_bytes(" 512 MiB "), 512ULL << 20U);
  EXPECT_EQ(parse_bytes("1.5GiB"), 3ULL << 29U);
  EXPECT_EQ(parse_bytes("1.5GB"), 1'500'000'000U);
  for (const auto* wrong : {"", "GiB", "-1", "1.", ".5", "1.2.3G", "8 bananas",
                            "99999999999999999999", "9e9", "20000000TiB"}) {
    EXPECT_FALSE(parse_bytes(wrong).has_value()) << wrong;
  }
}

TEST(Amount, seconds) {
  EXPECT_EQ(parse_seconds("90"), 90U);
  EXPECT_EQ(parse_seconds("90s"), 90U);
  EXPECT_EQ(parse_seconds("5m"), 300U);
  EXPECT_EQ(parse_seconds("2h"), 7200U);
  EXPECT_FALSE(parse_seconds("soon").has_value());
  EXPECT_FALSE(parse_seconds("5d").has_value());
}

} // namespace
} // namespace gpuwhy
