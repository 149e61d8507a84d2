// Small, locale-free text functions.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// Pieces between separators; empty pieces are kept ("a::b" has three).
std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> split_lines(std::string_view text);
/// The pieces look into the text: not of a string that is about to go.
template <class T>
  requires std::same_as<T, std::string>
std::vector<std::string_view> split(T&& text, char separator) = delete;
template <class T>
  requires std::same_as<T, std::string>
std::vector<std::string_view> split_lines(T&& text) = delete;
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);
bool contains(std::string_view text, std::string_view part);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
/// The whole of `text` as a decimal number; nothing for anything else (sign, blank, overflow).
std::optional<std::int64_t> to_number(std::string_view text);
std::optional<std::uint64_t> hex_to_number(std::string_view text);

/// Last part of a path; parent of a path ("/" stays "/", a bare name gives ".").
std::string_view base_name(std::string_view path);
std::string_view parent_path(std::string_view path);
/// "a" + "b" -> "a/b"; an absolute second part wins.
std::string join_path(std::string_view directory, std::string_view name);
/// Without "." and "" parts and with ".." folded as text (no file system look-up).
std::string normalize_path(std::string_view path);

/// Printable on a terminal: control characters, escape sequences and bytes that are not UTF-8
/// become
/// "\xNN", so that nothing read from a machine can drive the reader's terminal.
std::string printable(std::string_view text);
/// Columns that UTF-8 text takes, counting one column a code point.
std::size_t display_width(std::string_view text);
/// Greedy wrap at blanks; a word longer than `width` keeps a line of its own.
std::vector<std::string> wrap(std::string_view text, std::size_t width);
/// Of `candidates` the one nearest to `word` (at most a third of its letters changed); for "did you
/// mean".
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

} // namespace gpuwhy
