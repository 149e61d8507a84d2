#include "collect/shell_words.h"

#include "base/text.h"

#include <algorithm>
#include <optional>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostCommands = 20'000;
constexpr std::size_t kMostWords = 1'000;
constexpr std::size_t kMostPieces = 1'000;

bool is_name_start(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

bool is_name(char letter) {
  return is_name_start(letter) || (letter >= '0' && letter <= '9');
}

class Lexer {
public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<ShellCommand> commands() {
    while (!at_end() && commands_.size() < kMostCommands) {
      const char letter = text_[at_];
      if (letter == ' ' || letter == '\t' || letter == '\r') {
        ++at_;
      } else if (letter == '\\' && next() == '\n') {
        advance(2);
      } else if (letter == '#') {
        while (!at_end() && text_[at_] != '\n') ++at_;
      } else if (letter == '\n') {
        end_command();
        advance(1);
        skip_here_documents();
      } else if (contains(";&|()", text_.substr(at_, 1))) {
        end_command();
        ++at_;
      } else if (letter == '<' || letter == '>') {
        redirection();
      } else {
        read_word();
      }
    }
    end_command();
    return std::move(commands_);
  }

  ShellWord quoted() {
    ShellWord word;
    word.raw = text_;
    while (!at_end()) quoted_piece(word);
    return word;
  }

private:
  bool at_end() const { return at_ >= text_.size(); }
  char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }

  void advance(std::size_t count) {
    for (; count > 0 && !at_end(); --count) {
      if (text_[at_] == '\n') ++line_;
      ++at_;
    }
  }

  void end_command() {
    if (command_.words.empty()) return;
    const auto& last = command_.words.back().raw;
    const auto* start = command_.words.front().raw.data();
    command_.raw = {start, static_cast<std::size_t>(last.data() + last.size() - start)};
    commands_.push_back(std::move(command_));
    command_ = {};
  }

  /// What is redirected plays no part; of a here-document the end must be known.
  void redirection() {
    const bool here = text_.substr(at_).starts_with("<<") && !text_.substr(at_).starts_with("<<<");
    drop_descriptor();
    while (!at_end() && contains("<>&-|", text_.substr(at_, 1))) ++at_;
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    const auto start = at_;
    while (!at_end() && !contains(" \t\r\n;&|()<>", text_.substr(at_, 1))) ++at_;
    if (!here) return;
    auto delimiter = std::string(text_.substr(start, at_ - start));
    std::erase_if(delimiter,
                  [](char letter) { return letter == '"' || letter == '\'' || letter == '\\'; });
    if (!delimiter.empty()) here_documents_.push_back(std::move(delimiter));
  }

  /// The 2 of "2>".
  void drop_descriptor() {
    if (command_.words.empty()) return;
    const auto raw = command_.words.back().raw;
    const bool touches = raw.data() + raw.size() == text_.data() + at_;
    if (touches && to_number(raw)) command_.words.pop_back();
  }

  void skip_here_documents() {
    for (const auto& delimiter : here_documents_) {
      while (!at_end()) {
        const auto end = std::min(text_.find('\n', at_), text_.size());
        const auto row = trim(text_.substr(at_, end - at_));
        advance(end - at_ + 1);
        if (row == delimiter) break;
      }
    }
    here_documents_.clear();
  }

  void read_word() {
    ShellWord word;
    const auto start = at_;
    if (command_.words.empty()) command_.line = line_;
    while (!at_end() && !contains(" \t\r\n;&|()<>", text_.substr(at_, 1))) {
      const char letter = text_[at_];
      if (letter == '\\') {
        if (next() != '\n') add(word, text_.substr(std::min(at_ + 1, text_.size()), 1), true);
        advance(2);
      } else if (letter == '\'') {
        single_quoted(word);
      } else if (letter == '"') {
        double_quoted(word);
      } else if (letter == '$' || letter == '`') {
        expansion(word);
      } else {
        add(word, text_.substr(at_, 1), false);
        ++at_;
      }
    }
    word.raw = text_.substr(start, at_ - start);
    if (command_.words.size() < kMostWords) command_.words.push_back(std::move(word));
  }

  void single_quoted(ShellWord& word) {
    const auto end = std::min(text_.find('\'', at_ + 1), text_.size());
    add(word, text_.substr(at_ + 1, end - at_ - 1), true);
    advance(end - at_ + 1);
  }

  void double_quoted(ShellWord& word) {
    ++at_;
    add(word, {}, true);
    while (!at_end() && text_[at_] != '"') quoted_piece(word);
    if (!at_end()) ++at_;
  }

  void quoted_piece(ShellWord& word) {
    const char letter = text_[at_];
    if (letter == '$' || letter == '`') return expansion(word);
    if (letter == '\\' && contains("$`\"\\\n", text_.substr(std::min(at_ + 1, text_.size()), 1))) {
      if (next() != '\n' && next() != '\0') add(word, text_.substr(at_ + 1, 1), true);
      return advance(2);
    }
    add(word, text_.substr(at_, 1), true);
    advance(1);
  }

  void add(ShellWord& word, std::string_view text, bool quoted) {
    auto& pieces = word.pieces;
    if (!pieces.empty() && pieces.back().kind == ShellPiece::Kind::literal &&
        pieces.back().quoted == quoted) {
      pieces.back().text += text;
      return;
    }
    ShellPiece piece;
    piece.text = text;
    piece.quoted = quoted;
    add(word, std::move(piece));
  }

  static void add(ShellWord& word, ShellPiece piece) {
    if (word.pieces.size() < kMostPieces) word.pieces.push_back(std::move(piece));
  }

  void add_unknown(ShellWord& word, std::size_t length) {
    ShellPiece piece;
    piece.kind = ShellPiece::Kind::unknown;
    add(word, std::move(piece));
    advance(length);
  }

  /// Length up to and with the closing bracket of what opens at `start`; quotes within may hold
  /// brackets.
  std::size_t bracketed(std::size_t start, char open, char close) const {
    std::size_t depth = 0;
    for (auto at = start; at < text_.size(); ++at) {
      if (text_[at] == '\\') {
        ++at;
      } else if (text_[at] == open) {
        ++depth;
      } else if (text_[at] == close && --depth == 0) {
        return at + 1 - at_;
      }
    }
    return text_.size() - at_;
  }

  void expansion(ShellWord& word) {
    if (text_[at_] == '`') {
      const auto end = text_.find('`', at_ + 1);
      return add_unknown(word, end == std::string_view::npos ? text_.size() - at_ : end + 1 - at_);
    }
    const char letter = next();
    if (letter == '(') return add_unknown(word, bracketed(at_ + 1, '(', ')'));
    if (letter == '{') {
      const auto length = bracketed(at_ + 1, '{', '}');
      auto piece = braces(text_.substr(at_ + 2, length >= 3 ? length - 3 : 0));
      add(word, std::move(piece));
      return advance(length);
    }
    if (!is_name_start(letter)) {
      if (contains("?$!#@*-0123456789", std::string_view(&letter, 1)) && letter != '\0')
        return add_unknown(word, 2);
      add(word, "$", false);
      return advance(1);
    }
    auto end = at_ + 1;
    while (end < text_.size() && is_name(text_[end])) ++end;
    ShellPiece piece;
    piece.kind = ShellPiece::Kind::variable;
    piece.text = std::string(text_.substr(at_ + 1, end - at_ - 1));
    add(word, std::move(piece));
    advance(end - at_);
  }

  static ShellPiece braces(std::string_view inner) {
    ShellPiece piece;
    piece.kind = ShellPiece::Kind::unknown;
    std::size_t end = 0;
    while (end < inner.size() && is_name(inner[end])) ++end;
    if (end == 0 || !is_name_start(inner[0])) return piece;
    auto rest = inner.substr(end);
    if (rest.starts_with(':') && rest.size() > 1) rest.remove_prefix(1);
    if (!rest.empty() && rest[0] != '-' && rest[0] != '+' && rest[0] != '=') return piece;
    piece.kind = ShellPiece::Kind::variable;
    piece.text = std::string(inner.substr(0, end));
    if (rest.empty()) return piece;
    piece.operation = rest[0] == '+' ? '+' : '-';
    piece.word = std::string(rest.substr(1));
    return piece;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  ShellCommand command_;
  std::vector<ShellCommand> commands_;
  std::vector<std::string> here_documents_;
};

} // namespace

std::string ShellWord::plain() const {
  if (pieces.size() != 1 || pieces.front().kind != ShellPiece::Kind::literal ||
      pieces.front().quoted)
    return {};
  return pieces.front().text;
}

std::vector<ShellCommand> split_commands(std::string_view text) {
  return Lexer(text).commands();
}

ShellWord parse_quoted(std::string_view text) {
  return Lexer(text).quoted();
}

} // namespace gpuwhy
