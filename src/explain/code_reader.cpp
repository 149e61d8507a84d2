#include "explain/code_reader.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

constexpr int kLongestBody = 24; // lines
constexpr std::size_t kLongestStatement = 300;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// "88:", "88-", "  81 | ", "| 140 |", "    12\t": what numbers a line; 0: nothing does.
std::size_t number_prefix(std::string_view line) {
  auto at = line.find_first_not_of(" \t|");
  if (at == std::string_view::npos || !is_digit(line[at])) return 0;
  const auto end = line.find_first_not_of("0123456789", at);
  if (end == std::string_view::npos || end - at > 5) return 0;
  if (line[end] == ':' || line[end] == '-' || line[end] == '\t') return end + 1;
  const auto bar = line.find_first_not_of(' ', end);
  return bar != std::string_view::npos && line[bar] == '|' ? bar + 1 : 0;
}

/// "for i in range(9):", "while True:", "for step in range(n): with tf.GradientTape() ...": where
/// the head ends; npos: no head of a loop.
std::size_t head_end(std::string_view statement) {
  const bool loop = statement.starts_with("while ") ||
                    (statement.starts_with("for ") && contains(statement, " in "));
  if (!loop) return std::string_view::npos;
  int depth = 0;
  for (std::size_t i = 0; i < statement.size(); ++i) {
    const char c = statement[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c == ':' && depth <= 0) return i;
  }
  return std::string_view::npos;
}

} // namespace

std::string_view bare_code(std::string_view line) {
  constexpr std::array<std::string_view, 5> kPrompts = {">>> ", "... ", "--> ", "---> ", "----> "};
  for (const auto prompt : kPrompts) {
    if (line.starts_with(prompt)) line.remove_prefix(prompt.size());
  }
  if (line.starts_with("In [")) {
    const auto end = line.find("]: ");
    if (end != std::string_view::npos && end < 10) line.remove_prefix(end + 3);
  }
  const auto dots = line.find("...: ");
  if (dots != std::string_view::npos && dots < 8 && indentation(line) == dots)
    line.remove_prefix(dots + 5);
  // A file's name stands before the number where several were searched.
  const auto file = line.substr(0, 80).find(".py:");
  if (file != std::string_view::npos && number_prefix(line.substr(file + 4)) != 0)
    line.remove_prefix(file + 4);
  line.remove_prefix(number_prefix(line));
  return line;
}

std::optional<std::string> CodeReader::looped(std::string_view line) {
  // A statement in words quotes its code behind the key: "- code: for x in y: ...".
  const auto quoted = line.starts_with("- ") ? line.find(": ") : std::string_view::npos;
  const bool statement = quoted != std::string_view::npos && quoted < 40;
  const auto code = statement ? line.substr(quoted + 2) : bare_code(line);
  const auto indent = indentation(code);
  auto text = trim(code);
  if (text.empty()) return std::nullopt;
  if (left_ > 0 && !statement) {
    --left_;
    if (indent <= indent_) left_ = 0;
  }
  const auto end = head_end(text);
  if (end != std::string_view::npos) {
    if (left_ == 0 && !statement) {
      indent_ = indent;
      left_ = kLongestBody;
    }
    text = trim(text.substr(end + 1));
    if (text.empty()) return std::nullopt;
    return "in a loop: " + std::string(text.substr(0, kLongestStatement));
  }
  if (left_ == 0 || statement) return std::nullopt;
  return "in a loop: " + std::string(text.substr(0, kLongestStatement));
}

} // namespace gpuwhy::explain
