// Python as it stands in a text: pasted, quoted by grep -n, typed at a prompt, or shown in a
// traceback. What a loop repeats is told from what runs once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

/// A line of code without what the tool or prompt that shows it put before ("88:", "   81 | ",
/// ">>> ", "In [3]: ", "-->"); its indentation stays.
std::string_view bare_code(std::string_view line);

class CodeReader {
public:
  /// Of a statement that a loop repeats, "in a loop: STATEMENT"; lines come in their order.
  std::optional<std::string> looped(std::string_view line);

private:
  std::size_t indent_ = 0; // of the loop's head
  int left_ = 0;           // lines that may still be of its body; 0: in no loop
};

} // namespace gpuwhy::explain
