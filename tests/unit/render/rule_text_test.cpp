#include "render/rule_text.h"

#include "base/text.h"
#include "commands/rule_texts.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace gpuwhy {
namespace {

constexpr RuleText kRule{
    .id = "X01",
    .slug = "cable-unplugged",
    .title = "The cable is not plugged in",
    .since = "0.1",
    .gate = Gate::hardware,
    .effect = Effect::hides,
    .explanation = "A card without **power** is\nnot seen. `lspci -d\n10de:` shows none.\n\nTwo "
                   "kinds:\n\n- six pins,\n"
                   "  old\n- eight pins\n\n```sh\nlspci   -v\n```",
    .fix = "Plug it in (H15).",
    .references = "- [Cables](https://example.org/a_b)",
};

std::string_view text(std::string_view raw) {
  return raw.substr(1);
}

TEST(RuleText, ForATerminal) {
  EXPECT_EQ(rule_text(kRule, Style{.color = false, .unicode = true, .width = 60}), text(R"(
X01 cable-unplugged: The cable is not plugged in

  effect  the GPU is not listed, and the program runs on the
          CPU
  gate    hardware: is there a GPU that a framework can use?

What it is
  A card without power is not seen. `lspci -d 10de:` shows
  none.

  Two kinds:

  - six pins, old
  - eight pins

      lspci   -v

What to do
  Plug it in (H15).

Read more
  - Cables: https://example.org/a_b
)"));
}

TEST(RuleText, Page) {
  EXPECT_EQ(rule_page_name(kRule), "X01-cable-unplugged.md");
  const auto page = rule_page(kRule);
  EXPECT_TRUE(page.starts_with(
      "# X01: The cable is not plugged in\n\n`cable-unplugged`, since gpuwhy 0.1\n"))
      << page;
  EXPECT_TRUE(contains(page, "## What to do\n\nPlug it in (H15).\n")) << page;
  EXPECT_TRUE(
      contains(rules_page({{kRule}}), "- [X01 cable-unplugged](X01-cable-unplugged.md): The cable"))
      << page;
}

TEST(RuleText, TableIsAListWhereItIsNarrow) {
  const std::vector<RuleText> rules{kRule};
  EXPECT_EQ(rules_text(rules, Style{.width = 80}),
            "X01 cable-unplugged  hardware  The cable is not plugged in\n");
  EXPECT_EQ(rules_text(rules, Style{.width = 40}),
            "X01 cable-unplugged\n  The cable is not plugged in\n");
}

TEST(RuleText, MarkdownWithLooseMarksIsKept) {
  const Style style{.width = 60};
  EXPECT_EQ(markdown_text("a ` b [c] (d) *e*", style, 0), "a ` b [c] (d) *e*\n");
  EXPECT_EQ(markdown_text("```\nnever closed", style, 0), "    never closed\n");
  EXPECT_EQ(markdown_text("", style, 2), "");
}

TEST(RuleText, EveryRuleReadsWell) {
  const Style style{.width = 80};
  for (const auto& rule : all_rule_texts()) {
    const auto shown = rule_text(rule, style);
    EXPECT_FALSE(contains(shown, "**")) << shown;
    EXPECT_FALSE(contains(shown, "](")) << shown;
    EXPECT_FALSE(rule.title.ends_with('.')) << rule.id;
    EXPECT_LE(display_width(rule.title), 90U) << rule.id;
    for (const auto line : split_lines(shown)) {
      const bool one_word = trim(line).find(' ') == std::string_view::npos; // an address
      EXPECT_TRUE(one_word || display_width(line) <= 80U) << line;
    }
  }
}

/// GPUWHY_ACCEPT=1 writes the pages; read the difference before committing it.
TEST(RuleText, ThePagesInDocsAreThese) {
  namespace fs = std::filesystem;
  const fs::path folder = GPUWHY_SOURCE_DIR "/docs/causes";
  std::map<std::string, std::string> pages;
  const auto rules = all_rule_texts();
  for (const auto& rule : rules) pages[rule_page_name(rule)] = rule_page(rule);
  pages["README.md"] = rules_page(rules);
  if (const char* accept = std::getenv("GPUWHY_ACCEPT");
      accept != nullptr && std::string_view(accept) == "1") {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const auto& [name, page] : pages) std::ofstream(folder / name) << page;
  }
  std::map<std::string, std::string> published;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::stringstream content;
    content << std::ifstream(entry.path()).rdbuf();
    published[entry.path().filename()] = content.str();
  }
  EXPECT_EQ(published, pages) << folder << " is out of date: run the tests with GPUWHY_ACCEPT=1";
}

} // namespace
} // namespace gpuwhy
