// A log held against a machine.
#include "judge/log.h"

#include "unit/render/samples.h"

#include <gtest/gtest.h>

using namespace gpuwhy;

namespace {

explain::Explanation log_saying(std::vector<explain::StatedFact> stated,
                                const std::string& cause = {}) {
  explain::Explanation log;
  log.stated = std::move(stated);
  if (cause.empty()) return log;
  log.whole.verdict = explain::Verdict::no_gpu;
  explain::NamedCause named;
  named.id = cause;
  named.slug = "a-slug";
  named.summary = "a sentence";
  named.evidence = {{12, 1, "a line", "says"}};
  log.whole.causes = {named};
  return log;
}

std::vector<std::string> contradictions(std::vector<explain::StatedFact> stated) {
  return compare_log("train.log", log_saying(std::move(stated)), samples::healthy()).contradictions;
}

using Lines = std::vector<std::string>;

TEST(LogAndMachine, OfTheSameEnvironment) {
  EXPECT_EQ(contradictions({{"tensorflow", "2.18.1", 1},
                            {"python", "3.11", 2},
                            {"driver", "550.54.15", 3},
                            {"gpu", "RTX 4090 (24GB)", 4},
                            {"cuda", "12.4", 5}}),
            Lines{});
}

TEST(LogAndMachine, OfAnotherOne) {
  EXPECT_EQ(contradictions({{"tensorflow", "2.10.0", 1}, {"tensorflow", "2.10.0", 9}}),
            Lines{"it says TensorFlow 2.10.0, this environment has 2.18.0"});
  EXPECT_EQ(contradictions({{"torch", "2.4.1", 1}}),
            Lines{"it says PyTorch 2.4.1, this environment has none"});
  EXPECT_EQ(contradictions({{"python", "3.9.12", 1}}),
            Lines{"it says Python 3.9.12, this environment has 3.11.7"});
  EXPECT_EQ(contradictions({{"driver", "525.60.13", 1}}),
            Lines{"it says driver 525.60.13, this machine has 550.54.14"});
  EXPECT_EQ(contradictions({{"gpu", "NVIDIA GeForce RTX 3090", 1}}),
            Lines{"it says NVIDIA GeForce RTX 3090, this machine has NVIDIA GeForce RTX 4090"});
}

TEST(LogAndMachine, WhatTellsNothingContradictsNothing) {
  EXPECT_EQ(
      contradictions(
          {{"gpu", "NVIDIA GeForce ...", 1}, {"tensorflow", "newest", 2}, {"os", "Windows 10", 3}}),
      Lines{});
  EXPECT_TRUE(
      compare_log("a", log_saying({{"python", "3.9", 1}}), Verdict{}).contradictions.empty());
}

TEST(LogAndMachine, ItsCauseIsFoundRuledOutOrOpen) {
  auto verdict = samples::one_cause();
  auto& framework = verdict.frameworks.front();
  framework.ruled_out = {"L03 cudnn-missing: cuDNN is found"};
  const auto found = compare_log("a", log_saying({}, framework.causes.front().id), verdict);
  EXPECT_EQ(found.causes.at(0).here, LogCause::Here::found);
  EXPECT_EQ(found.causes.at(0).line, 12U);
  EXPECT_FALSE(log_decides(found));
  const auto out = compare_log("a", log_saying({}, "L03"), verdict);
  EXPECT_EQ(out.causes.at(0).here, LogCause::Here::ruled_out);
  EXPECT_EQ(out.causes.at(0).reason, "cuDNN is found");
  EXPECT_FALSE(log_decides(out));
  const auto open = compare_log("a", log_saying({}, "R08"), verdict);
  EXPECT_EQ(open.causes.at(0).here, LogCause::Here::open);
  EXPECT_TRUE(log_decides(open));
  EXPECT_FALSE(log_decides(compare_log("a", log_saying({{"python", "3.8", 1}}, "R08"), verdict)));
}

} // namespace
