// The way to the GPU: least first, nothing needless, every other way proven too.
#include "judge/plan.h"
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using Words = std::vector<std::string>;

FrameworkVerdict verdict_of(const Bench& bench) {
  return judge(bench.facts).frameworks.front();
}

TEST(Reach, is_that_of_the_most_invasive_command) {
  const auto reach = [](const Words& commands) { return reach_of("words", commands); };
  EXPECT_EQ(reach({"unset LD_LIBRARY_PATH"}), Reach::shell);
  EXPECT_EQ(reach({"export A=b"}), Reach::shell);
  EXPECT_EQ(reach({"/v/bin/python -m pip install tensorflow"}), Reach::packages);
  EXPECT_EQ(reach({"uv pip install --python /v/bin/python jax"}), Reach::packages);
  EXPECT_EQ(reach({"/usr/bin/python3 -m venv .venv", ".venv/bin/python -m pip install x"}),
            Reach::environment);
  EXPECT_EQ(reach({"docker run --gpus all IMAGE"}), Reach::environment);
  EXPECT_EQ(reach({"unset A", "sudo ldconfig"}), Reach::system);
  EXPECT_EQ(reach({"sudo apt update", "sudo reboot"}), Reach::driver);
  EXPECT_EQ(reach_of("update the driver of the host", {}), Reach::driver);
  EXPECT_EQ(reach_of("use a newer GPU", {}), Reach::hardware);
}

TEST(Plan, a_variable_goes_before_root) {
  Machine machine; // a toolkit in a configured directory that ldconfig has not seen
  machine.remove_all_wheels();
  const std::string toolkit = "/usr/local/cuda-12.5/lib64";
  for (const std::string name :
       {"libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11",
        "libcurand.so.10", "libcusolver.so.11", "libcusparse.so.12", "libnvJitLink.so.12"})
    machine.add(toolkit + "/" + name);
  for (const std::string part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                                 "_engines_precompiled", "_engines_runtime_compiled"})
    machine.add(toolkit + "/libcudnn" + part + ".so.9", LibraryFile::Status::good, {}, "9.3.0");
  machine.facts.libraries.configured_directories = {toolkit};
  const auto verdict = verdict_of(machine);
  ASSERT_TRUE(verdict.plan_reaches_gpu);
  ASSERT_EQ(verdict.plan.size(), 1U);
  EXPECT_EQ(verdict.plan.front().commands, Words{"export LD_LIBRARY_PATH=" + toolkit});
  EXPECT_TRUE(verdict.plan.front().verified);
  std::vector<Reach> others;
  for (const auto& other : verdict.alternatives) others.push_back(other.steps.front().reach);
  EXPECT_EQ(others, (std::vector<Reach>{Reach::packages, Reach::system}));
}

TEST(Plan, an_older_build_goes_before_a_new_driver) {
  Machine machine;
  machine.facts.driver.module.value().version = "470.256.02";
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->driver_version = 11040;
  }
  machine.facts.observed.nvml = {};
  const auto verdict = verdict_of(machine);
  ASSERT_TRUE(verdict.plan_reaches_gpu) << join(verdict.unknown, "; ");
  EXPECT_EQ(verdict.causes.front().id, "H10");
  EXPECT_EQ(verdict.plan.front().reach, Reach::packages);
  ASSERT_FALSE(verdict.alternatives.empty());
  EXPECT_EQ(verdict.alternatives.back().steps.front().reach, Reach::driver);
}

TEST(Plan, every_way_leads_there_and_no_step_can_be_left_out) {
  Machine machine; // three faults at once
  machine.remove_wheel("cudnn");
  machine.add("/opt/x/libcufft.so.11", LibraryFile::Status::too_short, "file too short");
  machine.library_path("/opt/x");
  set_variable(machine.facts, "CUDA_VISIBLE_DEVICES", "-1");
  machine.facts.observed.cuda.value().init = 100;
  machine.facts.observed.cuda.value().count = 0;
  machine.facts.observed.cuda.value().devices.clear();
  const auto verdict = verdict_of(machine);
  ASSERT_TRUE(verdict.plan_reaches_gpu);
  EXPECT_EQ(verdict.plan.size(), 3U);
  EXPECT_TRUE(verdict.obstacle.empty());
}

TEST(Plan, without_a_gpu_nothing_that_is_typed_helps) {
  Machine machine;
  machine.no_gpus();
  const auto verdict = verdict_of(machine);
  EXPECT_FALSE(verdict.plan_reaches_gpu);
  EXPECT_TRUE(verdict.alternatives.empty());
  EXPECT_EQ(verdict.obstacle, verdict.causes.front().summary);
}

TEST(Plan, a_healthy_machine_needs_none) {
  const auto verdict = verdict_of(Machine());
  EXPECT_TRUE(verdict.plan.empty());
  EXPECT_TRUE(verdict.alternatives.empty());
  EXPECT_TRUE(verdict.obstacle.empty());
}

TEST(LibraryPath, grows_as_its_command_says) {
  Facts facts = healthy_facts();
  edit::extend_library_path(facts, "/a");
  EXPECT_EQ(facts.environment.find("LD_LIBRARY_PATH")->value, "/a");
  edit::extend_library_path(facts, "/b:/c");
  EXPECT_EQ(facts.environment.find("LD_LIBRARY_PATH")->value, "/a:/b:/c");
}

} // namespace
} // namespace gpuwhy::test
