#include "render/what_if_text.h"

#include "render/page.h"
#include "render/wording.h"

#include <algorithm>

namespace gpuwhy {
namespace {

std::pair<std::string_view, Ink> mark_of(const FrameworkVerdict& verdict, const Style& style) {
  switch (tone_of(verdict)) {
  case Tone::good: return {mark_good(style), Ink::good};
  case Tone::limited: return {"!", Ink::open};
  case Tone::bad: return {mark_bad(style), Ink::bad};
  case Tone::open: break;
  }
  return {mark_open(style), Ink::open};
}

/// The sentence, and of a failure its cause.
std::string line_of(const FrameworkVerdict& verdict) {
  auto words = answer_words(verdict);
  if (!verdict.causes.empty())
    words += ": " + verdict.causes.front().id + " " + verdict.causes.front().slug;
  return words;
}

const FrameworkVerdict* same_in(const Verdict& verdict, const FrameworkVerdict& wanted) {
  for (const auto& each : verdict.frameworks) {
    if (each.framework == wanted.framework && each.interpreter == wanted.interpreter) return &each;
  }
  return nullptr;
}

} // namespace

std::string what_if_text(const WhatIf& what_if, const Style& style, Detail detail) {
  Page page(style, detail == Detail::full);
  bool first = true;
  for (const auto& change : what_if.changes) {
    if (first) {
      page.row("what if", change.change);
    } else {
      page.under(change.change);
    }
    if (!change.outcome.empty())
      page.under(change.outcome, change.told ? Ink::faint : Ink::open, 1);
    first = false;
  }
  for (const auto& after : what_if.after.frameworks) {
    const auto* before = same_in(what_if.before, after);
    const bool selected = &after == &what_if.after.frameworks.front();
    if (before == nullptr && selected && !what_if.before.frameworks.empty())
      before = &what_if.before.frameworks.front();
    const bool changed = before == nullptr || line_of(*before) != line_of(after);
    if (!changed && !selected) continue;
    if (before != nullptr) {
      const auto [mark, ink] = mark_of(*before, style);
      page.item("before", mark, ink, line_of(*before));
    }
    const auto [mark, ink] = mark_of(after, style);
    page.item("after", mark, ink, line_of(after));
  }
  const bool told = std::all_of(what_if.changes.begin(), what_if.changes.end(),
                                [](const Supposed& change) { return change.told; });
  if (!told) return page.take(); // nothing more can be said
  page.blank();
  return page.take() + verdict_text(what_if.after, style, detail);
}

} // namespace gpuwhy
