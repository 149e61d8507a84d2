#include "render/style.h"

#include "base/text.h"

namespace gpuwhy {
namespace {

/// SGR parameters (ECMA-48 8.3.117): the eight basic colours, which every theme keeps legible.
std::string_view parameters(Ink ink) {
  switch (ink) {
  case Ink::plain: return {};
  case Ink::strong: return "1";
  case Ink::faint: return "2";
  case Ink::good: return "32";
  case Ink::bad: return "31";
  case Ink::open: return "33";
  }
  return {};
}

/// First byte of the `column`th code point.
std::size_t byte_of_column(std::string_view text, std::size_t column) {
  std::size_t at = 0;
  while (at < text.size() && column > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U) ++at;
    --column;
  }
  return at;
}

/// The end of a path says more than its beginning.
std::string cut_middle(const Style& style, std::string_view word, std::size_t longest) {
  const auto width = display_width(word);
  if (width <= longest) return std::string(word);
  const std::string_view gap = style.unicode ? "…" : "...";
  const auto room = longest > display_width(gap) ? longest - display_width(gap) : 0;
  const auto head = room / 3;
  const auto tail = room - head;
  return std::string(word.substr(0, byte_of_column(word, head))) + std::string(gap) +
         std::string(word.substr(byte_of_column(word, width - tail)));
}

/// Where a path can begin inside a word: LD_LIBRARY_PATH=/home/ada/lib:/home/ada/lib64,
/// (/home/ada).
bool begins_path(std::string_view text, std::size_t at) {
  return at == 0 || contains(" =:('\"", text.substr(at - 1, 1));
}

} // namespace

std::string paint(const Style& style, Ink ink, std::string_view text) {
  if (!style.color || ink == Ink::plain || text.empty()) return std::string(text);
  return "\x1b[" + std::string(parameters(ink)) + "m" + std::string(text) + "\x1b[0m";
}

std::string_view mark_good(const Style& style) {
  return style.unicode ? "✓" : "ok";
}
std::string_view mark_bad(const Style& style) {
  return style.unicode ? "✗" : "NO";
}
std::string_view mark_open(const Style&) {
  return "?";
}

std::string with_name_for(std::string_view text, const std::string& path, std::string_view name) {
  if (path.size() < 2) return std::string(text);
  std::string result;
  for (std::size_t from = 0;;) {
    const auto at = text.find(path, from);
    if (at == std::string_view::npos) return result.append(text.substr(from));
    const auto end = at + path.size();
    const bool whole = end == text.size() || contains("/ :,;)'\"", text.substr(end, 1));
    result.append(text.substr(from, at - from));
    result.append(whole && begins_path(text, at) ? name : path);
    from = end;
  }
}

std::string shown(const Style& style, std::string_view text, std::size_t longest) {
  const auto safe = with_name_for(printable(text), style.home, "~");
  std::vector<std::string> words;
  for (const auto word : split(safe, ' ')) words.push_back(cut_middle(style, word, longest));
  return join(words, " ");
}

} // namespace gpuwhy
