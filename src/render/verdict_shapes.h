// Words and objects that the reports of several commands have in common.
#pragma once

#include "render/shapes.h"
#include "verdict/verdict.h"

#include <array>
#include <optional>

namespace gpuwhy::shapes {

template <> struct Words<Usable> {
  static constexpr std::string_view all[] = {"gpu", "no_gpu", "unknown"};
};
template <> struct Words<Effect> {
  static constexpr std::string_view all[] = {"hides", "breaks", "slows"};
};
template <> struct Words<Severity> {
  static constexpr std::string_view all[] = {"error", "warning", "info"};
};
template <> struct Words<Gate> {
  static constexpr auto all = [] {
    std::array<std::string_view, kGates.size()> names;
    for (std::size_t index = 0; index < names.size(); ++index) names[index] = kGates[index].name;
    return names;
  }();
};

template <> struct Shape<Evidence> {
  static constexpr const char* name = "evidence";
  template <class V> static void fields(V&& v) {
    v("text", &Evidence::text, "What was seen");
    v(
        "source",
        [](const Evidence& each) {
          return each.source.where.empty() ? std::optional<std::string>() : each.source.where;
        },
        "Where: a path, $NAME for an environment variable, the probe that was asked, the program's "
        "output, or 'edit' for what would be there once the fixes before it are made");
    v(
        "line",
        [](const Evidence& each) {
          return each.source.line > 0 ? std::optional<int>(each.source.line) : std::nullopt;
        },
        "Line of the file or of the output; null: the whole of it");
  }
};

template <> struct Shape<TextEdit> {
  static constexpr const char* name = "edit";
  template <class V> static void fields(V&& v) { TextEdit::fields(v); }
};

/// A fix as reports have it that say nothing of its reach.
struct PlainFix {
  const Fix* fix = nullptr;
};
template <> struct Shape<PlainFix> {
  static constexpr const char* name = "fix";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &PlainFix::fix;
    v("words", through<of>(&Fix::words), "What to do, for a person");
    v("commands", through<of>(&Fix::commands), "Shell commands that do it, in order; may be empty");
    v("verified", through<of>(&Fix::verified), "The fix was simulated and its cause was gone");
  }
};
inline std::optional<PlainFix> plain(const std::optional<Fix>& fix) {
  return fix ? std::optional(PlainFix{&*fix}) : std::nullopt;
}

} // namespace gpuwhy::shapes
