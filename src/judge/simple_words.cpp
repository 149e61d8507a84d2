// One simple command cut into words as a POSIX shell cuts it (2.2 quoting); nothing is run.
#include "judge/what_if.h"

#include "base/text.h"

namespace gpuwhy {
namespace {

constexpr std::string_view kOnlyAShell = ";|&<>()`\n";

bool name_letter(char letter, bool first) {
  const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  return plain || letter == '_' || (!first && letter >= '0' && letter <= '9');
}

class Cutter {
public:
  Cutter(const Facts& facts, std::string_view text) : facts_(facts), text_(text) {}

  Result<std::vector<std::string>> words() {
    while (at_ < text_.size()) {
      const char letter = text_[at_];
      if (letter == '\'') {
        if (!single_quoted()) return fail("a quote that is not closed");
      } else if (letter == '"') {
        if (!double_quoted()) return fail("a quote that is not closed, or a substitution");
      } else if (letter == '\\' && at_ + 1 < text_.size()) {
        put(text_[at_ + 1]);
        at_ += 2;
      } else if (letter == '$') {
        if (!variable()) return fail("a substitution");
      } else if (letter == ' ' || letter == '\t') {
        end_word();
        ++at_;
      } else if (contains(kOnlyAShell, std::string_view(&letter, 1))) {
        return fail("more than one simple command");
      } else {
        put(letter);
        ++at_;
      }
    }
    end_word();
    return std::move(words_);
  }

private:
  void put(char letter) {
    word_ += letter;
    open_ = true;
  }
  void end_word() {
    if (open_) words_.push_back(std::move(word_));
    word_.clear();
    open_ = false;
  }
  bool single_quoted() {
    const auto end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return false;
    word_ += text_.substr(at_ + 1, end - at_ - 1);
    open_ = true;
    at_ = end + 1;
    return true;
  }
  bool double_quoted() {
    open_ = true;
    for (++at_; at_ < text_.size();) {
      const char letter = text_[at_];
      if (letter == '"') {
        ++at_;
        return true;
      }
      if (letter == '`') return false;
      if (letter == '$') {
        if (!variable()) return false;
      } else if (letter == '\\' && at_ + 1 < text_.size() &&
                 contains("$\"\\`", text_.substr(at_ + 1, 1))) {
        put(text_[at_ + 1]);
        at_ += 2;
      } else {
        put(letter);
        ++at_;
      }
    }
    return false;
  }
  /// $NAME or ${NAME}.
  bool variable() {
    const bool braced = at_ + 1 < text_.size() && text_[at_ + 1] == '{';
    auto end = at_ + (braced ? 2 : 1);
    const auto begin = end;
    while (end < text_.size() && name_letter(text_[end], end == begin)) ++end;
    const auto name = text_.substr(begin, end - begin);
    if (name.empty() || (braced && (end >= text_.size() || text_[end] != '}'))) return false;
    at_ = end + (braced ? 1 : 0);
    const auto* found = facts_.environment.find(name);
    if (found == nullptr || found->value.empty()) return true;
    word_ += found->value;
    open_ = true;
    return true;
  }

  const Facts& facts_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool open_ = false;
  std::vector<std::string> words_;
};

} // namespace

Result<std::vector<std::string>> simple_words(const Facts& facts, std::string_view command) {
  return Cutter(facts, command).words();
}

} // namespace gpuwhy
