// Files as text: encodings and lines.
#include "program/source.h"

#include "base/text.h"

namespace gpuwhy::program {
namespace {

/// Length of the UTF-8 sequence at `at`; 0 if it is none.
std::size_t sequence_length(std::string_view bytes, std::size_t at) {
  const auto lead = static_cast<unsigned char>(bytes[at]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || at + length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(bytes[at + i]) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = sequence_length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void append_code_point(std::string& text, unsigned code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | (code >> 6U));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    text += static_cast<char>(0xE0U | (code >> 12U));
    text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

std::string from_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + 16);
  for (const char byte : bytes) append_code_point(text, static_cast<unsigned char>(byte));
  return text;
}

/// Surrogates become U+FFFD: nothing that we look for lies beyond the first plane.
std::string from_utf16(std::string_view bytes, bool big) {
  std::string text;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    const unsigned code = big ? (unsigned{first} << 8U | second) : (unsigned{second} << 8U | first);
    append_code_point(text, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  }
  return text;
}

} // namespace

Place Source::place(std::uint32_t line) const {
  if (places.empty()) return {0, line};
  if (line == 0 || line > places.size()) return places.back();
  return places[line - 1];
}

std::string_view Source::line_text(std::uint32_t line) const {
  return line >= 1 && line <= shown.size() ? std::string_view(shown[line - 1]) : std::string_view();
}

Result<Source> read_text(std::string bytes) {
  Source source;
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    source.text = from_utf16(std::string_view(bytes).substr(2), bytes[0] == '\xFE');
    source.notes.emplace_back("UTF-16");
  } else if (bytes.find('\0') != std::string::npos) {
    return fail("a binary file");
  } else if (is_utf8(bytes)) {
    source.verbatim = !bytes.starts_with("\xEF\xBB\xBF");
    source.text = source.verbatim ? std::move(bytes) : bytes.substr(3);
  } else {
    source.text = from_latin1(bytes);
    source.notes.emplace_back("not UTF-8: read as Latin-1");
  }
  // Old Mac line ends; a lone carriage return is a line end for Python too.
  for (std::size_t at = 0; at < source.text.size(); ++at) {
    if (source.text[at] == '\r' && (at + 1 == source.text.size() || source.text[at + 1] != '\n')) {
      source.text[at] = '\n';
      source.verbatim = false;
    }
  }
  for (const auto line : split_lines(source.text)) source.shown.emplace_back(line);
  return source;
}

} // namespace gpuwhy::program
