// U01 U02 H18: failed, and nobody knows why, is a finding of its own; any named cause takes its
// place.
#include "support/machine_bench.h"

#include <gtest/gtest.h>
#include <set>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

TEST(H18, a_code_that_no_rule_explains) {
  for (const int code : {101, 46, 2, 100}) {
    Machine machine;
    machine.cuinit_answers(code);
    EXPECT_EQ(machine.causes(), Ids{"H18"}) << code;
    EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
    EXPECT_TRUE(contains(machine.ask("H18").text, std::to_string(code))) << machine.ask("H18").text;
  }
}

TEST(H18, any_named_cause_takes_its_place) {
  Machine machine;
  machine.cuinit_answers(100);
  machine.refuse("/dev/nvidiactl", "EACCES", "0660");
  EXPECT_EQ(machine.ask("H18").state, State::found);
  EXPECT_EQ(machine.causes(), Ids{"H08"});
}

/// The variables leave the GPU, as far as is known, and the driver hides it all the same.
Machine hidden() {
  Machine machine;
  set_variable(machine.facts, "CUDA_VISIBLE_DEVICES", "0");
  auto& probe = machine.facts.observed.cuda.value();
  probe.init = 999;
  probe.count = 0;
  probe.devices.clear();
  return machine;
}

TEST(U01, hidden_by_a_value_that_should_not_hide) {
  auto machine = hidden();
  EXPECT_EQ(machine.causes(), Ids{"U01"});
  EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
  const auto outcome = machine.ask("U01");
  EXPECT_EQ(outcome.edits.front().commands, Ids{"unset CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER"});
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("U01"));
}

TEST(U01, a_rule_about_the_value_takes_its_place) {
  auto machine = hidden();
  set_variable(machine.facts, "CUDA_VISIBLE_DEVICES", "-1");
  EXPECT_EQ(machine.ask("U01").state, State::found);
  EXPECT_EQ(machine.causes(), Ids{"E01"});
}

TEST(U01, clear_and_does_not_arise) {
  Machine machine;
  EXPECT_EQ(machine.state("U01"), State::clear);
  machine.facts.observed.cuda = {};
  EXPECT_EQ(machine.state("U01"), State::not_applicable);
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.state("U01"), State::not_applicable); // H09 or H18
}

TEST(U02, a_library_that_fails_always_has_a_named_cause_too) {
  Machine machine;
  machine.remove_wheel("cufft");
  EXPECT_EQ(machine.state("U02"), State::found);
  EXPECT_EQ(machine.causes().size(), 1U);
  EXPECT_NE(machine.causes().front(), "U02");
}

TEST(U02, clear_and_does_not_arise) {
  Machine machine;
  EXPECT_EQ(machine.state("U02"), State::clear);
  machine.build().cuda = Fact<bool>::known(false);
  EXPECT_EQ(machine.state("U02"), State::not_applicable);
}

TEST(Catalogue, holds_every_file_of_the_rules_once_and_in_order) {
  Ids ids;
  for (const auto* each : all_rules()) ids.emplace_back(each->id);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  for (const auto* id : {"U01", "U02", "H18", "C03", "L11"}) {
    EXPECT_NE(find_rule(id), nullptr) << id;
  }
}

TEST(Catalogue, texts_are_whole) {
  std::set<std::string_view> slugs;
  for (const auto* each : all_rules()) {
    EXPECT_FALSE(each->title.empty() || each->explanation.empty() || each->fix.empty()) << each->id;
    EXPECT_FALSE(each->title.ends_with('.')) << each->id;
    EXPECT_TRUE(slugs.insert(each->slug).second) << each->slug;
    EXPECT_EQ(find_rule(each->slug), each);
    EXPECT_EQ(each->slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string::npos)
        << each->slug;
  }
}

/// A explains B, B explains A: both would vanish.
TEST(Catalogue, no_two_causes_explain_each_other) {
  for (const auto* each : all_rules()) {
    std::set<std::string_view> reached;
    std::vector<const Rule*> waiting{each};
    while (!waiting.empty()) {
      const auto* next = waiting.back();
      waiting.pop_back();
      for (const auto id : next->explains) {
        ASSERT_NE(id, each->id) << each->id << " is a consequence of itself";
        const auto* other = find_rule(id);
        if (other != nullptr && reached.insert(id).second) waiting.push_back(other);
      }
    }
  }
}

} // namespace
} // namespace gpuwhy::test
