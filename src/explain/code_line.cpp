#include "explain/code_line.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kLongestLine = 1000;

constexpr auto kJoining = std::to_array<std::string_view>(
    {"and",   "or",    "not",  "in",     "is",       "if",    "else",  "for",    "lambda",
     "await", "as",    "from", "import", "return",   "yield", "raise", "assert", "del",
     "with",  "while", "elif", "global", "nonlocal", "def",   "class", "async",  "except"});

constexpr auto kFrameworks = std::to_array<std::string_view>(
    {"tensorflow", "keras", "torch", "jax", "torchvision", "pytorch_lightning", "lightning",
     "transformers", "flax", "tf_keras", "fastai", "ultralytics", "stable_baselines3"});

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool joining(std::string_view word) {
  return std::find(kJoining.begin(), kJoining.end(), word) != kJoining.end();
}

/// Three quotes at `at`.
bool triple(std::string_view text, std::size_t at) {
  return text.substr(at, 3) == std::string(3, text[at]);
}

/// Where a string that begins at `at` ends (one past its quote); npos: not in this line.
std::size_t string_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == quote)
      return at + 1;
  }
  return std::string_view::npos;
}

/// What the words and marks of a line tell together.
struct Shape {
  std::string_view first; // word
  bool prose = false;     // two words side by side, a string without its end, marks of no Python
  bool calls = false;
  bool assigns = false; // "x = ", "x.y += ", "x[0] = ", "a, b = "
  bool bare = false;    // "X=1", as shells and logs write it too
  bool opens = false;   // ends with ':'
  std::size_t words = 0;
};

/// What may stand before an '=': names, their parts, and commas.
bool is_target(std::string_view text) {
  text = trim(text);
  while (!text.empty() && std::string_view("+-*/%|&^@").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  if (text.empty() || !(is_letter(text.front()) || text.front() == '(' || text.front() == '['))
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view(".,[]()'\"-: ").find(c) != std::string_view::npos;
  });
}

class Look {
public:
  explicit Look(std::string_view text) : text_(text) {
    while (at_ < text_.size() && !shape_.prose && text_[at_] != '#') step();
    shape_.opens = last_ == ':';
    if (shape_.first == "library" && shape_.calls) shape_.prose = true; // R
  }
  const Shape& shape() const { return shape_; }

private:
  void step() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t') {
      ++at_;
    } else if (is_letter(c) || is_digit(c)) {
      word();
    } else if (c == '\'' || c == '"') {
      string();
    } else {
      mark();
    }
  }

  void word() {
    const auto begin = at_;
    const bool number = is_digit(text_[at_]);
    while (at_ < text_.size() &&
           (is_letter(text_[at_]) || is_digit(text_[at_]) || (number && text_[at_] == '.')))
      ++at_;
    const auto word = text_.substr(begin, at_ - begin);
    const bool quoted = at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"');
    if (quoted && word.size() <= 2 && !number && word != "is" && word != "in" && word != "or")
      return; // r"...", f'...'
    if (shape_.words++ == 0 && begin == 0) shape_.first = word;
    const bool joins = joining(word) || (begin == 0 && (word == "print" || word == "exec"));
    if (value_before_ && !joins) shape_.prose = true;
    value_before_ = !joins;
    called_ = value_before_ && !number;
    last_ = 'a';
  }

  void string() {
    if (value_before_ && last_ != '"') shape_.prose = true; // strings side by side are one
    const auto end = triple(text_, at_) ? std::string_view::npos : string_end(text_, at_);
    if (triple(text_, at_)) {
      const auto close = text_.find(text_.substr(at_, 3), at_ + 3);
      at_ = close == std::string_view::npos ? text_.size() : close + 3;
    } else if (end == std::string_view::npos) {
      shape_.prose = true;
    } else {
      at_ = end;
    }
    value_before_ = true;
    called_ = false;
    last_ = '"';
  }

  void mark() {
    const char c = text_[at_];
    if (std::string_view("$?!`\\").find(c) != std::string_view::npos &&
        !(c == '!' && text_.substr(at_, 2) == "!=") && !(c == '\\' && at_ + 1 == text_.size()))
      shape_.prose = true;
    if (c == '(') shape_.calls = shape_.calls || (called_ && at_ > 0 && text_[at_ - 1] != ' ');
    if (c == '(') ++depth_;
    if (c == ')') --depth_;
    if (c == '=' && depth_ == 0 && !shape_.assigns && !shape_.bare) assignment();
    value_before_ = c == ')' || c == ']' || c == '}';
    called_ = value_before_;
    last_ = c;
    ++at_;
  }

  void assignment() {
    const bool compares =
        text_.substr(at_, 2) == "==" ||
        (at_ > 0 && std::string_view("=!<>").find(text_[at_ - 1]) != std::string_view::npos);
    if (compares || !is_target(text_.substr(0, at_))) return;
    const auto value = trim(text_.substr(at_ + 1));
    const bool spaced = at_ > 0 && (text_[at_ - 1] == ' ' || !is_letter(text_[at_ - 1])) &&
                        text_.substr(at_, 2) == "= ";
    const bool telling = !value.empty() && value.find_first_of("([{'\"") != std::string_view::npos;
    (spaced || telling ? shape_.assigns : shape_.bare) = !value.empty();
  }

  std::string_view text_;
  Shape shape_;
  std::size_t at_ = 0;
  bool value_before_ = false; // a word, a string or a closing bracket
  bool called_ = false;       // of which a '(' makes a call
  char last_ = 0;
  int depth_ = 0;
};

