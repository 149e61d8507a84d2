// One line of a text: could it be Python, and what of it is? Words side by side are what prose and
// logs have and Python has not; no list of sentences.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy::explain {

enum class LineKind : std::uint8_t {
  blank,
  comment,
  code,  // a statement, as far as one line tells
  part,  // a line that code may have: an argument, a lone name, a magic
  other, // prose, a log, a shell
};

/// Of a line without its prompt; `inside`: brackets are open, or the line before goes on.
LineKind kind_of_line(std::string_view line, bool inside = false);
/// "import torch", "from keras.layers import LSTM": names a framework or what is built on one.
bool imports_framework(std::string_view line);

/// A line as it was pasted, without what stands around the code.
struct PastedLine {
  std::string code;                 // its indentation stays
  bool prompt = false;              // ">>> ", "In [3]: "
  bool goes_on = false;             // "... ", "   ...: "
  bool cell = false;                // a line of a notebook's file: "    \"import os\\n\","
  std::optional<int> number;        // that it begins with, perhaps of a listing
  std::size_t after_number = 0;     // where `code` goes on behind it
  std::optional<std::string> fence; // the word behind ``` or ~~~, which may be empty
};
PastedLine read_pasted(std::string_view line);

/// What is open at the end of a line: brackets, a string of several lines.
class OpenEnds {
public:
  void line(std::string_view code);
  bool any() const { return !brackets_.empty() || in_string(); }
  bool in_string() const { return quote_ != 0; }
  /// What closes all of it.
  std::string closers() const;
  void clear() { *this = {}; }

private:
  std::string brackets_; // the closing ones, outermost first
  char quote_ = 0;       // of a string in triple quotes
};

} // namespace gpuwhy::explain
