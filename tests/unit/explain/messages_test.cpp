#include "explain/messages.h"
#include "explain/required.h"

#include "base/text.h"
#include "knowledge/causes.h"
#include "knowledge/tables.h"
#include "rules/rule.h"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

namespace gpuwhy::explain {
namespace {

/// Name of each row -> a line that it explains.
std::map<std::string, std::string> samples() {
  std::ifstream file(std::string(GPUWHY_SOURCE_DIR) + "/tests/unit/explain/message_samples.tsv");
  std::ostringstream text;
  text << file.rdbuf();
  const auto content = text.str();
  std::map<std::string, std::string> by_name;
  for (const auto line : split_lines(content)) {
    const auto tab = line.find('\t');
    if (line.starts_with('#') || tab == std::string_view::npos) continue;
    by_name.emplace(line.substr(0, tab),
                    replace_all(std::string(line.substr(tab + 1)), "<TAB>", "\t"));
  }
  by_name.erase("name");
  return by_name;
}

std::vector<Match> matches_of(std::string_view line) {
  const auto& table = MessageTable::get();
  std::vector<int> candidates;
  table.sieve().collect(line, candidates);
  std::vector<Match> matches;
  table.match(line, candidates, true, matches);
  return matches;
}

TEST(Messages, TableIsWhole) {
  EXPECT_TRUE(MessageTable::get().problems().empty()) << join(MessageTable::get().problems(), "\n");
  EXPECT_TRUE(cause_problems().empty()) << join(cause_problems(), "\n");
}

TEST(Messages, EachRowHasAName_AKnownCause_AndASample) {
  const auto lines = samples();
  std::set<std::string_view> names;
  for (const auto& message : MessageTable::get().messages()) {
    EXPECT_TRUE(names.insert(message.name).second) << message.name << " twice";
    EXPECT_TRUE(lines.contains(std::string(message.name))) << message.name << " has no sample";
    EXPECT_TRUE(message.cause.empty() || find_cause(message.cause) != nullptr)
        << message.name << ": " << message.cause;
    EXPECT_TRUE(message.kind != Kind::cause || !message.cause.empty()) << message.name;
    EXPECT_FALSE(message.source.empty()) << message.name;
  }
  for (const auto& [name, sample] : lines)
    EXPECT_TRUE(names.contains(name)) << name << " is no row";
}

/// `command` without what stands in quotes.
std::string outside_quotes(std::string_view command) {
  std::string bare;
  char quote = 0;
  for (const char c : command) {
    if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = 0;
    else if (quote == 0)
      bare += c;
  }
  return bare;
}

TEST(Messages, WhatARowAsksForIsOneCommand) {
  for (const auto& message : MessageTable::get().messages()) {
    const auto bare = outside_quotes(message.ask);
    for (const std::string_view mark : {";", "&&", ", ", " and "})
      EXPECT_FALSE(contains(bare, mark)) << message.name << ": " << message.ask;
  }
}

TEST(Messages, EachRowExplainsItsSample_AndNoRowBeforeItDoes) {
  const auto lines = samples();
  for (const auto& message : MessageTable::get().messages()) {
    const auto line = lines.find(std::string(message.name));
    if (line == lines.end()) continue;
    std::vector<std::string> by;
    bool explained = false;
    for (const auto& match : matches_of(line->second)) {
      explained = explained || match.message == &message;
      if (match.message->kind != Kind::context) by.emplace_back(match.message->name);
    }
    EXPECT_TRUE(explained) << message.name << " does not explain \"" << line->second << "\"; "
                           << join(by, ", ") << " does";
  }
}

TEST(Messages, BytesThatAreNoUtf8DoNotBreakALine) {
  const auto matches = matches_of("docker restart caf\xe9 helps");
  EXPECT_TRUE(std::any_of(matches.begin(), matches.end(), [](const Match& match) {
    return match.message->name == "restart-cures";
  }));
}

TEST(Messages, SieveLosesNoMatch) {
  const auto lines = samples();
  const auto& table = MessageTable::get();
  for (const auto& [name, line] : lines) {
    std::vector<int> candidates;
    table.sieve().collect(line, candidates);
    std::vector<Match> sieved;
    table.match(line, candidates, true, sieved);
    std::size_t plain = 0;
    bool explained = false;
    for (std::size_t row = 0; row < table.messages().size(); ++row) {
      const bool context = table.messages()[row].kind == Kind::context;
      if ((explained && !context) || !table.row_matches(row, line)) continue;
      explained = explained || !context;
      ++plain;
    }
    EXPECT_EQ(sieved.size(), plain) << name;
  }
}

TEST(Messages, CausesHaveTheSlugsOfTheRules) {
  for (const Rule* rule : all_rules()) {
    const auto* cause = find_cause(rule->id);
    ASSERT_NE(cause, nullptr) << rule->id;
    EXPECT_EQ(cause->slug, rule->slug) << rule->id;
    EXPECT_EQ(cause->gate, name_of(rule->gate)) << rule->id;
  }
}

TEST(RequiredLiterals, OfPatterns) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(required_literals("No CUDA GPUs are available"), Strings{"No CUDA GPUs are available"});
  EXPECT_EQ(required_literals(R"(libcuda\.so(?:\.1)? missing)"), Strings{"libcuda.so"});
  EXPECT_EQ(required_literals("option ‘?-fclash"), Strings{"option "});
  EXPECT_EQ(required_literals("(?:first thing|other thing)"),
            (Strings{"first thing", "other thing"}));
  EXPECT_EQ(required_literals("(?:first thing|x)"), Strings{});
  EXPECT_EQ(required_literals("(?:first thing)?"), Strings{});
  EXPECT_EQ(required_literals("(?i:first thing)"), Strings{});
  EXPECT_EQ(required_literals("left|right"), (Strings{"left", "right"}));
  EXPECT_EQ(required_literals(R"(colou?r of \w+ [a-z]* (?P<name>the longest of all))"),
            Strings{"the longest of all"});
  EXPECT_EQ(required_literals("abc"), Strings{}) << "too short to sieve with";
}

TEST(Required, HoldsAllPartsOfAPattern_AndOneOfEachOfItsChoices) {
  const Required required(R"(\bdata(?:_time|_load\w*)?[ :=]+\d+ (?:forward|fwd\b)\w*)");
  EXPECT_TRUE(required.met_by("data: 5 forward"));
  EXPECT_TRUE(required.met_by("fwd of data ")) << "their order is the pattern's to ask";
  EXPECT_FALSE(required.met_by("data: 5 backward"));
  EXPECT_FALSE(required.met_by("forward 5"));
  const Required choice(R"((?:loss \+= x|append\((?:loss|out)\)))");
  EXPECT_TRUE(choice.met_by("loss += x"));
  EXPECT_TRUE(choice.met_by("a.append(out)"));
  EXPECT_FALSE(choice.met_by("loss: 0.5"));
  EXPECT_FALSE(choice.met_by("a.append(x)"));
  EXPECT_TRUE(Required(R"(colou?r+s?\.)").met_by("color.")) << "what may be left out is not needed";
  EXPECT_FALSE(Required("ab+c").met_by("ac"));
  EXPECT_TRUE(Required("(?i:loss)|(?:x|)").met_by("")) << "nothing is needed";
}

} // namespace
} // namespace gpuwhy::explain
