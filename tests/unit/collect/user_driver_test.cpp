#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Libraries = Fact<std::vector<DriverLibrary>>;

const DriverLibrary* library(const Libraries& libraries, const std::string& path) {
  for (const auto& candidate : libraries.value()) {
    if (candidate.path == path) return &candidate;
  }
  return nullptr;
}

TEST(UserDriver, H100HasADriverALinkToItAndACompatibilityPackage) {
  MemorySystem system;
  add_h100(system);
  const auto found = collected(kUserDriver, system).driver.libcuda;
  ASSERT_EQ(found.value().size(), 3U);
  const auto* driver = library(found, "/usr/local/nvidia/lib64/libcuda.so.1");
  ASSERT_NE(driver, nullptr);
  EXPECT_EQ(driver->version.value_or(""), "580.159.04");
  EXPECT_FALSE(driver->stub);
  EXPECT_FALSE(driver->compat);
  const auto* link = library(found, "/usr/lib/libcuda.so.1");
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->real_path, "/usr/local/nvidia/lib64/libcuda.so.580.159.04");
  const auto* compat = library(found, "/usr/local/cuda/compat/libcuda.so.1");
  ASSERT_NE(compat, nullptr);
  EXPECT_TRUE(compat->compat);
  EXPECT_EQ(compat->version.value_or(""), "580.95.05");
}

TEST(UserDriver, MismatchShowsInTheNames) {
  MemorySystem system;
  const std::string base = "/usr/lib/x86_64-linux-gnu/";
  system.add_file(base + "libcuda.so.550.120", std::string(2U << 20U, '\0'));
  system.add_link(base + "libcuda.so.1", "libcuda.so.550.120");
  system.add_file("/proc/driver/nvidia/version",
                  "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.107.02  Wed Jul 24\n");
  Facts facts = collected(kUserDriver, system);
  kKernelModules.collect(system, {}, facts);
  EXPECT_EQ(facts.driver.libcuda.value()[0].version.value_or(""), "550.120");
  EXPECT_EQ(facts.driver.module.value().version, "550.107.02");
}

TEST(UserDriver, WslLibraryIsNoStub) {
  MemorySystem system;
  add_wsl2(system);
  const auto found = collected(kUserDriver, system).driver.libcuda;
  ASSERT_EQ(found.value().size(), 1U);
  EXPECT_EQ(found.value()[0].path, "/usr/lib/wsl/lib/libcuda.so.1");
  EXPECT_FALSE(found.value()[0].stub);
  EXPECT_FALSE(found.value()[0].version.known());
}

TEST(UserDriver, StubsByPlaceAndBySize) {
  MemorySystem system;
  const std::string stubs = "/usr/local/cuda-12.4/lib64/stubs/";
  system.add_file(stubs + "libcuda.so", std::string(70'368, '\0'));
  system.add_link(stubs + "libcuda.so.1", "libcuda.so");
  system.add_file("/opt/conda/lib/libcuda.so.1", std::string(70'368, '\0'));
  system.set_variable("CONDA_PREFIX", "/opt/conda");
  const auto found = collected(kUserDriver, system).driver.libcuda;
  ASSERT_EQ(found.value().size(), 2U);
  EXPECT_TRUE(library(found, stubs + "libcuda.so.1")->stub);
  EXPECT_TRUE(library(found, "/opt/conda/lib/libcuda.so.1")->stub);
}

TEST(UserDriver, NoneIsAnAnswer) {
  MemorySystem system;
  add_docker_without_gpu(system);
  const Facts facts = collected(kUserDriver, system);
  ASSERT_TRUE(facts.driver.libcuda.known());
  EXPECT_TRUE(facts.driver.libcuda.value().empty());
  EXPECT_TRUE(facts.driver.libnvidia_ml.value().empty());
}

TEST(UserDriver, WhatCannotBeLookedAtLeavesItOpen) {
  MemorySystem system;
  system.add_file("/opt/secret/libcuda.so.1");
  system.unreadable("/opt/secret");
  system.set_variable("LD_LIBRARY_PATH", "/opt/secret");
  const Facts facts = collected(kUserDriver, system);
  EXPECT_EQ(facts.driver.libcuda.state(), Libraries::State::unknown);
  EXPECT_FALSE(facts.problems.empty());
}

TEST(UserDriver, BrokenLinksAndOddFilesAreNoLibraries) {
  MemorySystem system;
  system.add_link("/usr/lib/libcuda.so.1", "libcuda.so.470.57.02");
  system.add_fifo("/usr/lib64/libcuda.so.1");
  system.add_directory("/usr/local/lib/libcuda.so.1");
  const Facts facts = collected(kUserDriver, system);
  ASSERT_TRUE(facts.driver.libcuda.known());
  EXPECT_TRUE(facts.driver.libcuda.value().empty());
  EXPECT_EQ(facts.problems.size(), 3U);
}

TEST(UserDriver, LibraryPathElementsAreReadAsTheLoaderDoes) {
  MemorySystem system;
  system.set_identity(identity_of("6.1.0"));
  system.add_file("/home/ada/project/libcuda.so.1", std::string(10, '\0'));
  system.add_file("/home/ada/project/sub/libcuda.so.1", std::string(10, '\0'));
  system.set_variable("LD_LIBRARY_PATH", "sub::/none;/other");
  const auto found = collected(kUserDriver, system).driver.libcuda;
  ASSERT_EQ(found.value().size(), 2U);
  EXPECT_EQ(found.value()[0].path, "/home/ada/project/sub/libcuda.so.1");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "/d" + std::to_string(i) + ":";
  system.set_variable("LD_LIBRARY_PATH", many);
  system.add_file("/usr/lib/libcuda.so.1", std::string(10, '\0'));
  EXPECT_EQ(collected(kUserDriver, system).driver.libcuda.value().size(), 1U);
}

} // namespace
} // namespace gpuwhy
