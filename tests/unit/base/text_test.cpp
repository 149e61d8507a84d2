#include "base/bytes.h"
#include "base/text.h"
#include "base/version.h"

#include <array>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Lines = std::vector<std::string>;

TEST(Text, splits) {
  EXPECT_EQ(split("a::b", ':').size(), 3U);
  EXPECT_EQ(split("", ':').size(), 1U);
  EXPECT_EQ(split_lines("a\nb\n").size(), 2U);
  EXPECT_EQ(split_lines("a\r\nb").size(), 2U);
  EXPECT_EQ(split_lines("").size(), 0U);
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
  EXPECT_EQ(lower("ÄbC"), "Äbc"); // ASCII alone: no locale
}

TEST(Text, numbers) {
  EXPECT_EQ(to_number("42"), 42);
  EXPECT_EQ(to_number("0042"), 42);
  for (const auto* text :
       {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "99999999999999999999", "1a"}) {
    EXPECT_FALSE(to_number(text)) << text;
  }
  EXPECT_EQ(hex_to_number("10de"), 0x10deU);
  EXPECT_FALSE(hex_to_number("10deg"));
}

TEST(Text, paths) {
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(base_name("b"), "b");
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "/");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
  EXPECT_EQ(join_path("/a/", "b"), "/a/b");
  EXPECT_EQ(join_path("/a", "/b"), "/b");
  EXPECT_EQ(normalize_path("/a/./b//../c/"), "/a/c");
  EXPECT_EQ(normalize_path("/../.."), "/");
  EXPECT_EQ(normalize_path("a/../../b"), "../b");
}

TEST(Text, nothing_drives_the_terminal) {
  EXPECT_EQ(printable("a\x1b[31m\n\x7f\x01"), "a\\x1b[31m\\x0a\\x7f\\x01");
  EXPECT_EQ(printable("grün 漢"), "grün 漢");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                   // cut short
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");          // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");          // C1: CSI in one character
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
}

/// Text that turns the direction of what follows shows another path than there is.
TEST(Text, nothing_turns_the_direction) {
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8"); // a line's end
  EXPECT_EQ(printable("\xe2\x80\x99"), "\xe2\x80\x99");    // an apostrophe
}

TEST(Text, widths) {
  EXPECT_EQ(display_width("grün"), 4U);
  EXPECT_EQ(wrap("aa bb  cc", 5), (Lines{"aa bb", "cc"}));
  EXPECT_EQ(wrap("a toolongword b", 4), (Lines{"a", "toolongword", "b"}));
  EXPECT_EQ(wrap("", 4), Lines{""});
  EXPECT_EQ(wrap("a", 0), Lines{"a"});
}

TEST(Text, nearest) {
  const Lines commands = {"check", "snapshot", "rule", "rules", "schema"};
  EXPECT_EQ(nearest("chekc", commands), "check"); // neighbours swapped: one change
  EXPECT_EQ(nearest("chck", commands), "check");
  EXPECT_EQ(nearest("snapshto", commands), "snapshot");
  EXPECT_EQ(nearest("rul", commands), "rule");
  EXPECT_EQ(nearest("shcema", commands), "schema");
  EXPECT_EQ(nearest("frobnicate", commands), std::nullopt);
  EXPECT_EQ(nearest("", commands), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'c'), commands), std::nullopt);
}

TEST(Version, parses_and_compares) {
  EXPECT_EQ(Version::parse("580.159.04")->parts, (std::vector<int>{580, 159, 4}));
  EXPECT_EQ(Version::parse("2.18.0rc1")->str(), "2.18.0");
  EXPECT_EQ(Version::parse("12.")->str(), "12");
  EXPECT_FALSE(Version::parse(""));
  EXPECT_FALSE(Version::parse("v1"));
  EXPECT_FALSE(Version::parse("99999999999"));
  EXPECT_EQ(*Version::parse("12.4"), *Version::parse("12.4.0"));
  EXPECT_LT(*Version::parse("12.4"), *Version::parse("12.10"));
  EXPECT_EQ(Version::parse("9")->minor(), 0);
}

TEST(Bytes, reads_stay_inside) {
  const std::array<std::byte, 4> bytes{std::byte{1}, std::byte{0}, std::byte{'x'}, std::byte{'y'}};
  EXPECT_EQ(read_value<std::uint16_t>(bytes, 0), 1);
  EXPECT_FALSE(read_value<std::uint32_t>(bytes, 1));
  EXPECT_FALSE(read_value<std::uint8_t>(bytes, ~0ULL));
  EXPECT_EQ(read_c_string(bytes, 1), "");
  EXPECT_FALSE(read_c_string(bytes, 2)); // no end
  EXPECT_FALSE(read_c_string(bytes, 4));
}

} // namespace
} // namespace gpuwhy
