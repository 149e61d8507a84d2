// The texts of unit files and environment files.
#include "places/unit_file.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kMostSettings = 5'000;
constexpr std::size_t kMostWords = 5'000;

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value & 0xffU); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0U | (code >> 6U));
    byte(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    byte(0xe0U | (code >> 12U));
    byte(0x80U | ((code >> 6U) & 0x3fU));
    byte(0x80U | (code & 0x3fU));
  } else {
    byte(0xf0U | (code >> 18U));
    byte(0x80U | ((code >> 12U) & 0x3fU));
    byte(0x80U | ((code >> 6U) & 0x3fU));
    byte(0x80U | (code & 0x3fU));
  }
}

/// What stands behind a backslash at `at`; moves behind it. False for what is no escape.
bool unescape(std::string_view text, std::size_t& at, std::string& word) {
  constexpr std::string_view kLetters = "abfnrtvs\\\"'";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v \\\"'";
  const char letter = text[at];
  if (const auto found = kLetters.find(letter); found != std::string_view::npos) {
    word += kMeanings[found];
    ++at;
    return true;
  }
  const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  if (digits > 0) {
    const auto code = hex_to_number(text.substr(at + 1, digits));
    if (text.size() - at - 1 < digits || !code || *code == 0 || *code > 0x10ffff) return false;
    if (letter == 'x') {
      word += static_cast<char>(*code);
    } else {
      append_utf8(word, static_cast<std::uint32_t>(*code));
    }
    at += digits + 1;
    return true;
  }
  if (text.size() - at < 3) return false;
  unsigned code = 0;
  for (std::size_t i = at; i < at + 3; ++i) {
    if (text[i] < '0' || text[i] > '7') return false;
    code = code * 8 + static_cast<unsigned>(text[i] - '0');
  }
  if (code == 0 || code > 255) return false;
  word += static_cast<char>(code);
  at += 3;
  return true;
}

bool is_newline(char c) {
  return c == '\n' || c == '\r';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || is_newline(c);
}

} // namespace

std::vector<UnitSetting> parse_unit(std::string_view text, const std::string& path) {
  std::vector<UnitSetting> settings;
  std::string section;
  std::string joined;
  int number = 0;
  int first = 0;
  bool open = false; // the line before ended in a backslash
  const auto finish = [&] {
    open = false;
    const auto line = trim(joined);
    if (line.starts_with('[') && line.ends_with(']')) {
      section = line.substr(1, line.size() - 2);
    } else if (const auto equals = line.find('=');
               equals != std::string_view::npos && equals > 0 && settings.size() < kMostSettings) {
      settings.push_back({section, std::string(trim(line.substr(0, equals))),
                          std::string(trim(line.substr(equals + 1))), path, first});
    }
    joined.clear();
  };
  for (auto line : split_lines(text)) {
    ++number;
    const auto start = trim(line);
    if (start.starts_with('#') || start.starts_with(';')) continue; // also among joined lines
    if (!open) first = number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool goes_on = line.ends_with('\\');
    joined += goes_on ? line.substr(0, line.size() - 1) : line;
    if (goes_on) joined += ' ';
    open = goes_on;
    if (!open) finish();
  }
  if (open) finish();
  return settings;
}

UnitWords unit_words(std::string_view value) {
  UnitWords found;
  std::string word;
  bool inside = false;
  char quote = 0;
  const auto finish = [&] {
    if (inside) found.words.push_back(std::move(word));
    word.clear();
    inside = false;
  };
  for (std::size_t at = 0; at < value.size() && found.words.size() < kMostWords;) {
    const char letter = value[at];
    if (letter == '\\') {
      if (++at >= value.size() || !unescape(value, at, word)) {
        found.broken = true;
        return found;
      }
      inside = true;
      continue;
    }
    ++at;
    if (quote != 0) {
      if (letter == quote) {
        quote = 0;
      } else {
        word += letter;
      }
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
      inside = true;
    } else if (is_blank(letter)) {
      finish();
    } else {
      word += letter;
      inside = true;
    }
  }
  found.broken = quote != 0;
  if (!found.broken) finish();
  return found;
}

std::vector<EnvironmentLine> parse_environment_file(std::string_view text) {
  std::vector<EnvironmentLine> lines;
  std::size_t at = 0;
  int number = 1;
  const auto next = [&] {
    if (text[at] == '\n') ++number;
    ++at;
  };
  while (at < text.size() && lines.size() < kMostSettings) {
    while (at < text.size() && is_blank(text[at])) next();
    if (at >= text.size()) break;
    const auto end = std::min(text.find_first_of("\n\r", at), text.size());
    const bool comment = text[at] == '#' || text[at] == ';';
    const auto equals = text.find('=', at + 1);
    if (comment || equals == std::string_view::npos || equals >= end) {
      while (at < text.size() && !is_newline(text[at])) {
        if (comment && text[at] == '\\' && at + 1 < text.size()) next(); // goes on behind it
        next();
      }
      continue;
    }
    EnvironmentLine line{std::string(trim(text.substr(at, equals - at))), {}, number};
    at = equals + 1;
    std::size_t kept = 0; // blanks behind it are dropped
    bool plain = false;   // quotes count at the start of a piece only
    for (char quote = 0; at < text.size();) {
      const char letter = text[at];
      if (quote == 0 && is_newline(letter)) break;
      if (quote == '\'' && letter != '\'') {
        line.value += letter;
        kept = line.value.size();
      } else if (quote != 0 && letter == quote) {
        quote = 0;
        plain = false;
      } else if (letter == '\\' && at + 1 < text.size()) {
        next();
        const char escaped = text[at];
        if (quote == '"' && !is_newline(escaped) &&
            !contains("\"\\`$", std::string_view(&escaped, 1)))
          line.value += '\\';
        if (!is_newline(escaped)) line.value += escaped;
        plain = plain || quote == 0;
        kept = line.value.size();
      } else if (quote == 0 && !plain && (letter == '"' || letter == '\'')) {
        quote = letter;
      } else if (quote == 0 && is_blank(letter)) {
        if (plain) line.value += letter;
      } else {
        line.value += letter;
        plain = plain || quote == 0;
        kept = line.value.size();
      }
      next();
    }
    line.value.resize(std::min(kept, line.value.size()));
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace gpuwhy::places
