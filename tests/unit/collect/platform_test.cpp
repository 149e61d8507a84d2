#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

TEST(PlatformFacts, UbuntuOfTheH100) {
  MemorySystem system;
  add_h100(system);
  const auto platform = collected(kPlatform, system).platform;
  EXPECT_EQ(platform.distribution_id.value_or(""), "ubuntu");
  EXPECT_EQ(platform.distribution_id.source().line, 4);
  EXPECT_EQ(platform.distribution_version.value_or(""), "24.04");
  EXPECT_EQ(platform.distribution_name.value_or(""), "Ubuntu 24.04.3 LTS");
  EXPECT_EQ(platform.package_manager, "apt");
  EXPECT_EQ(platform.kernel_release, "6.18.44-fc-v657-gpu");
  EXPECT_EQ(platform.machine, "x86_64");
}

TEST(PlatformFacts, SecondPlaceAndUnknownDistribution) {
  MemorySystem system;
  system.add_file("/usr/lib/os-release", "ID=mine\nPRETTY_NAME='It is \\mine'\n");
  system.add_file("/usr/bin/zypper");
  const auto platform = collected(kPlatform, system).platform;
  EXPECT_EQ(platform.distribution_name.value_or(""), "It is \\mine");
  EXPECT_EQ(platform.distribution_version.state(), Fact<std::string>::State::absent);
  EXPECT_EQ(platform.package_manager, "zypper");
}

TEST(PlatformFacts, NoFileAndHostileFile) {
  MemorySystem system;
  EXPECT_EQ(collected(kPlatform, system).platform.distribution_id.state(),
            Fact<std::string>::State::absent);
  system.add_file("/etc/os-release",
                  "ID=\"\nVERSION_ID=\"\\\"\nPRETTY_NAME=\"\x1b[2J\xff\"\n===\n");
  const auto platform = collected(kPlatform, system).platform;
  EXPECT_EQ(platform.distribution_name.value().find('\x1b'), std::string::npos);
  system.add_fifo("/etc/os-release");
  EXPECT_EQ(collected(kPlatform, system).platform.distribution_id.state(),
            Fact<std::string>::State::unknown);
}

} // namespace
} // namespace gpuwhy
