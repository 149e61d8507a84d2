#include "explain/lines.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

std::uint64_t count_lines(std::string_view text) {
  std::uint64_t lines = 0;
  // find() is memchr: as fast as the memory.
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
    ++lines;
  return lines;
}

} // namespace

void LineSieve::deliver(std::string_view line, std::uint64_t number) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  longest_ = std::max<std::uint64_t>(longest_, piece_bytes_ + line.size());
  sink_(line, number);
}

/// `text` starts at a line's start and ends with its last line's '\n'.
void LineSieve::whole_lines(std::string_view text) {
  std::size_t position = 0; // start of a line
  while (position < text.size()) {
    const auto hit = want_next_ || line_ < head_ ? position : literals_.find(text, position);
    if (hit == LiteralSet::npos) {
      line_ += count_lines(text.substr(position));
      return;
    }
    want_next_ = false;
    const auto before = hit == position ? std::string_view::npos : text.rfind('\n', hit - 1);
    const auto begin = before == std::string_view::npos ? position : std::max(position, before + 1);
    const auto end = text.find('\n', hit);
    line_ += count_lines(text.substr(position, begin - position));
    deliver(text.substr(begin, end - begin), line_ + 1);
    ++line_;
    position = end + 1;
  }
}

/// A line that does not end: its pieces overlap so that no message is cut.
void LineSieve::long_line(std::string_view text) {
  deliver(text, line_ + 1);
  piece_bytes_ += text.size() - kOverlap;
  mid_line_ = true;
}

void LineSieve::feed(std::string_view text) {
  while (!text.empty()) {
    if (carry_.empty() && !mid_line_) {
      const auto last = text.rfind('\n');
      if (last != std::string_view::npos) {
        whole_lines(text.substr(0, last + 1));
        text.remove_prefix(last + 1);
        continue;
      }
    }
    const auto end = text.find('\n');
    const auto room = kLongestPiece - carry_.size();
    const auto take = std::min(room, end == std::string_view::npos ? text.size() : end + 1);
    carry_ += text.substr(0, take);
    text.remove_prefix(take);
    if (carry_.ends_with('\n')) {
      if (mid_line_) {
        carry_.pop_back();
        deliver(carry_, line_ + 1);
        ++line_;
      } else {
        whole_lines(carry_);
      }
      carry_.clear();
      mid_line_ = false;
      piece_bytes_ = 0;
    } else if (carry_.size() >= kLongestPiece) {
      long_line(carry_);
      carry_.erase(0, carry_.size() - kOverlap);
    }
  }
}

void LineSieve::finish() {
  if (!carry_.empty()) feed("\n");
}

} // namespace gpuwhy::explain
