// The documentation of causes, for a terminal and as Markdown pages.
#pragma once

#include "render/style.h"
#include "verdict/verdict.h"

#include <span>
#include <string>
#include <string_view>

namespace gpuwhy {

/// What a rule says of itself; the long texts are Markdown.
struct RuleText {
  std::string_view id;
  std::string_view slug;
  std::string_view title;
  std::string_view since;
  Gate gate = Gate::hardware;
  Effect effect = Effect::hides;
  std::string_view explanation;
  std::string_view fix;
  std::string_view references; // a list of links; may be empty
};

/// `gpuwhy rule L04`.
std::string rule_text(const RuleText& rule, const Style& style);
/// `gpuwhy rules`: a table in the order given.
std::string rules_text(std::span<const RuleText> rules, const Style& style);

/// One page of docs/causes, and its name: "L04-cudnn-version-mismatch.md".
std::string rule_page(const RuleText& rule);
std::string rule_page_name(const RuleText& rule);
/// The page that links all others, by gate.
std::string rules_page(std::span<const RuleText> rules);

/// Markdown as the rules use it (paragraphs, "-" lists, fences, **strong**, `code`, [links](to))
/// for a terminal: wrapped, with code as it is.
std::string markdown_text(std::string_view markdown, const Style& style, std::size_t indent);

} // namespace gpuwhy
