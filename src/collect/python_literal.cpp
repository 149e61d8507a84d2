#include "collect/python_literal.h"

#include "base/text.h"

namespace gpuwhy {
namespace {

constexpr std::size_t kMostValues = 10'000;
constexpr int kDeepest = 24;

bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

class Parser {
public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Literal> value(int depth = 0) {
    if (depth > kDeepest || ++values_ > kMostValues) return std::nullopt;
    skip_blanks();
    if (at_end()) return std::nullopt;
    const char letter = text_[at_];
    if (letter == '"' || letter == '\'') return string();
    if (letter == '[') return sequence(']', depth);
    if (letter == '(') return sequence(')', depth);
    if (letter == '{') return map(depth);
    if (is_digit(letter) || letter == '-' || letter == '.') return number();
    if (is_letter(letter)) return word(depth);
    return std::nullopt;
  }

private:
  bool at_end() const { return at_ >= text_.size(); }

  bool take(char letter) {
    skip_blanks();
    if (at_end() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (!at_end()) {
      const char letter = text_[at_];
      if (letter == '#') {
        while (!at_end() && text_[at_] != '\n') ++at_;
      } else if (letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::optional<Literal> string() {
    Literal result;
    result.kind = Literal::Kind::text;
    const char quote = text_[at_++];
    while (!at_end() && text_[at_] != quote) {
      if (text_[at_] == '\n') return std::nullopt;
      if (text_[at_] != '\\') {
        result.text += text_[at_++];
        continue;
      }
      if (++at_ >= text_.size()) return std::nullopt;
      const char escaped = text_[at_++];
      // Other escapes do not occur in what we look for; they stay as they are written.
      if (escaped == 'n') {
        result.text += '\n';
      } else if (escaped == 't') {
        result.text += '\t';
      } else if (escaped == '\\' || escaped == '\'' || escaped == '"' || escaped == '/') {
        result.text += escaped;
      } else {
        result.text += '\\';
        result.text += escaped;
      }
    }
    if (at_end()) return std::nullopt;
    ++at_;
    return result;
  }

  std::optional<Literal> number() {
    Literal result;
    result.kind = Literal::Kind::number;
    const auto start = at_;
    while (!at_end() &&
           (is_digit(text_[at_]) || is_letter(text_[at_]) || contains("+-.", text_.substr(at_, 1))))
      ++at_;
    result.text = std::string(text_.substr(start, at_ - start));
    return result;
  }

  std::optional<Literal> sequence(char close, int depth) {
    ++at_;
    Literal result;
    result.kind = Literal::Kind::list;
    while (!take(close)) {
      auto item = value(depth + 1);
      if (!item) return std::nullopt;
      result.items.push_back(std::move(*item));
      if (take(',')) continue;
      if (!take(close)) return std::nullopt;
      break;
    }
    return result;
  }

  std::optional<Literal> map(int depth) {
    ++at_;
    Literal result;
    result.kind = Literal::Kind::map;
    while (!take('}')) {
      auto key = value(depth + 1);
      if (!key || !take(':')) return std::nullopt;
      auto item = value(depth + 1);
      if (!item) return std::nullopt;
      result.items.push_back(std::move(*key));
      result.items.push_back(std::move(*item));
      if (take(',')) continue;
      if (!take('}')) return std::nullopt;
      break;
    }
    return result;
  }

  /// True, None, null, or the name of what is called; r'' and u'' strings.
  std::optional<Literal> word(int depth) {
    const auto start = at_;
    while (!at_end() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    const auto name = text_.substr(start, at_ - start);
    if (!at_end() && name.size() <= 2 && (text_[at_] == '"' || text_[at_] == '\'')) return string();
    Literal result;
    if (name == "True" || name == "true" || name == "False" || name == "false") {
      result.kind = Literal::Kind::boolean;
      result.truth = name == "True" || name == "true";
      return result;
    }
    if (name == "None" || name == "null") return result;
    if (!take('(')) return std::nullopt;
    if (take(')')) {
      result.kind = Literal::Kind::map;
      return result;
    }
    auto argument = value(depth + 1);
    take(',');
    if (!argument || !take(')')) return std::nullopt;
    return argument;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

} // namespace

const Literal* Literal::find(std::string_view key) const {
  const auto is_key = [&](const Literal& item) {
    return item.kind == Kind::text && item.text == key;
  };
  if (kind == Kind::map) {
    for (std::size_t at = 0; at + 1 < items.size(); at += 2) {
      if (is_key(items[at])) return &items[at + 1];
    }
  }
  if (kind == Kind::list) {
    for (const auto& pair : items) {
      if (pair.kind == Kind::list && pair.items.size() == 2 && is_key(pair.items[0]))
        return &pair.items[1];
    }
  }
  return nullptr;
}

std::optional<Literal> parse_literal(std::string_view text) {
  return Parser(text).value();
}

} // namespace gpuwhy
