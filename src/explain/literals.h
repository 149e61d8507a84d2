// Which of many literal strings occur in a text: one pass, whatever their number (Aho-Corasick as a
// full automaton). The sieve before the exact patterns; it knows nothing of what the strings mean.
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

  /// Position of the last byte of the first literal that ends at or after `from`; npos if there is
  /// none.
  std::size_t find(std::string_view text, std::size_t from) const;
  /// Ids of all that occur, sorted, each once.
  void collect(std::string_view text, std::vector<int>& ids) const;

private:
  std::array<std::uint8_t, 256> class_of_{}; // bytes in no literal share class 0
  std::uint32_t width_ = 1;                  // number of classes
  std::vector<std::uint32_t> next_;    // [state + class] -> state; states are multiples of width_
  std::uint32_t first_match_ = 0;      // states from here on end a literal
  std::vector<std::vector<int>> ends_; // by (state - first_match_) / width_
};

} // namespace gpuwhy::explain
