// Properties over many machines: the verdict is a function of the facts, hiding any one fact never
// makes a finding that was not there, and a proven plan ends in `gpu`.
#include "facts/json.h"
#include "judge/what_if.h"
#include "support/broken_machines.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace gpuwhy::test {
namespace {

TEST(JudgeProperties, same_facts_same_verdict) {
  for (const auto& machine : machines()) {
    const auto again = read_snapshot(write_snapshot(machine.facts));
    ASSERT_TRUE(again) << machine.name;
    EXPECT_EQ(text_of(judge(machine.facts)), text_of(judge(machine.facts))) << machine.name;
    EXPECT_EQ(text_of(judge(*again)), text_of(judge(machine.facts))) << machine.name;
  }
}

TEST(JudgeProperties, every_broken_machine_has_a_cause_and_the_healthy_none) {
  for (const auto& machine : machines()) {
    const auto verdict = judge(machine.facts).frameworks.front();
    const bool good =
        machine.name == "healthy" || machine.name == "wsl" || machine.name == "no python";
    EXPECT_EQ(verdict.causes.empty(), good) << machine.name;
    if (machine.name == "healthy") {
      EXPECT_EQ(verdict.answer, Usable::gpu);
    } else if (machine.name == "no python") {
      EXPECT_EQ(verdict.answer, Usable::unknown);
    } else if (machine.name == "old cudnn in front") {
      EXPECT_EQ(verdict.answer, Usable::gpu); // listed, and it breaks later
    } else if (!good) {
      EXPECT_EQ(verdict.answer, Usable::no_gpu) << machine.name;
    }
  }
}

TEST(JudgeProperties, a_proven_plan_ends_in_gpu) {
  for (const auto& machine : machines()) {
    const auto verdict = judge(machine.facts).frameworks.front();
    if (!verdict.plan_reaches_gpu) continue;
    for (const auto& step : verdict.plan)
      EXPECT_TRUE(step.verified) << machine.name << ": " << step.words;
    EXPECT_LE(verdict.plan.size(), verdict.causes.size()) << machine.name;
  }
}

/// Every way that is told: its commands, typed one after the other where gpuwhy can suppose them,
/// end in gpu.
TEST(JudgeProperties, a_plan_typed_into_what_if_ends_in_gpu) {
  int typed = 0;
  for (const auto& machine : machines()) {
    const auto verdict = judge(machine.facts).frameworks.front();
    if (!verdict.plan_reaches_gpu) continue;
    std::vector<std::vector<Fix>> ways{verdict.plan};
    for (const auto& other : verdict.alternatives) ways.push_back(other.steps);
    for (const auto& steps : ways) {
      std::vector<std::string> commands;
      bool supposable = true;
      for (const auto& step : steps) {
        supposable = supposable && step.reach <= Reach::packages && !step.commands.empty();
        commands.insert(commands.end(), step.commands.begin(), step.commands.end());
      }
      if (!supposable) continue;
      const auto answer = what_if(machine.facts, commands);
      ASSERT_TRUE(answer) << machine.name << ": " << answer.error().message;
      const auto& after = answer->after.frameworks.front();
      EXPECT_EQ(after.answer, Usable::gpu) << machine.name << ": " << join(commands, "; ");
      ++typed;
    }
  }
  EXPECT_GE(typed, 6);
}

TEST(JudgeProperties, every_gate_has_a_state_and_what_is_not_passed_a_reason) {
  for (const auto& machine : machines()) {
    const auto verdict = judge(machine.facts).frameworks.front();
    EXPECT_EQ(verdict.route.size(), static_cast<std::size_t>(Gate::code)) << machine.name;
    for (std::size_t i = 0; i < verdict.route.size(); ++i) {
      const auto& gate = verdict.route[i];
      EXPECT_EQ(gate.gate, kGates[i].gate) << machine.name;
      EXPECT_EQ(gate.reason.empty(), gate.state == GateResult::State::passed)
          << machine.name << ": " << name_of(gate.gate);
    }
  }
}

TEST(JudgeProperties, causes_are_told_once) {
  for (const auto& machine : machines()) {
    std::set<std::string> ids;
    const auto verdict = judge(machine.facts).frameworks.front();
    for (const auto& cause : verdict.causes) {
      EXPECT_TRUE(ids.insert(cause.id).second) << machine.name << ": " << cause.id;
    }
  }
}

/// `state` is what nobody looked at (null) or what could not be looked at.
void hide_each(const Json& state) {
  for (const auto& machine : machines()) {
    const auto before = judge(machine.facts).frameworks.front();
    const auto known = found_in(before);
    auto changed = Json::parse(write_snapshot(machine.facts));
    std::vector<std::string> paths;
    collect_facts(changed["facts"], "", paths);
    ASSERT_GT(paths.size(), 10U);
    if (state.is_null()) paths.emplace_back("/environment");
    for (const auto& path : paths) {
      auto& place = changed["facts"][Json::json_pointer(path)];
      auto kept = std::exchange(place, path == "/environment" ? Json::object() : state);
      const auto facts = read_snapshot(changed.dump());
      place = std::move(kept);
      ASSERT_TRUE(facts) << path << ": " << facts.error().message;
      const auto cases = cases_of(*facts);
      const auto after = ask_rules(cases.front()).found;
      for (const auto& ruling : after) {
        EXPECT_TRUE(may_show(*ruling.rule, known))
            << machine.name << ": hiding " << path << " makes " << ruling.rule->id;
      }
      // Where something still hides the GPU, the answer is no_gpu.
      if (before.answer == Usable::no_gpu && std::none_of(after.begin(), after.end(), hides)) {
        EXPECT_NE(judge(*facts).frameworks.front().answer, Usable::gpu)
            << machine.name << ": hiding " << path;
      }
    }
  }
}

TEST(JudgeProperties, what_nobody_looked_at_makes_no_finding) {
  hide_each(nullptr);
}

TEST(JudgeProperties, what_could_not_be_seen_makes_no_finding) {
  hide_each({{"unknown", "Permission denied"}});
}

TEST(JudgeProperties, nothing_looked_at_concludes_nothing) {
  const auto verdict = judge(Facts{}).frameworks.front();
  EXPECT_EQ(verdict.answer, Usable::unknown);
  EXPECT_TRUE(verdict.plan.empty());
}

} // namespace
} // namespace gpuwhy::test
