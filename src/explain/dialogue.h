// A terminal or a notebook shows a question on one line and its answer on another: ">>>
// tf.test.is_built_with_cuda()", then "False". Alone, neither says anything.
#pragma once

#include "explain/printed.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

struct Question {
  std::string text;
  bool silence_answers =
      false; // "lspci | grep -i nvidia": a prompt right behind it means that nothing was found
  bool anything_answers = false; // the next line is the answer, whatever it looks like
  /// A print() that is still to answer, and the text that its value is put behind: that of the
  /// expression, or, where it is the only one, the whole question.
  struct Pending {
    Printed printed;
    std::string whole;
  };
  std::vector<Pending> pending = {}; // where one line answers several, or several lines do

  static constexpr std::uint64_t kEnd =
      1; // the line that an answer by the text's end is said to stand on

  /// The answer in this line, if it is one: "False", "[]", "2.15.0 []", "Out[2]: 'cpu'".
  std::optional<std::string> answered_by(std::string_view line) const;
  /// The same of several values: each as "QUESTION = ANSWER". What was answered is not pending any
  /// more.
  std::vector<std::string> paired_with(std::string_view line);
  /// The questions before this one, of the same script, are answered first.
  void after(Question earlier);
};

std::optional<Question> question_in(std::string_view line);

} // namespace gpuwhy::explain
