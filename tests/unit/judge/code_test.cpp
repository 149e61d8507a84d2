// Machine and program judged together.
#include "facts/program_run.h"
#include "support/machine_bench.h"

#include <gtest/gtest.h>

using namespace gpuwhy;
using namespace gpuwhy::test;

namespace {

CodeFinding finding(const std::string& id, int line, Bearing bearing = Bearing::hides) {
  CodeFinding made;
  made.id = id;
  made.path = "train.py";
  made.line = static_cast<std::uint32_t>(line);
  made.bearing = bearing;
  made.message = "a reason";
  made.fix = "a change";
  made.lines = {"  the_line()"};
  return made;
}

struct Program : Machine {
  Program() {
    facts.program.path = facts.program.entry = "train.py";
    facts.program.files = {"train.py"};
    facts.program.frameworks = {"tensorflow"};
  }
  void find(CodeFinding made) { facts.program.findings.push_back(std::move(made)); }
  void sets(const std::string& name, const std::string& value, int line) {
    ProgramVariable made;
    made.name = name;
    made.value = value;
    made.path = "train.py";
    made.line = line;
    made.place = "train.py:" + std::to_string(line);
    made.text = name + " = " + value;
    facts.program.variables.push_back(made);
  }
  FrameworkVerdict run() {
    edit::run_program(facts);
    return verdict();
  }
  GateResult::State gate() const { return verdict().route.back().state; }
};

TEST(CodeGate, OnlyWithAProgram) {
  EXPECT_EQ(Machine().verdict().route.back().gate, Gate::visibility);
  Program program;
  EXPECT_EQ(program.verdict().route.back().gate, Gate::code);
  EXPECT_EQ(program.gate(), GateResult::State::passed);
  EXPECT_EQ(program.verdict().answer, Usable::gpu);
  EXPECT_EQ(program.verdict().program, "train.py");
}

TEST(CodeGate, UnknownWhereTheProgramIsNot) {
  Program program;
  program.facts.program.problem = "train.py: a binary file";
  EXPECT_EQ(program.gate(), GateResult::State::unknown);
  EXPECT_EQ(program.verdict().answer, Usable::gpu);
}

TEST(CodeGate, APinHidesAndItsRemovalIsProven) {
  Program program;
  program.find(finding("P01", 14));
  program.find(finding("P01", 30));
  const auto verdict = program.run();
  EXPECT_EQ(verdict.answer, Usable::no_gpu);
  ASSERT_EQ(verdict.causes.size(), 1U);
  const auto& cause = verdict.causes.front();
  EXPECT_EQ(cause.summary, "train.py:14: a reason (and 1 more place)");
  EXPECT_EQ(cause.evidence.front().text, "the_line()");
  EXPECT_EQ(cause.evidence.front().source.str(), "train.py:14");
  EXPECT_EQ(cause.fix->words, "train.py:14: a change; likewise train.py:30");
  EXPECT_TRUE(cause.fix->verified);
  EXPECT_TRUE(verdict.plan_reaches_gpu);
  EXPECT_EQ(program.gate(), GateResult::State::failed);
}

TEST(CodeGate, NotesDecideNothing) {
  Program program;
  program.find(finding("P08", 3, Bearing::note));
  EXPECT_EQ(program.run().answer, Usable::gpu);
  EXPECT_TRUE(program.run().causes.empty());
  EXPECT_EQ(judge(program.facts).findings.size(), 1U);
}

TEST(CodeGate, WhatBreaksIsListedAndFails) {
  Program program;
  program.find(finding("P06", 3, Bearing::breaks));
  const auto verdict = program.run();
  EXPECT_EQ(verdict.answer, Usable::gpu);
  EXPECT_EQ(verdict.causes.front().effect, Effect::breaks);
}

TEST(CodeGate, OfAnotherFrameworkIsNoneOfItsBusiness) {
  Program program;
  auto pin = finding("P01", 3);
  pin.framework = "torch";
  program.find(pin);
  EXPECT_EQ(program.run().answer, Usable::gpu);
  EXPECT_EQ(program.gate(), GateResult::State::passed);
}

TEST(CodeGate, TheMachineComesFirst) {
  Program program;
  program.remove_driver();
  program.find(finding("P01", 3));
  EXPECT_EQ(program.causes(), (Ids{"H03", "P01"}));
}

TEST(CodeGate, AVariableSetInCodeIsOneCause) {
  Program program;
  program.sets("CUDA_VISIBLE_DEVICES", "-1", 2);
  program.find(finding("P03", 2));
  const auto verdict = program.run();
  EXPECT_EQ(program.causes(), Ids{"P03"});
  EXPECT_TRUE(verdict.plan_reaches_gpu);
}

TEST(CodeGate, UnderItTheShellsValueComesBack) {
  Program program;
  set_variable(program.facts, "CUDA_VISIBLE_DEVICES", "",
               {origin("/home/u/.bashrc", 7, "export CUDA_VISIBLE_DEVICES=")});
  program.sets("CUDA_VISIBLE_DEVICES", "-1", 2);
  program.find(finding("P03", 2));
  program.run();
  EXPECT_EQ(program.causes(), (Ids{"P03", "E01"}));
  EXPECT_TRUE(program.plan_works());
}

TEST(CodeGate, TheProgramMayShowWhatTheShellHides) {
  Program program;
  set_variable(program.facts, "CUDA_VISIBLE_DEVICES", "-1", {});
  program.sets("CUDA_VISIBLE_DEVICES", "0", 2);
  EXPECT_EQ(program.run().answer, Usable::gpu);
  EXPECT_EQ(program.causes(), Ids{});
}

TEST(CodeGate, ANumberBeyondTheMachine) {
  Program program;
  program.sets("CUDA_VISIBLE_DEVICES", "1", 2);
  const auto verdict = program.run();
  EXPECT_EQ(program.causes(), Ids{"E02"});
  EXPECT_EQ(verdict.causes.front().fix->words,
            "train.py:2: remove the line that sets CUDA_VISIBLE_DEVICES");
  EXPECT_TRUE(verdict.causes.front().fix->commands.empty());
  EXPECT_TRUE(verdict.plan_reaches_gpu);
}

TEST(CodeGate, AMissingFrameworkIsTheCause) {
  Program program;
  program.facts.program.frameworks = {"torch", "tensorflow"};
  const auto verdict = program.run();
  EXPECT_EQ(verdict.framework, "torch");
  EXPECT_EQ(verdict.causes.front().id, "F01");
  EXPECT_EQ(judge(program.facts).frameworks.at(1).answer, Usable::gpu);
}

TEST(CodeGate, KerasIsInstalledWithTheBackendThatTheProgramNames) {
  Program program;
  program.facts.program.frameworks = {"keras"};
  program.sets("KERAS_BACKEND", "torch", 2);
  const auto verdict = program.run();
  EXPECT_EQ(verdict.causes.front().id, "F01");
  EXPECT_TRUE(verdict.causes.front().fix->commands.front().ends_with("install keras torch"))
      << verdict.causes.front().fix->commands.front();
}

TEST(ProgramRun, TooLateUnsetUnknownAndDefault) {
  Facts facts;
  facts.environment.looked = true;
  edit::set_variable(facts, "XLA_FLAGS", "--a");
  const auto add = [&](const std::string& name, auto change) {
    ProgramVariable made;
    made.name = name;
    made.value = "new";
    change(made);
    facts.program.variables.push_back(made);
  };
  add("XLA_FLAGS", [](auto& each) { each.yields = true; });
  add("JAX_PLATFORMS", [](auto& each) { each.yields = true; });
  add("KERAS_BACKEND", [](auto& each) { each.too_late = "read before"; });
  edit::run_program(facts);
  EXPECT_EQ(facts.environment.find("XLA_FLAGS")->value, "--a");
  EXPECT_EQ(facts.environment.find("JAX_PLATFORMS")->value, "new");
  EXPECT_EQ(facts.environment.find("KERAS_BACKEND"), nullptr);
  EXPECT_NE(set_by_program(facts, "JAX_PLATFORMS"), nullptr);
  edit::take_out(facts, "JAX_PLATFORMS");
  EXPECT_EQ(facts.environment.find("JAX_PLATFORMS"), nullptr);
  add("XLA_FLAGS", [](auto& each) { each.known = false; });
  facts.program.variables.erase(facts.program.variables.begin(), facts.program.variables.end() - 1);
  edit::run_program(facts);
  EXPECT_EQ(facts.environment.find("XLA_FLAGS"), nullptr);
  edit::take_out(facts, "XLA_FLAGS");
  EXPECT_EQ(facts.environment.find("XLA_FLAGS")->value, "--a");
}

} // namespace
