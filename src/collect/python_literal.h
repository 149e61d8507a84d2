// Values written as Python literals or JSON, read as text: nothing is evaluated. Python's language
// reference, 2.4 (literals) and 6.2 (displays); RFC 8259.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct Literal {
  enum class Kind { none, boolean, number, text, list, map };
  Kind kind = Kind::none;
  bool truth = false;
  std::string text;           // of text and number, the latter as written
  std::vector<Literal> items; // of a list or tuple; of a map: key, value, key, value, ...

  /// The value under `key`, in a map or in a list of pairs (the argument of OrderedDict); nullptr
  /// if none.
  const Literal* find(std::string_view key) const;
};

/// The value that `text` starts with; what follows it is not looked at. A call with one argument,
/// as in `collections.OrderedDict([...])`, counts as its argument. Nothing if it is anything else,
/// or is nested or long beyond reason.
std::optional<Literal> parse_literal(std::string_view text);

} // namespace gpuwhy
