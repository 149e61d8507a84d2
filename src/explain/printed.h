// One line may answer several questions: 'print(tf.__version__, torch.cuda.is_available())', then
// "2.15.0 True". What is printed, taken apart, and each value put beside what it answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

/// What one print() writes, or what a prompt shows of an expression: words and values in order.
struct Printed {
  struct Piece {
    std::string text;
    bool words = false; // printed as they stand; else an expression
  };
  std::vector<Piece> pieces;

  /// The value of each expression, in order, where the line can be what is printed.
  std::optional<std::vector<std::string>> values_in(std::string_view line) const;
  std::vector<std::string> expressions() const;
  /// Its words or the form of a value tell its line from others.
  bool telling() const;
};

/// Each print() of a line of code, and what stands bare at a prompt of Python's.
std::vector<Printed> printed_by(std::string_view line);

} // namespace gpuwhy::explain
