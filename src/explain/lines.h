// A stream of text becomes the lines that can matter: those in which one of the wanted literals
// occurs. All others are passed over at the speed of one table look-up a byte, and only counted.
#pragma once

#include "explain/literals.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

class LineSieve {
public:
  /// One line without its end, its number (1 is the first). A longer one comes in overlapping
  /// pieces.
  using Sink = std::function<void(std::string_view line, std::uint64_t number)>;

  static constexpr std::size_t kLongestPiece = 64U << 10U;
  static constexpr std::size_t kOverlap = 1024;

  /// Lines up to number `head` pass whatever they say.
  LineSieve(const LiteralSet& literals, std::uint64_t head, Sink sink)
      : literals_(literals), head_(head), sink_(std::move(sink)) {}

  void feed(std::string_view text);
  void finish();
  /// The line after the one that is being delivered is delivered too, whatever it says.
  void want_next() { want_next_ = true; }

  std::uint64_t lines() const { return line_; }
  std::uint64_t longest_line() const { return longest_; }

private:
  void whole_lines(std::string_view text);
  void long_line(std::string_view text);
  void deliver(std::string_view line, std::uint64_t number);

  const LiteralSet& literals_;
  std::uint64_t head_;
  Sink sink_;
  std::string carry_;     // an unfinished line
  bool mid_line_ = false; // pieces of the line in carry_ went out already
  bool want_next_ = false;
  std::uint64_t line_ = 0; // lines that ended
  std::uint64_t piece_bytes_ = 0;
  std::uint64_t longest_ = 0;
};

} // namespace gpuwhy::explain