/// "a.b as c, d"
bool is_import_list(std::string_view text, bool names_only) {
  text = trim(text.substr(0, text.find_first_of("#;")));
  if (text.starts_with('(') || text == "*" || text == "\\") return names_only;
  if (text.empty()) return false;
  for (auto part : split(text, ',')) {
    part = trim(part);
    if (part.ends_with('\\') || part.ends_with('(')) part = trim(part.substr(0, part.size() - 1));
    if (part.empty()) continue;
    const auto words = split(part, ' ');
    if (words.size() != 1 && !(words.size() == 3 && words[1] == "as")) return false;
    const bool name = std::all_of(words[0].begin(), words[0].end(),
                                  [](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
    if (!name || is_digit(words[0].front())) return false;
  }
  return true;
}

/// "from X import Y"; empty: it is not of this form. X, else.
std::string_view from_module(std::string_view text) {
  if (!text.starts_with("from ")) return {};
  const auto rest = trim(text.substr(5));
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) return {};
  const auto after = trim(rest.substr(end));
  return after.starts_with("import ") && is_import_list(after.substr(7), true) ? rest.substr(0, end)
                                                                               : std::string_view();
}

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
}

LineKind kind_of_statement(std::string_view text, const Shape& shape) {
  const auto first = shape.first;
  const auto is = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), first) != words.end();
  };
  if (is({"import"})) {
    return is_import_list(text.substr(std::min<std::size_t>(7, text.size())), false)
               ? LineKind::code
               : LineKind::other;
  }
  if (is({"from"})) return from_module(text).empty() ? LineKind::other : LineKind::code;
  if (text.starts_with('@')) {
    const auto name = text.substr(1, text.find('(') - 1);
    return is_name(trim(name)) ? LineKind::code : LineKind::other;
  }
  if (shape.prose) return LineKind::other;
  if (is({"def", "class", "async"}))
    return shape.calls || shape.opens ? LineKind::code : LineKind::other;
  if (is({"if", "elif", "while", "with", "for", "except"})) {
    const bool loop = first != "for" || contains(text, " in ");
    const bool head = text.find(':') != std::string_view::npos || shape.calls;
    return head && loop ? LineKind::code : LineKind::part;
  }
  if (is({"else", "try", "finally"}))
    return shape.opens || contains(text, ":") ? LineKind::code : LineKind::other;
  if (is({"return", "raise", "assert", "del", "global", "yield", "await"})) return LineKind::code;
  if (text == "pass" || text == "break" || text == "continue") return LineKind::code;
  if (is({"print"}) && shape.words + 1 > 1 && text.find_first_of("\"'(") != std::string_view::npos)
    return LineKind::code;
  if (shape.assigns) return LineKind::code;
  const bool begins = !first.empty() && is_letter(first.front());
  if (shape.calls && begins) return LineKind::code;
  return LineKind::part;
}

