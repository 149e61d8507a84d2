// H07 H13 H14 H17 C04 to C07 R01: states of the driver, of containers and schedulers that facts
// settle.
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

void driver_answers(Bench& bench, int code, const std::string& library = {}) {
  CudaProbe probe;
  probe.init = code;
  probe.library = library.empty() ? kSystemLibraries + "/libcuda.so.550.54.14" : library;
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden =
      Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
}

NvmlDevice& nvml_device(Bench& bench) {
  NvmlProbe probe;
  NvmlDevice device;
  device.name = "NVIDIA GeForce RTX 4090";
  device.memory_total = Fact<std::uint64_t>::known(24ULL << 30U);
  device.memory_free = Fact<std::uint64_t>::known(23ULL << 30U);
  device.compute_mode = Fact<int>::known(0);
  device.mig = Fact<bool>::known(false);
  probe.devices = {device};
  bench.facts.observed.nvml = Fact<NvmlProbe>::known(probe, {"probe nvml", 0});
  return bench.facts.observed.nvml.value().devices.front();
}

TEST(H07, lost) {
  Bench bench;
  EXPECT_EQ(bench.state("H07"), State::clear);
  driver_answers(bench, 100);
  nvml_device(bench).error = Fact<int>::known(15);
  EXPECT_EQ(bench.state("H07"), State::found);
  nvml_device(bench);
  bench.facts.driver.kernel_log = Fact<std::vector<KernelLogLine>>::known(
      {{"NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0x56:1474)"}});
  EXPECT_EQ(bench.state("H07"), State::found);
  bench.facts.driver.kernel_log = Fact<std::vector<KernelLogLine>>::known({});
  EXPECT_EQ(bench.state("H07"), State::clear);
  bench.facts.driver.kernel_log =
      Fact<std::vector<KernelLogLine>>::unknown("dmesg: Operation not permitted");
  bench.facts.observed.nvml = Fact<NvmlProbe>::unknown("deadline passed");
  EXPECT_EQ(bench.state("H07"), State::unknown);
}

TEST(H13, compute_mode) {
  Bench bench;
  EXPECT_EQ(bench.state("H13"), State::not_applicable); // nobody told
  auto& device = nvml_device(bench);
  EXPECT_EQ(bench.state("H13"), State::clear);
  device.compute_mode = Fact<int>::known(3);
  EXPECT_EQ(bench.state("H13"), State::clear);
  device.processes = Fact<std::vector<GpuProcess>>::known({{4711, 1U << 30U}});
  EXPECT_EQ(bench.state("H13"), State::found);
  device.compute_mode = Fact<int>::known(2);
  EXPECT_EQ(bench.state("H13"), State::found);
  EXPECT_TRUE(bench.first_edit_mends("H13"));
}

TEST(H14, fabric_manager_and_mig) {
  Bench bench;
  EXPECT_EQ(bench.state("H14"), State::clear);
  driver_answers(bench, 802);
  EXPECT_EQ(bench.state("H14"), State::found);
  driver_answers(bench, 100);
  nvml_device(bench).mig = Fact<bool>::known(true);
  EXPECT_EQ(bench.state("H14"), State::found);
  nvml_device(bench);
  EXPECT_EQ(bench.state("H14"), State::clear);
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden = {};
  EXPECT_EQ(bench.state("H14"), State::not_applicable);
}

TEST(H17, compat) {
  Bench bench;
  EXPECT_EQ(bench.state("H17"), State::clear);
  driver_answers(bench, 804);
  EXPECT_EQ(bench.state("H17"), State::found);
  driver_answers(bench, 803);
  EXPECT_EQ(bench.state("H17"), State::clear); // H05
  const std::string compat = "/usr/local/cuda-12.6/compat/libcuda.so.560.35.05";
  driver_answers(bench, 803, compat);
  bench.library_path("/usr/local/cuda-12.6/compat");
  const auto outcome = bench.ask("H17");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.edits.front().words, "LD_LIBRARY_PATH"))
      << outcome.edits.front().words;
}

