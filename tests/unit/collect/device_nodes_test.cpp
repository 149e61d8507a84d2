#include "machines.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

const DeviceNode* node(const Facts& facts, const std::string& path) {
  for (const auto& candidate : facts.access.nodes.value()) {
    if (candidate.path == path) return &candidate;
  }
  return nullptr;
}

TEST(DeviceNodes, ThoseOfTheH100) {
  MemorySystem system;
  add_h100(system);
  const Facts facts = collected(kDeviceNodes, system);
  ASSERT_EQ(facts.access.nodes.value().size(), 3U); // capabilities and tools are none of ours
  const auto* gpu = node(facts, "/dev/nvidia0");
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->major, 195);
  EXPECT_EQ(gpu->minor, 0);
  EXPECT_EQ(gpu->mode, "0666");
  EXPECT_EQ(gpu->usable.state(), Fact<bool>::State::unknown);
  EXPECT_TRUE(node(facts, "/dev/nvidiactl")->usable.value());
  EXPECT_EQ(node(facts, "/dev/nvidiactl")->minor, 255);
  EXPECT_TRUE(node(facts, "/dev/nvidia-uvm")->usable.value());
  EXPECT_EQ(facts.access.uvm_major.value(), 238);
  EXPECT_TRUE(facts.access.root);
  EXPECT_EQ(facts.access.user_namespace.state(), Fact<std::string>::State::absent);
}

TEST(DeviceNodes, GpuNodesAreNeverOpened) {
  MemorySystem system;
  add_h100(system);
  system.add_device("/dev/nvidia0", 0666, 195, 0, EIO);
  EXPECT_NE(node(collected(kDeviceNodes, system), "/dev/nvidia0")->problem, "EIO");
}

TEST(DeviceNodes, RefusalsKeepTheirNames) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_device("/dev/nvidiactl", 0666, 195, 255, EPERM);
  system.add_device("/dev/nvidia-uvm", 0660, 238, 0, EACCES);
  const Facts facts = collected(kDeviceNodes, system);
  EXPECT_FALSE(node(facts, "/dev/nvidiactl")->usable.value());
  EXPECT_EQ(node(facts, "/dev/nvidiactl")->problem, "EPERM");
  EXPECT_EQ(node(facts, "/dev/nvidia-uvm")->problem, "EACCES");
}

TEST(DeviceNodes, PermissionBitsDecideForTheGpu) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_device("/dev/nvidia0", 0660, 195, 0);
  system.details("/dev/nvidia0").group = 44; // video
  EXPECT_EQ(node(collected(kDeviceNodes, system), "/dev/nvidia0")->problem, "EACCES");
  Identity member = identity_of("6.1.0");
  member.groups.push_back(44);
  system.set_identity(member);
  EXPECT_TRUE(node(collected(kDeviceNodes, system), "/dev/nvidia0")->usable.value());
}

TEST(DeviceNodes, ReadingAloneIsNotEnough) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_device("/dev/nvidia0", 0444, 195, 0);
  EXPECT_EQ(node(collected(kDeviceNodes, system), "/dev/nvidia0")->problem, "EACCES");
}

TEST(DeviceNodes, ControlGroupsOfVersionOneAreRead) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_device("/dev/nvidia0", 0666, 195, 0);
  system.add_device("/dev/nvidia1", 0666, 195, 1);
  system.add_file("/proc/self/cgroup", "5:devices:/slurm/uid_1000/job_7\n0::/\n");
  system.add_file("/sys/fs/cgroup/devices/slurm/uid_1000/job_7/devices.list",
                  "c 195:255 rwm\nc 195:1 rwm\nb *:* m\nc 136:*\n");
  const Facts facts = collected(kDeviceNodes, system);
  EXPECT_FALSE(node(facts, "/dev/nvidia0")->usable.value());
  EXPECT_EQ(node(facts, "/dev/nvidia0")->problem, "EPERM");
  EXPECT_TRUE(node(facts, "/dev/nvidia1")->usable.value());
  system.add_file("/sys/fs/cgroup/devices/slurm/uid_1000/job_7/devices.list", "a *:* rwm\n");
  EXPECT_TRUE(node(collected(kDeviceNodes, system), "/dev/nvidia0")->usable.value());
}

TEST(DeviceNodes, NoneIsAnAnswer) {
  MemorySystem system;
  add_docker_without_gpu(system);
  const Facts facts = collected(kDeviceNodes, system);
  ASSERT_TRUE(facts.access.nodes.known());
  EXPECT_TRUE(facts.access.nodes.value().empty());
  EXPECT_EQ(facts.access.uvm_major.state(), Fact<int>::State::absent);
}

TEST(DeviceNodes, WhatIsNoDeviceIsAProblem) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_file("/dev/nvidia0", "made by a careless touch(1)");
  system.add_fifo("/dev/nvidiactl");
  system.add_device("/dev/nvidia99999999999999999999", 0666, 1, 1);
  const Facts facts = collected(kDeviceNodes, system);
  EXPECT_TRUE(facts.access.nodes.value().empty());
  EXPECT_EQ(facts.problems.size(), 2U);
}

TEST(DeviceNodes, WithoutDevAndProcNothingIsSaid) {
  MemorySystem system;
  const Facts facts = collected(kDeviceNodes, system);
  EXPECT_EQ(facts.access.nodes.state(), Fact<std::vector<DeviceNode>>::State::unknown);
  EXPECT_EQ(facts.access.uvm_major.state(), Fact<int>::State::unknown);
  EXPECT_EQ(facts.access.user_namespace.state(), Fact<std::string>::State::unknown);
}

TEST(DeviceNodes, RootlessContainersMapTheirRoot) {
  MemorySystem system;
  system.add_file("/proc/self/uid_map", "         0       1000          1\n"
                                        "         1     100000      65536\n");
  EXPECT_EQ(collected(kDeviceNodes, system).access.user_namespace.value_or(""), "mapped");
}

} // namespace
} // namespace gpuwhy
