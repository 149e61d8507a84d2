// From bytes to messages: decoding, lines, escapes and prefixes.
#include "explain/clean.h"
#include "explain/decode.h"
#include "explain/lines.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

std::string decoded(std::string_view bytes, std::size_t piece, Decoder* kept = nullptr) {
  Decoder own;
  Decoder& decoder = kept != nullptr ? *kept : own;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    text += decoder.feed(bytes.substr(at, piece));
  text += decoder.finish();
  return text;
}

TEST(Decoder, Utf8PassesUnchanged_InPiecesOfAnySize) {
  const std::string text = "\xef\xbb\xbfGPU \xe2\x9c\x93 100\xc2\xa0%\n";
  for (const std::size_t piece : {1U, 2U, 5U, 100U}) {
    Decoder decoder;
    EXPECT_EQ(decoded(text, piece, &decoder), text.substr(3)) << piece;
    EXPECT_EQ(decoder.invalid(), 0U) << piece;
  }
}

TEST(Decoder, Utf16_BothOrders_WithAPairOfSurrogates) {
  const std::string little("\xff\xfe"
                           "G\0\x3d\xd8\x00\xde\n\0",
                           10);
  const std::string big("\xfe\xff"
                        "\0G\xd8\x3d\xde\x00\0\n",
                        10);
  for (const std::size_t piece : {1U, 3U, 64U}) {
    EXPECT_EQ(decoded(little, piece), "G\xf0\x9f\x98\x80\n");
    EXPECT_EQ(decoded(big, piece), "G\xf0\x9f\x98\x80\n");
  }
}

TEST(Decoder, CountsWhatIsInvalid) {
  Decoder decoder;
  decoded("abc\xff\xc3(\xe2\x82", 2, &decoder);
  EXPECT_EQ(decoder.invalid(),
            3U); // ff; c3 without its second byte; a character cut off by the end
}

TEST(Decoder, TellsBinaryFromText) {
  Decoder program;
  decoded(std::string("\x7f"
                      "ELF") +
              std::string(4000, '\0'),
          512, &program);
  EXPECT_TRUE(program.binary());
  Decoder log;
  decoded("a log with one odd \0 in it", 512, &log);
  EXPECT_FALSE(log.binary());
}

struct Delivered {
  std::uint64_t number;
  std::string line;
  bool operator==(const Delivered&) const = default;
};

std::vector<Delivered> sieved(std::string_view text, std::size_t piece, std::uint64_t head = 0) {
  const LiteralSet literals({"needle", "pin"});
  std::vector<Delivered> delivered;
  LineSieve sieve(literals, head, [&](std::string_view line, std::uint64_t number) {
    delivered.push_back({number, std::string(line)});
  });
  for (std::size_t at = 0; at < text.size(); at += piece) sieve.feed(text.substr(at, piece));
  sieve.finish();
  return delivered;
}

TEST(LiteralSet, CollectsAllThatOccur_WhateverTheirLengthAndPlace) {
  const LiteralSet literals({"loss", "CUDA_ERROR", "ab", "CUDA", "x", "R_NO", "loss"});
  const auto in = [&](std::string_view text) {
    std::vector<int> ids = {99};
    literals.collect(text, ids);
    return ids;
  };
  EXPECT_EQ(in("CUDA_ERROR_NO"), (std::vector<int>{1, 3, 5})) << "they overlap";
  EXPECT_EQ(in("a loss, a loss"), (std::vector<int>{0, 6})) << "twice in the set, and in the text";
  EXPECT_EQ(in("loss"), (std::vector<int>{0, 6}));
  EXPECT_EQ(in("los"), std::vector<int>{});
  EXPECT_EQ(in("oss"), std::vector<int>{}) << "the end of one";
  EXPECT_EQ(in("UDA_ERROR CUD"), std::vector<int>{});
  EXPECT_EQ(in("lab"), std::vector<int>{2}) << "a short one at the end";
  EXPECT_EQ(in("x"), std::vector<int>{4});
  EXPECT_EQ(in(""), std::vector<int>{});
}

TEST(LiteralSet, FindsTheFirst_FromAPlaceOn) {
  const LiteralSet literals({"CUDA_ERROR", "loss", "x"});
  const std::string_view text = "a loss\nCUDA_ERROR\nx";
  EXPECT_EQ(literals.find(text, 0), 2U);
  EXPECT_EQ(literals.find(text, 2), 2U);
  EXPECT_EQ(literals.find(text, 3), 7U);
  EXPECT_EQ(literals.find(text, 8), 18U) << "a literal that begins before does not count";
  EXPECT_EQ(literals.find(text, 19), LiteralSet::npos);
  EXPECT_EQ(literals.find("", 0), LiteralSet::npos);
}

