// From rulings to the answer: what counts, and what does not.
#include "judge/judge.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

/// A healthy machine about which nothing that matters is unknown.
Bench settled() {
  Bench bench;
  bench.facts.access.container = Fact<std::string>::absent(Source{}, "no mark of a container");
  bench.facts.access.wsl = Fact<std::string>::absent(Source{});
  bench.facts.access.dxg = Fact<bool>::known(false);
  for (auto* probe : {bench.facts.observed.cuda.get(), bench.facts.observed.cuda_unhidden.get()}) {
    probe->devices.front().multiprocessors = 128;
  }
  return bench;
}

FrameworkVerdict verdict_of(const Bench& bench) {
  return judge(bench.facts).frameworks.front();
}

TEST(Judge, AHealthyMachineUsesItsGpu) {
  const auto verdict = verdict_of(settled());
  EXPECT_EQ(verdict.answer, Usable::gpu) << join(verdict.unknown, "; ");
  EXPECT_TRUE(verdict.causes.empty());
}

TEST(Judge, AnUnknownThatCouldOnlyBreakTheUseLeavesTheAnswer) {
  auto bench = settled();
  bench.wheel_file("cudnn/lib/libcudnn.so.9").version = {};
  edit::uninstall_distribution(bench.python(), "nvidia-cudnn-cu12");
  EXPECT_EQ(bench.state("L04"), Outcome::State::unknown);
  const auto verdict = verdict_of(bench);
  EXPECT_EQ(verdict.answer, Usable::gpu);
  EXPECT_EQ(verdict.unknown.size(), 1U); // told all the same
}

TEST(Judge, HowManyMultiprocessorsMattersOnlyWithAVariableThatSetsTheLimit) {
  auto bench = settled();
  bench.facts.observed.cuda.value().devices.front().multiprocessors = 0; // not told
  EXPECT_EQ(verdict_of(bench).answer, Usable::gpu);
  set_variable(bench.facts, "TF_MIN_GPU_MULTIPROCESSOR_COUNT", "200");
  EXPECT_EQ(verdict_of(bench).answer, Usable::unknown);
}

TEST(Judge, AnUnknownThatCouldHideTheGpuMakesTheAnswerUnknown) {
  auto bench = settled();
  bench.facts.environment.looked = false;
  EXPECT_EQ(verdict_of(bench).answer, Usable::unknown);
}

TEST(Judge, WhatBreaksTheUseIsNamedAndTheGpuIsListed) {
  auto bench = settled();
  bench.wheel_file("cudnn/lib/libcudnn.so.9").version = Fact<std::string>::known("9.1.0");
  const auto verdict = verdict_of(bench);
  EXPECT_EQ(verdict.answer, Usable::gpu);
  ASSERT_FALSE(verdict.causes.empty());
  EXPECT_EQ(verdict.causes.front().id, "L04");
}

} // namespace
} // namespace gpuwhy::test
