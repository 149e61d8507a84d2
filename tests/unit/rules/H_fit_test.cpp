// H10 H11 H12 H16: do driver, GPU and build fit together?
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

void set_driver(Machine& machine, const std::string& version, int cuda) {
  if (auto* module = machine.facts.driver.module.get()) module->version = version;
  machine.facts.observed.nvml.value().driver_version = version;
  machine.facts.observed.nvml.value().cuda_version = cuda;
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->driver_version = cuda;
    probe->library = kSystemLibraries + "/libcuda.so." + version;
  }
}

void set_gpu(Machine& machine, const std::string& name, ComputeCapability capability) {
  machine.gpu().product = Fact<std::string>::known(name);
  machine.gpu().compute_capability = Fact<ComputeCapability>::known(capability);
  machine.facts.observed.nvml.value().devices.front().compute_capability =
      Fact<ComputeCapability>::known(capability);
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->devices.front().name = name;
    probe->devices.front().compute_capability = capability;
  }
}

TEST(H10, older_than_the_major_release_needs) {
  Machine machine;
  set_driver(machine, "470.256.02", 11040);
  const auto outcome = machine.ask("H10");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(
      contains(outcome.text, "driver 470.256.02 (CUDA 11.4) is too old for TensorFlow 2.18.0"))
      << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "525.60.13 or newer")) << outcome.text;
  EXPECT_EQ(machine.causes(), Ids{"H10"});
  EXPECT_TRUE(machine.first_edit_mends("H10"));
}

TEST(H10, any_driver_of_the_major_release_will_do) {
  Machine machine; // CUDA 12.5 on a driver that came with 12.0
  set_driver(machine, "525.60.13", 12000);
  EXPECT_EQ(machine.state("H10"), State::clear);
  EXPECT_EQ(machine.causes(), Ids{});
}

TEST(H10, before_cuda_11_each_minor_counts) {
  Machine machine;
  machine.build().cuda_version = Fact<std::string>::known("10.1");
  set_driver(machine, "410.48", 10000);
  EXPECT_EQ(machine.state("H10"), State::found);
  set_driver(machine, "418.39", 10010);
  EXPECT_EQ(machine.state("H10"), State::clear);
}

TEST(H10, a_compatibility_library_lifts_the_driver) {
  Machine machine;
  set_driver(machine, "470.256.02", 12040);
  const std::string compat = "/usr/local/cuda-12.4/compat/libcuda.so.550.54.14";
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->library = compat;
  }
  EXPECT_EQ(machine.state("H10"), State::clear);
}

TEST(H10, in_wsl_the_cuda_version_decides) {
  Machine machine; // Windows' 552.44 is no Linux number
  machine.facts.access.wsl = Fact<std::string>::known("2");
  machine.facts.driver.module = Fact<KernelModule>::absent(Source{});
  set_driver(machine, "470.256.02", 11040);
  EXPECT_EQ(machine.state("H10"), State::found);
  set_driver(machine, "470.256.02", 12040);
  EXPECT_EQ(machine.state("H10"), State::clear);
}

TEST(H10, does_not_arise_for_a_cpu_build) {
  Machine machine;
  set_driver(machine, "470.256.02", 11040);
  machine.build().cuda = Fact<bool>::known(false);
  EXPECT_EQ(machine.state("H10"), State::not_applicable);
}

TEST(H10, unknown_without_a_number) {
  Machine build;
  build.build().cuda_version = Fact<std::string>::unknown("build_info.py: broken");
  EXPECT_EQ(build.state("H10"), State::unknown);
  Machine driver;
  driver.cuda_unasked();
  driver.facts.driver.module = Fact<KernelModule>::unknown("/proc: not mounted");
  EXPECT_EQ(driver.state("H10"), State::unknown);
}

TEST(H11, below_what_tensorflow_takes) {
  Machine machine;
  set_gpu(machine, "Quadro K2000", {3, 0});
  const auto outcome = machine.ask("H11");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::hides);
  EXPECT_TRUE(contains(outcome.text, "takes GPUs from 3.5 on")) << outcome.text;
  EXPECT_EQ(machine.causes().front(), "H11");
  EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
}

TEST(H11, listed_but_without_code) {
  Machine machine;
  set_gpu(machine, "GeForce GTX 980", {5, 2});
  const auto outcome = machine.ask("H11");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_NE(outcome.effect.value_or(rule("H11").effect),
            Effect::hides); // TensorFlow lists it, and fails
  EXPECT_TRUE(contains(outcome.text, "it starts at 6.0")) << outcome.text;
  EXPECT_EQ(machine.causes().front(), "H11");
}

