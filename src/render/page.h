// A screen of labelled rows:
//
//   cause   cuDNN 8.6.0 is loaded first, TensorFlow 2.15.0 was built for 8.9     L04
//   cudnn-version-mismatch
//           /usr/local/cuda-11.8/lib64/libcudnn.so.8
//
// On a narrow terminal the label has a line of its own and the text stands below it.
#pragma once

#include "render/style.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy {

/// What stands at the right edge of a row: in full, or in short where there is no room, or below.
struct Note {
  std::string full;
  std::string brief = {}; // empty: has no short form
  Ink ink = Ink::faint;
};

class Page {
public:
  explicit Page(const Style& style, bool whole_words = false);

  /// From now on `path` is called `name` in all but commands.
  void call(std::string path, std::string_view name);

  /// The first line: a mark, and the sentence that answers the question.
  void headline(std::string_view mark, Ink ink, std::string_view sentence);
  /// A label and its text.
  void row(std::string_view label, std::string_view text, const Note& note = {});
  /// One more line of the last row; what does not fit goes on below it, two columns further in.
  void under(std::string_view text, Ink ink = Ink::plain, std::size_t depth = 0);
  /// The same, cut after `most` lines.
  void under_at_most(std::size_t most, std::string_view text, Ink ink);
  /// A line that begins with a mark; an empty label: one more of the last row.
  void item(std::string_view label, std::string_view mark, Ink ink, std::string_view text);
  /// What a person copies and types: as it is, never wrapped or shortened.
  void command(std::string_view line);
  /// Pieces such as "driver ✓", never broken inside.
  struct Piece {
    std::string name;
    std::string_view mark;
    Ink ink;
  };
  void pieces(std::string_view label, const std::vector<Piece>& all);
  void blank() { text_ += '\n'; }

  std::string take() { return std::move(text_); }

private:
  void label(std::string_view text);
  void line(std::size_t indent, std::string_view text);
  std::string with_note(const std::string& text, std::string_view note, Ink ink) const;
  bool has_room(std::string_view text, std::string_view note) const;
  std::string fit(std::string_view text) const;
  std::vector<std::string> fold(std::string_view text, std::size_t indent) const;

  Style style_;
  bool whole_words_;
  std::size_t text_column_;
  bool label_pending_ = false; // a label is written and its line still open
  std::vector<std::pair<std::string, std::string>> names_; // of paths
  std::string text_;
};

} // namespace gpuwhy
