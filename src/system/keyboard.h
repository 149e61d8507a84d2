// The terminal as a live view needs it: keys one by one, its size, and given back as it was, also
// when we are ended by a signal.
#pragma once

#include <cstddef>
#include <optional>

namespace gpuwhy {

class Keyboard {
public:
  Keyboard();
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  /// Waits for a key, or for `descriptor` to become readable, at most so long.
  std::optional<char> wait(int milliseconds, int descriptor);
  /// Whether a signal asked us to end.
  static bool ended();
};

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
TerminalSize terminal_size();

} // namespace gpuwhy
