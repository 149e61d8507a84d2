// How text for people is laid out: with or without colour, with or without letters beyond ASCII,
// how wide. Colours are few and each means one thing: red a failure, green a success, yellow what
// is not known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct Style {
  bool color = false;
  bool unicode = true;
  std::size_t width = 100; // columns
  std::string home =
      {}; // "/home/ada": shown as "~" in sentences, never in commands; empty: unknown
};

enum class Ink { plain, strong, faint, good, bad, open };

/// `text` as it is where the style has no colour.
std::string paint(const Style& style, Ink ink, std::string_view text);

/// The marks of passed, failed and not known: "✓ ✗ ?", or words where only ASCII will do.
std::string_view mark_good(const Style& style);
std::string_view mark_bad(const Style& style);
std::string_view mark_open(const Style& style);

/// `text` with `path`, where it stands as a path or as the beginning of one, replaced by `name`.
std::string with_name_for(std::string_view text, const std::string& path, std::string_view name);

/// Fit for a sentence on a terminal: nothing that could drive it, "~" for the home directory, and
/// words longer than `longest` columns cut in their middle.
std::string shown(const Style& style, std::string_view text, std::size_t longest);

} // namespace gpuwhy
