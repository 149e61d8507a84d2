// The same properties over recorded machines and over machines that are broken in two ways at once.
#include "facts/json.h"
#include "judge/what_if.h"
#include "support/broken_machines.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <utility>

namespace gpuwhy::test {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The recorded ones, and each of them with one more fault that any machine can have.
std::vector<Named> recorded() {
  std::vector<Named> all;
  for (const std::string name : {"healthy", "broken"}) {
    const auto facts =
        read_snapshot(file_text(std::string(GPUWHY_SOURCE_DIR) + "/examples/" + name + ".json"));
    EXPECT_TRUE(facts) << name;
    if (!facts) continue;
    all.push_back({name, *facts});
    auto hidden = *facts;
    set_variable(hidden, "CUDA_VISIBLE_DEVICES", "-1");
    hidden.observed.cuda = {};
    all.push_back({name + ", hidden", hidden});
    auto unloaded = *facts;
    unloaded.driver.module = Fact<KernelModule>::absent({"/proc/driver/nvidia/version", 0});
    unloaded.observed = {};
    all.push_back({name + ", no module", unloaded});
    auto bare = *facts;
    for (auto& python : bare.pythons) python.frameworks.clear();
    all.push_back({name + ", no framework", bare});
  }
  return all;
}

/// Two faults at once: the facts of one machine with the environment and the Python of another.
std::vector<Named> pairs() {
  std::vector<Named> all;
  const auto each = machines();
  for (std::size_t i = 0; i < each.size(); ++i) {
    const auto& other = each[(i * 7 + 3) % each.size()];
    // A stub that only one half of the machine knows of contradicts the driver's answer.
    if (other.name == "stub in front") continue;
    auto facts = each[i].facts;
    facts.environment = other.facts.environment;
    facts.pythons = other.facts.pythons;
    facts.libraries = other.facts.libraries;
    all.push_back({each[i].name + " + " + other.name, facts});
  }
  return all;
}

std::vector<Named> both() {
  auto all = recorded();
  for (auto& each : pairs()) all.push_back(std::move(each));
  return all;
}

TEST(Mutations, same_facts_same_verdict) {
  for (const auto& machine : both()) {
    const auto again = read_snapshot(write_snapshot(machine.facts));
    ASSERT_TRUE(again) << machine.name;
    EXPECT_EQ(text_of(judge(*again)), text_of(judge(machine.facts))) << machine.name;
  }
}

TEST(Mutations, every_gate_is_labelled) {
  for (const auto& machine : both()) {
    for (const auto& verdict : judge(machine.facts).frameworks) {
      ASSERT_EQ(verdict.route.size(), static_cast<std::size_t>(Gate::code)) << machine.name;
      for (const auto& gate : verdict.route) {
        EXPECT_EQ(gate.reason.empty(), gate.state == GateResult::State::passed)
            << machine.name << ": " << name_of(gate.gate);
      }
    }
  }
}

TEST(Mutations, a_proven_plan_has_only_proven_steps_and_an_unproven_one_says_why) {
  int proven = 0;
  for (const auto& machine : both()) {
    for (const auto& verdict : judge(machine.facts).frameworks) {
      if (!verdict.plan_reaches_gpu) {
        EXPECT_TRUE(verdict.alternatives.empty()) << machine.name;
        continue;
      }
      ++proven;
      EXPECT_FALSE(verdict.plan.empty()) << machine.name;
      std::vector<Plan> ways{{verdict.plan}};
      ways.insert(ways.end(), verdict.alternatives.begin(), verdict.alternatives.end());
      for (const auto& way : ways) {
        for (const auto& step : way.steps)
          EXPECT_TRUE(step.verified) << machine.name << ": " << step.words;
      }
    }
  }
  EXPECT_GE(proven, 10);
}

/// Without any one of its steps a plan does not end in a GPU about which nothing is found.
TEST(Mutations, no_step_can_be_left_out) {
  int tried = 0;
  for (const auto& machine : both()) {
    const auto verdict = judge(machine.facts).frameworks.front();
    if (!verdict.plan_reaches_gpu || verdict.plan.size() < 2) continue;
    for (std::size_t gap = 0; gap < verdict.plan.size(); ++gap) {
      std::vector<std::string> commands;
      bool supposable = true;
      for (std::size_t i = 0; i < verdict.plan.size(); ++i) {
        const auto& step = verdict.plan[i];
        supposable = supposable && step.reach <= Reach::packages && !step.commands.empty();
        if (i != gap) commands.insert(commands.end(), step.commands.begin(), step.commands.end());
      }
      if (!supposable) continue;
      const auto answer = what_if(machine.facts, commands);
      ASSERT_TRUE(answer) << machine.name;
      const auto& after = answer->after.frameworks.front();
      EXPECT_TRUE(after.answer != Usable::gpu || !after.causes.empty())
          << machine.name << ": without " << verdict.plan[gap].words;
      ++tried;
    }
  }
  EXPECT_GE(tried, 2);
}

TEST(Mutations, hiding_a_fact_makes_no_finding) {
  std::size_t turn = 0;
  for (const auto& machine : both()) {
    const auto known = found_in(judge(machine.facts).frameworks.front());
    auto changed = Json::parse(write_snapshot(machine.facts));
    std::vector<std::string> paths;
    collect_facts(changed["facts"], "", paths);
    // One in 97, others for each machine: all of them take minutes.
    for (std::size_t i = turn++ % 97; i < paths.size(); i += 97) {
      auto& place = changed["facts"][Json::json_pointer(paths[i])];
      auto kept = std::exchange(place, Json{{"unknown", "Permission denied"}});
      const auto facts = read_snapshot(changed.dump());
      place = std::move(kept);
      ASSERT_TRUE(facts) << paths[i];
      const auto cases = cases_of(*facts);
      for (const auto& ruling : ask_rules(cases.front()).found) {
        EXPECT_TRUE(may_show(*ruling.rule, known))
            << machine.name << ": hiding " << paths[i] << " makes " << ruling.rule->id;
      }
    }
  }
}

} // namespace
} // namespace gpuwhy::test
