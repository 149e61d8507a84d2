// The frame of every HTML page: one file that opens offline, loads nothing and runs nothing but the
// scripts whose hashes its policy names. All text is there without a script; scripts only add
// copying, a choice of theme, and charts that can be zoomed.
#pragma once

#include "render/html.h"
#include "render/wording.h"

#include <functional>
#include <string>

namespace gpuwhy {

/// What the commands know of a page and its renderer cannot.
struct PageContext {
  std::string command; // "check"
  std::string subject; // what was looked at: "train.py", "this machine"
  std::string made;    // "2026-11-26 14:10 UTC"; empty: not told
  std::string home;    // "/home/ada": "~" in sentences; empty: unknown
};

struct PageFrame {
  std::string title;  // the answer in a sentence
  std::string charts; // JSON of the charts; empty: has none
};

std::string html_page(const PageContext& context, const PageFrame& frame,
                      const std::function<void(Html&)>& body);

/// The sentence that answers the question, with its mark.
void html_answer(Html& html, std::string_view tag, std::string_view id, Tone tone,
                 std::string_view sentence);
/// A sign that is told apart by its shape too; readers of screens get its words from the text
/// beside it.
void html_mark(Html& html, Tone tone);
void html_hint(Html& html);
/// Lines that can be copied.
void html_commands(Html& html, const std::vector<std::string>& commands);
/// A label and what belongs to it, as on the terminal.
void html_row(Html& html, std::string_view label, const std::function<void()>& body);
/// A folded list: a title, how many, the lines.
void html_folded(Html& html, std::string_view title, const std::vector<std::string>& lines);
/// An open section with a title; nothing where there are no lines.
void html_section(Html& html, std::string_view title, const std::vector<std::string>& lines);

/// The causes, the root first, each with what speaks for it and its fix.
struct CausesView {
  std::string prefix;           // of ids
  std::string proof;            // of a single fix; may be empty
  std::string outcome;          // what is known of the time after all of them; may be empty
  bool in_sequence = true;      // each was found after the ones before were mended ("next")
  std::string_view head = "h2"; // the tag of a cause's title
};
void html_causes(Html& html, const std::vector<Cause>& causes, const CausesView& view);

} // namespace gpuwhy
