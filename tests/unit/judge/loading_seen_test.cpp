#include "judge/loading_seen.h"

#include "judge/judge.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

/// A run that took each library from where it is predicted.
use::RunStatistics as_predicted(const Facts& facts) {
  use::RunStatistics run;
  run.end.loader.works = true;
  const auto cases = cases_of(facts);
  for (const auto& need : cases.front().libraries)
    run.end.libraries.push_back({1, need.soname, {}, need.found.path});
  return run;
}

TEST(LoadingSeen, what_came_as_predicted_is_counted) {
  const auto facts = test::healthy_facts();
  const auto lines = compare_loading(facts, as_predicted(facts), {"tensorflow"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("came from where gpuwhy expected"), std::string::npos);
}

TEST(LoadingSeen, what_came_from_elsewhere_is_named) {
  const auto facts = test::healthy_facts();
  auto run = as_predicted(facts);
  const auto expected = run.end.libraries[0];
  run.end.libraries[0].took = "/opt/other/" + expected.name;
  const auto lines = compare_loading(facts, run, {"tensorflow"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], expected.name + ": the loader took /opt/other/" + expected.name +
                          ", gpuwhy expected " + expected.took + "; please report this");
}

TEST(LoadingSeen, nothing_where_nothing_can_be_compared) {
  const auto facts = test::healthy_facts();
  auto run = as_predicted(facts);
  EXPECT_TRUE(compare_loading(facts, run, {"torch"}).empty());
  run.end.loader.works = false;
  EXPECT_TRUE(compare_loading(facts, run, {"tensorflow"}).empty());
}

} // namespace
} // namespace gpuwhy