std::string_view without_quotes(std::string_view line) {
  while (line.starts_with("> ") || (line.starts_with('>') && !line.starts_with(">>>")) ||
         line.starts_with(">>>>")) {
    line.remove_prefix(line.starts_with("> ") ? 2 : 1);
  }
  return line;
}

/// Typographic quotes, spaces that do not break and entities of HTML, as keyboards know them.
std::string typed(std::string_view line) {
  std::string text(line);
  constexpr std::array<std::array<std::string_view, 2>, 9> kForms = {{{"\xC2\xA0", " "},
                                                                      {"\xE2\x80\x98", "'"},
                                                                      {"\xE2\x80\x99", "'"},
                                                                      {"\xE2\x80\x9C", "\""},
                                                                      {"\xE2\x80\x9D", "\""},
                                                                      {"&quot;", "\""},
                                                                      {"&#39;", "'"},
                                                                      {"&gt;", ">"},
                                                                      {"&lt;", "<"}}};
  if (text.find('\xC2') != std::string::npos || text.find('\xE2') != std::string::npos ||
      text.find('&') != std::string::npos) {
    for (const auto& form : kForms) text = replace_all(std::move(text), form[0], form[1]);
  }
  return text;
}

/// Without the tags that a page or a forum puts around code: "<pre><code>", "[/code]".
std::string_view without_tags(std::string_view line) {
  constexpr auto kTags = std::to_array<std::string_view>(
      {"<pre>", "<code>", "</code>", "</pre>", "[code]", "[/code]", "[python]", "[/python]"});
  for (bool found = true; found;) {
    found = false;
    for (const auto tag : kTags) {
      if (line.starts_with(tag))
        line.remove_prefix(tag.size());
      else if (line.ends_with(tag))
        line.remove_suffix(tag.size());
      else
        continue;
      found = true;
    }
  }
  return line;
}

/// "My code: import torch" begins where the code does.
std::string_view behind_words(std::string_view line) {
  for (const std::string_view beginning : {": import ", ": from "}) {
    const auto at = line.find(beginning);
    if (at == std::string_view::npos) continue;
    const auto code = line.substr(at + 2);
    if (kind_of_line(line) == LineKind::other && kind_of_line(code) == LineKind::code) return code;
  }
  return line;
}

/// "    \"import os\\n\"," as a notebook's file has it; nothing: no such line.
std::optional<std::string> cell_line(std::string_view line) {
  const auto text = trim(line);
  const bool more = text.ends_with("\\n\",") || text.ends_with("\\n\"");
  if (!more || !text.starts_with('"')) return std::nullopt;
  const auto body = text.substr(1, text.rfind("\\n\"") - 1);
  std::string code;
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] == '\\' && at + 1 < body.size()) {
      ++at;
      code += body[at] == 't' ? '\t' : body[at];
    } else {
      code += body[at];
    }
  }
  return code;
}

/// " 12  x = 1", "12: x", "12. x", "| 12 | x", "   12\tx": where the code begins; 0: no number.
std::size_t after_number(std::string_view line, int& number) {
  const auto begin = line.find_first_not_of(" \t|");
  if (begin == std::string_view::npos || !is_digit(line[begin])) return 0;
  const auto end = std::min(line.find_first_not_of("0123456789", begin), line.size());
  if (end - begin > 5) return 0;
  number = static_cast<int>(to_number(line.substr(begin, end - begin)).value_or(0));
  if (end == line.size()) return end;
  const auto rest = line.substr(end);
  if (rest.starts_with(" | ")) return end + 3;
  if (rest.starts_with(": ") || rest.starts_with(". ") || rest.starts_with("| ")) return end + 2;
  if (rest.front() == ':' || rest.front() == '\t' || rest.front() == '|') return end + 1;
  if (rest.starts_with("  ")) return end + 2;
  return rest.front() == ' ' ? end + 1 : 0;
}

} // namespace

