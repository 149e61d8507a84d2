#include "render/page.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::size_t kNarrow = 60; // below: labels on lines of their own
constexpr std::size_t kLeast = 16;  // columns of text, however narrow the terminal says it is
constexpr std::size_t kLabelIndent = 2;
constexpr std::size_t kLabelWidth = 9; // "unknown" is the longest label
constexpr std::size_t kHanging = 2;

std::string spaces(std::size_t count) {
  return std::string(count, ' ');
}

} // namespace

Page::Page(const Style& style, bool whole_words)
    : style_(style), whole_words_(whole_words),
      text_column_(style.width < kNarrow ? 2 * kLabelIndent : kLabelIndent + kLabelWidth) {}

void Page::call(std::string path, std::string_view name) {
  names_.emplace_back(std::move(path), name);
}

std::string Page::fit(std::string_view text) const {
  const auto longest =
      whole_words_ ? std::string::npos : 2 * std::max(style_.width, kNarrow) - 2 * text_column_;
  std::string named(text);
  for (const auto& [path, name] : names_) named = with_name_for(named, path, name);
  return shown(style_, named, longest);
}

std::vector<std::string> Page::fold(std::string_view text, std::size_t indent) const {
  return wrap(text, style_.width > indent + kLeast ? style_.width - indent : kLeast);
}

void Page::line(std::size_t indent, std::string_view text) {
  if (!label_pending_) text_ += spaces(indent);
  label_pending_ = false;
  text_.append(text);
  text_ += '\n';
}

void Page::label(std::string_view text) {
  text_ += spaces(kLabelIndent) + paint(style_, Ink::strong, text);
  if (style_.width < kNarrow) {
    text_ += '\n';
    return;
  }
  const auto width = display_width(text);
  text_ += spaces(width < kLabelWidth ? kLabelWidth - width : 1);
  label_pending_ = true;
}

void Page::headline(std::string_view mark, Ink ink, std::string_view sentence) {
  const auto indent = display_width(mark) + 1;
  bool first = true;
  for (const auto& each : fold(fit(sentence), indent)) {
    text_ += first ? paint(style_, ink, mark) + " " : spaces(indent);
    text_ += paint(style_, Ink::strong, each) + "\n";
    first = false;
  }
}

void Page::row(std::string_view name, std::string_view text, const Note& note) {
  label(name);
  auto lines = fold(fit(text), text_column_);
  if (!note.full.empty() && style_.width >= kNarrow) {
    const auto& words = has_room(lines.back(), note.full)                           ? note.full
                        : !note.brief.empty() && has_room(lines.back(), note.brief) ? note.brief
                                                                                    : std::string();
    if (words.empty()) lines.emplace_back();
    lines.back() = with_note(lines.back(), words.empty() ? note.full : words, note.ink);
  }
  for (const auto& each : lines) line(text_column_, each);
  if (note.full.empty() || style_.width >= kNarrow) return;
  for (const auto& each : fold(note.full, text_column_))
    line(text_column_, paint(style_, note.ink, each));
}

bool Page::has_room(std::string_view text, std::string_view note) const {
  return text_column_ + display_width(text) + kHanging + display_width(note) <= style_.width;
}

std::string Page::with_note(const std::string& text, std::string_view note, Ink ink) const {
  const auto used = text_column_ + display_width(text) + display_width(note);
  return text + spaces(style_.width > used ? style_.width - used : kHanging) +
         paint(style_, ink, note);
}

void Page::under(std::string_view text, Ink ink, std::size_t depth) {
  std::size_t indent = text_column_ + depth * kHanging;
  const std::size_t below = indent + kHanging;
  for (const auto& each : fold(fit(text), below)) {
    line(indent, paint(style_, ink, each));
    indent = below;
  }
}

void Page::under_at_most(std::size_t most, std::string_view text, Ink ink) {
  const auto lines = fold(fit(text), text_column_ + 2 * kHanging);
  if (lines.size() <= most) return under(text, ink);
  for (std::size_t index = 0; index < most; ++index) {
    const std::string_view end = index + 1 < most ? "" : style_.unicode ? " …" : " ...";
    line(text_column_ + (index == 0 ? 0 : kHanging),
         paint(style_, ink, lines[index] + std::string(end)));
  }
}

void Page::item(std::string_view name, std::string_view mark, Ink ink, std::string_view text) {
  if (!name.empty()) label(name);
  const auto indent = text_column_ + display_width(mark) + 1;
  bool first = true;
  for (const auto& each : fold(fit(text), indent)) {
    if (first) {
      line(text_column_, paint(style_, ink, mark) + " " + each);
    } else {
      line(indent, each);
    }
    first = false;
  }
}

void Page::command(std::string_view text) {
  line(text_column_ + 2 * kHanging, printable(text));
}

void Page::pieces(std::string_view name, const std::vector<Piece>& all) {
  label(name);
  std::string painted;
  std::size_t used = 0;
  for (const auto& piece : all) {
    const auto width = display_width(piece.name) + 1 + display_width(piece.mark);
    if (used > 0 && text_column_ + used + kHanging + width > style_.width) {
      line(text_column_, painted);
      painted.clear();
      used = 0;
    }
    if (used > 0) painted += spaces(kHanging);
    painted += piece.name + " " + paint(style_, piece.ink, piece.mark);
    used += (used > 0 ? kHanging : 0) + width;
  }
  line(text_column_, painted);
}

} // namespace gpuwhy