/// Against plain searches, in texts made of the literals' own pieces.
TEST(LiteralSet, AgreesWithPlainSearches) {
  const std::vector<std::string> all = {"aaaa", "abab", "baba", "aabb", "ababab", "b", "bbab"};
  const LiteralSet literals(all);
  for (unsigned bits = 0; bits < 4096; ++bits) {
    std::string text;
    for (unsigned i = 0; i < 12; ++i) text += (bits >> i & 1U) != 0 ? 'a' : 'b';
    std::vector<int> expected;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (text.find(all[i]) != std::string::npos) expected.push_back(static_cast<int>(i));
    }
    std::vector<int> ids;
    literals.collect(text, ids);
    ASSERT_EQ(ids, expected) << text;
  }
}

TEST(LineSieve, DeliversLinesWithALiteral_WithTheirNumbers) {
  const std::string_view text = "hay\nhay needle\r\n\nhay\npins\nhay\nlast needle";
  const std::vector<Delivered> expected = {{2, "hay needle"}, {5, "pins"}, {7, "last needle"}};
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U})
    EXPECT_EQ(sieved(text, piece), expected) << piece;
}

TEST(LineSieve, HeadPassesWhole) {
  EXPECT_EQ(sieved("a\nb\nc\nneedle\n", 100, 2),
            (std::vector<Delivered>{{1, "a"}, {2, "b"}, {4, "needle"}}));
}

TEST(LineSieve, ALineWithoutEndComesInPieces_AndNoMessageIsCut) {
  std::string text(3 * LineSieve::kLongestPiece, '.');
  text.replace(LineSieve::kLongestPiece - 3, 6, "needle");
  const auto delivered = sieved(text + "\nneedle\n", 4096);
  bool whole = false;
  for (const auto& piece : delivered) {
    EXPECT_LE(piece.line.size(), LineSieve::kLongestPiece);
    whole = whole || (piece.number == 1 && piece.line.find("needle") != std::string::npos);
  }
  EXPECT_TRUE(whole);
  EXPECT_EQ(delivered.back(), (Delivered{2, "needle"}));
}

TEST(StripEscapes, Colours_Titles_AndColoursThatLostTheirEscape) {
  EXPECT_EQ(strip_escapes("\x1b[01;31mCould not\x1b[m\x1b[K load"), "Could not load");
  EXPECT_EQ(strip_escapes("\x1b]0;title\x07text\x1b(B"), "text");
  EXPECT_EQ(strip_escapes("[01;31m[KCould not[m[K load"), "Could not load");
  EXPECT_EQ(strip_escapes("list[0] [GPU] [Kernel]"), "list[0] [GPU] [Kernel]");
  EXPECT_EQ(strip_escapes("ab\bc\x01"), "ac");
  EXPECT_EQ(strip_escapes("\x1b["), "");
}

TEST(StripPrefixes, OfFrameworksAndWrappings) {
  const auto body = [](std::string_view line) { return std::string(strip_prefixes(line).body); };
  EXPECT_EQ(body("2023-05-11 08:17:27.506412: W tensorflow/core/x.cc:530] text"), "text");
  EXPECT_EQ(body("E0000 00:00:1774344446.579101 2723107 cuda_platform.cc:52] text"), "text");
  EXPECT_EQ(body("[pod/t-0/tf] 2022-06-30T22:21:01.376606320Z 2022-06-30 22:21:01.376483: I "
                 "a/b.cc:1] text"),
            "text");
  EXPECT_EQ(body("> Jun 14 18:34:44 node-07 kernel: NVRM: text"), "NVRM: text");
  EXPECT_EQ(body("[  812.440912] NVRM: text"), "NVRM: text");
  EXPECT_EQ(body("plain text"), "plain text");
  EXPECT_EQ(body("> > 2024-01-01T00:00:00Z quoted"), "quoted");
}

TEST(StripPrefixes, NamesTheRank) {
  const auto rank = [](std::string_view line) { return std::string(strip_prefixes(line).rank); };
  EXPECT_EQ(rank("[rank3]: text"), "3");
  EXPECT_EQ(rank("12: text"), "12");
  EXPECT_EQ(rank("[1,4]<stderr>:text"), "4");
  EXPECT_EQ(rank("worker-0  | text"), "worker-0");
  EXPECT_EQ(rank("(RayTrainWorker pid=4711) text"), "4711");
  EXPECT_EQ(rank("no rank here"), "");
}

TEST(StripPrefixes, ReadsTheFrameworksClock) {
  const auto stripped = strip_prefixes("2018-08-27 16:14:00.722528: I a/b.cc:965] text");
  ASSERT_TRUE(stripped.seconds);
  EXPECT_NEAR(*stripped.seconds, 16 * 3600 + 14 * 60 + 0.722528, 1e-6);
}

} // namespace
} // namespace gpuwhy::explain