LineKind kind_of_line(std::string_view line, bool inside) {
  const auto text = trim(line);
  if (text.empty()) return LineKind::blank;
  if (text.size() > kLongestLine) return LineKind::other;
  if (text.front() == '#') return LineKind::comment;
  if (text.front() == '%' || text.front() == '!') // a magic, a line for the shell
    return text.size() > 1 && is_letter(text[1]) ? LineKind::code : LineKind::other;
  if (text == "..." || text == "[...]") return LineKind::part;
  const bool odd =
      std::string_view("|+-<>=~/:;,.*&").find(text.front()) != std::string_view::npos &&
      text != ")" && !text.starts_with("**") && !text.starts_with("*");
  if (odd && !inside) return LineKind::other;
  return kind_of_statement(text, Look(text).shape());
}

bool imports_framework(std::string_view line) {
  const auto text = trim(line);
  const auto from = from_module(text);
  const auto named = [](std::string_view list) {
    for (auto part : split(list, ',')) {
      part = trim(part);
      const auto root = part.substr(0, part.find_first_of(". #;"));
      if (std::find(kFrameworks.begin(), kFrameworks.end(), root) != kFrameworks.end()) return true;
    }
    return false;
  };
  if (!from.empty()) return named(from);
  return text.starts_with("import ") && named(text.substr(7));
}

PastedLine read_pasted(std::string_view line) {
  PastedLine pasted;
  if (line.size() > kLongestLine) line = {};
  const auto typed_line = typed(without_quotes(line));
  std::string_view text = behind_words(without_tags(typed_line));
  const auto bare = trim(text);
  if (bare.starts_with("```") || bare.starts_with("~~~")) {
    pasted.fence =
        lower(trim(bare.substr(std::min(bare.find_first_not_of(bare.front()), bare.size()))));
    return pasted;
  }
  if (auto cell = cell_line(text)) {
    pasted.cell = true;
    pasted.code = std::move(*cell);
    return pasted;
  }
  const auto indent = std::min(text.find_first_not_of(" \t"), text.size());
  const auto rest = text.substr(indent);
  if (rest.starts_with(">>> ") || rest == ">>>") {
    pasted.prompt = true;
    text = rest.substr(std::min<std::size_t>(4, rest.size()));
  } else if (rest.starts_with("In [") && rest.substr(0, 12).find("]: ") != std::string_view::npos) {
    pasted.prompt = true;
    text = rest.substr(rest.find("]: ") + 3);
  } else if (rest.starts_with("...: ") || rest == "...:") {
    pasted.goes_on = true;
    text = rest.substr(std::min<std::size_t>(5, rest.size()));
  } else if (rest.starts_with("... ")) {
    pasted.goes_on = true;
    text = rest.substr(4);
  } else if (rest.starts_with("- code: ")) { // a statement in words, as issue forms have it
    text = rest.substr(8);
  } else if (int number = 0; const auto begin = after_number(text, number)) {
    pasted.number = number;
    pasted.after_number = begin;
  }
  pasted.code = std::string(text);
  return pasted;
}

void OpenEnds::line(std::string_view code) {
  for (std::size_t at = 0; at < code.size(); ++at) {
    const char c = code[at];
    if (quote_ != 0) {
      if (c == '\\') {
        ++at;
      } else if (c == quote_ && triple(code, at)) {
        quote_ = 0;
        at += 2;
      }
    } else if (c == '#') {
      return;
    } else if (c == '\'' || c == '"') {
      if (triple(code, at)) {
        quote_ = c;
        at += 2;
      } else {
        const auto end = string_end(code, at);
        if (end == std::string_view::npos) return;
        at = end - 1;
      }
    } else if (c == '(' || c == '[' || c == '{') {
      brackets_ += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (!brackets_.empty() && c == brackets_.back()) {
      brackets_.pop_back();
    }
  }
}

std::string OpenEnds::closers() const {
  std::string closing(quote_ != 0 ? 3 : 0, quote_);
  return closing + std::string(brackets_.rbegin(), brackets_.rend());
}

} // namespace gpuwhy::explain