TEST(H11, the_binaries_count_more_than_what_is_stated) {
  Machine machine;
  set_gpu(machine, "GeForce GTX 980", {5, 2});
  machine.build().sass = Fact<std::vector<std::string>>::known({"5.0", "8.0"});
  machine.build().ptx = Fact<std::vector<std::string>>::known({});
  EXPECT_EQ(machine.state("H11"), State::clear);
}

TEST(H11, clear_and_unknown) {
  Machine machine;
  EXPECT_EQ(machine.state("H11"), State::clear);
  machine.build().compute_capabilities.clear();
  EXPECT_EQ(machine.state("H11"), State::unknown);
  Machine unnamed;
  unnamed.cuda_unasked();
  unnamed.gpu().compute_capability =
      Fact<ComputeCapability>::unknown("device 10de:ffff is not in the table");
  EXPECT_EQ(unnamed.state("H11"), State::unknown);
}

TEST(H12, newer_than_the_code_and_no_ptx) {
  Machine machine;
  set_gpu(machine, "GeForce RTX 5090", {12, 0});
  machine.build().compute_capabilities = {"sm_80", "sm_89", "sm_90"};
  const auto outcome = machine.ask("H12");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "no code that runs on the GeForce RTX 5090 (sm_120)"))
      << outcome.text;
  EXPECT_EQ(machine.causes().front(), "H12");
}

TEST(H12, ptx_works_where_the_driver_can_read_it) {
  Machine machine;
  set_gpu(machine, "GeForce RTX 5090", {12, 0});
  set_driver(machine, "570.124.06", 12080);
  EXPECT_EQ(machine.state("H12"), State::clear); // compute_90, of CUDA 12.5
  set_driver(machine, "550.54.14", 12040);
  const auto outcome = machine.ask("H12");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "newer than the driver can compile")) << outcome.text;
}

TEST(H12, code_for_one_chip_alone_runs_on_no_other) {
  Machine machine;
  set_gpu(machine, "B200", {10, 0});
  machine.build().compute_capabilities = {"sm_90a"};
  EXPECT_EQ(machine.state("H12"), State::found);
}

TEST(H12, clear_and_unknown) {
  Machine machine;
  EXPECT_EQ(machine.state("H12"), State::clear);
  machine.build().compute_capabilities.clear();
  EXPECT_EQ(machine.state("H12"), State::unknown);
}

void set_multiprocessors(Machine& machine, const std::vector<int>& counts) {
  auto& probe = machine.facts.observed.cuda.value();
  const auto device = probe.devices.front();
  probe.devices.clear();
  probe.count = 0;
  for (const int count : counts) {
    probe.devices.push_back(device);
    probe.devices.back().multiprocessors = count;
    probe.devices.back().ordinal = probe.count++;
  }
  machine.facts.observed.cuda_unhidden = machine.facts.observed.cuda;
}

TEST(H16, the_weaker_of_two) {
  Machine machine;
  set_multiprocessors(machine, {128, 5});
  const auto outcome = machine.ask("H16");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::slows); // the other one is used
  EXPECT_EQ(machine.verdict().answer, Usable::gpu);
  EXPECT_EQ(outcome.edits.front().commands.front(), "export TF_MIN_GPU_MULTIPROCESSOR_COUNT=5");
  EXPECT_TRUE(machine.first_edit_mends("H16"));
}

TEST(H16, the_variable_leaves_out_all) {
  Machine machine;
  set_multiprocessors(machine, {46});
  set_variable(machine.facts, "TF_MIN_GPU_MULTIPROCESSOR_COUNT", "80",
               {origin("/home/u/.bashrc", 7, "export TF_MIN_GPU_MULTIPROCESSOR_COUNT=80")});
  const auto outcome = machine.ask("H16");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::hides);
  EXPECT_EQ(machine.causes(), Ids{"H16"});
  EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
  EXPECT_TRUE(machine.first_edit_mends("H16"));
}

TEST(H16, a_bad_value_means_eight) {
  Machine machine;
  set_multiprocessors(machine, {6});
  set_variable(machine.facts, "TF_MIN_GPU_MULTIPROCESSOR_COUNT", "many");
  EXPECT_EQ(machine.state("H16"), State::found);
}

TEST(H16, the_best_gpu_is_never_left_out_by_itself) {
  Machine machine;
  set_multiprocessors(machine, {2});
  EXPECT_EQ(machine.state("H16"), State::clear);
}

TEST(H16, unknown_without_a_count) {
  Machine machine;
  set_multiprocessors(machine, {0});
  EXPECT_EQ(machine.state("H16"), State::unknown);
  machine.cuda_unasked();
  EXPECT_EQ(machine.state("H16"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
