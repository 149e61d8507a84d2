// Which of many literal strings occur in a text: one pass, whatever their number. Of each string
// one run of four bytes is looked for by its hash, and only where it stands is the string compared:
// a few kilobytes are touched for each byte of the text, and no byte waits for the one before it.
// The sieve before the exact patterns; it knows nothing of what the strings mean.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

class LiteralSet {
public:
  /// Ids are the positions in `literals`; none of them may be empty.
  explicit LiteralSet(const std::vector<std::string>& literals);

  static constexpr std::size_t npos = std::string_view::npos;

  /// Where a literal starts, at or after `from`, before which no other one ends; npos if there is
  /// none.
  std::size_t find(std::string_view text, std::size_t from) const;
  /// Ids of all that occur, sorted, each once.
  void collect(std::string_view text, std::vector<int>& ids) const;

private:
  struct Literal {
    std::string text;
    std::vector<int> ids;
  };
  /// The four bytes by which a literal is found.
  struct Gram {
    std::uint32_t bytes = 0;
    std::uint32_t offset = 0;  // in the literal
    std::uint32_t literal = 0; // index
  };

  static constexpr unsigned kHashBits = 16;
  static constexpr unsigned kBucketBits = 12; // the first of them
  static std::uint32_t hash_of(std::uint32_t bytes) {
    return bytes * 0x9e3779b1U >> (32 - kHashBits);
  }

  void add_gram(std::uint32_t literal);
  template <class Found> void scan(std::string_view text, std::size_t from, Found&& found) const;
  template <class Found>
  bool compare(std::string_view text, std::size_t from, std::size_t at, Found&& found) const;

  std::vector<Literal> literals_;            // each once
  std::vector<Gram> grams_;                  // by bucket
  std::vector<std::uint32_t> short_;         // literals of less than four bytes, known by the first
  std::vector<std::uint32_t> bucket_;        // where each begins in grams_, and where the last ends
  std::vector<std::uint64_t> hashes_;        // a bit for each that a gram has
  std::array<std::uint8_t, 256> is_short_{}; // a short literal begins so
};

} // namespace gpuwhy::explain