TEST(C04, colab_without_gpu) {
  Bench bench;
  EXPECT_EQ(bench.state("C04"), State::not_applicable);
  set_variable(bench.facts, "COLAB_RELEASE_TAG", "release-colab_20250101");
  EXPECT_EQ(bench.state("C04"), State::clear);
  bench.facts.observed = {};
  bench.facts.driver.module = Fact<KernelModule>::absent({"/proc/driver/nvidia/version", 0});
  bench.facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({});
  bench.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({});
  EXPECT_EQ(bench.state("C04"), State::found);
  bench.facts.hardware.gpus = Fact<std::vector<PciGpu>>::unknown("sysfs: not readable");
  bench.facts.access.nodes = Fact<std::vector<DeviceNode>>::unknown("/dev: not readable");
  EXPECT_EQ(bench.state("C04"), State::unknown);
}

TEST(C05, virtual_machines) {
  Bench bench;
  EXPECT_EQ(bench.state("C05"), State::clear);
  bench.facts.hardware.gpus.value().front().driver = Fact<std::string>::known("vfio-pci");
  EXPECT_EQ(bench.state("C05"), State::found);
  bench.facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({});
  EXPECT_EQ(bench.state("C05"), State::not_applicable); // no virtual machine: H01
  bench.facts.hardware.virtual_machine = Fact<std::string>::known("kvm");
  bench.facts.driver.installed_package =
      Fact<std::string>::known("nvidia-driver-550 550.54.14 (dpkg)");
  EXPECT_EQ(bench.state("C05"), State::found);
  bench.facts.hardware.gpus = Fact<std::vector<PciGpu>>::unknown("sysfs: not readable");
  EXPECT_EQ(bench.state("C05"), State::unknown);
}

TEST(C06, revoked) {
  Bench bench;
  bench.facts.access.container = Fact<std::string>::known("docker");
  DeviceNode node;
  node.path = "/dev/nvidiactl";
  node.mode = "0666";
  node.usable = Fact<bool>::known(true);
  bench.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({node});
  EXPECT_EQ(bench.state("C06"), State::clear);
  node.usable = Fact<bool>::known(false);
  node.problem = "EPERM";
  bench.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({node});
  EXPECT_EQ(bench.state("C06"), State::not_applicable); // was never given the driver: C01
  bench.facts.access.driver_mounts =
      Fact<std::vector<std::string>>::known({"/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14"});
  EXPECT_EQ(bench.state("C06"), State::found);
}

TEST(C07, job_without_gpu) {
  Bench bench;
  EXPECT_EQ(bench.state("C07"), State::not_applicable);
  bench.facts.access.scheduler = Fact<std::string>::known("slurm job 42", {"$SLURM_JOB_ID", 0});
  bench.facts.access.scheduler_gpus = Fact<std::vector<std::string>>::known({});
  EXPECT_EQ(bench.state("C07"), State::clear); // the driver shows one all the same
  driver_answers(bench, 100);
  const auto outcome = bench.ask("C07");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.edits.front().commands.front(), "sbatch --gres=gpu:1 JOB.sh");
  bench.facts.access.scheduler_gpus = Fact<std::vector<std::string>>::known({"SLURM_JOB_GPUS=0"});
  EXPECT_EQ(bench.state("C07"), State::clear);
  bench.facts.access.scheduler_gpus = Fact<std::vector<std::string>>::unknown("not readable");
  EXPECT_EQ(bench.state("C07"), State::unknown);
}

TEST(R01, memory_is_taken) {
  Bench bench;
  EXPECT_EQ(bench.state("R01"), State::not_applicable);
  auto& device = nvml_device(bench);
  EXPECT_EQ(bench.state("R01"), State::clear);
  device.memory_free = Fact<std::uint64_t>::known(200ULL << 20U);
  device.processes = Fact<std::vector<GpuProcess>>::known({{4711, 23ULL << 30U}});
  const auto outcome = bench.ask("R01");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.edits.front().commands.front(), "kill 4711");
  EXPECT_TRUE(bench.first_edit_mends("R01"));
  nvml_device(bench).memory_free = Fact<std::uint64_t>::unknown("NVML: not supported");
  EXPECT_EQ(bench.state("R01"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
