#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

Fact<std::string> package_of(MemorySystem& system) {
  return collected(kDriverPackage, system).driver.installed_package;
}

TEST(DriverPackage, DebianNamesTheDriverFirst) {
  MemorySystem system;
  system.add_file("/var/lib/dpkg/info/libcuda1:amd64.list");
  system.add_file("/var/lib/dpkg/info/nvidia-driver-bin.list");
  system.add_file("/var/lib/dpkg/info/nvidia-driver.list");
  system.add_file(
      "/var/lib/dpkg/status",
      "Package: libcuda1\nStatus: install ok installed\nVersion: 535.183.01-1\n\n"
      "Package: nvidia-driver\nStatus: install ok installed\nVersion: 535.183.01-1~deb12u1\n"
      "Description: x\n Status: none\n\n");
  EXPECT_EQ(package_of(system).value_or(""), "nvidia-driver 535.183.01-1~deb12u1 (dpkg)");
}

TEST(DriverPackage, RemovedPackagesDoNotCount) {
  MemorySystem system;
  system.add_file("/var/lib/dpkg/info/nvidia-driver-550.list");
  system.add_file("/var/lib/dpkg/status", "Package: nvidia-driver-550\n"
                                          "Status: deinstall ok config-files\nVersion: 550\n");
  EXPECT_EQ(package_of(system).state(), Fact<std::string>::State::absent);
}

TEST(DriverPackage, StatusIsNotReadWithoutACandidate) {
  MemorySystem system;
  system.add_file("/var/lib/dpkg/info/bash.list");
  system.add_file("/var/lib/dpkg/status", "Package: bash\n");
  EXPECT_EQ(package_of(system).state(), Fact<std::string>::State::absent);
  EXPECT_EQ(system.touched("/var/lib/dpkg/status"), 1); // asked whether it is there
}

TEST(DriverPackage, PacmanByDirectoryNames) {
  MemorySystem system;
  for (const char* name : {"nvidia-utils-580.95.05-1", "nvidia-open-580.95.05-2",
                           "nvidia-prime-1.0-5", "bash-5.2-1"}) {
    system.add_directory(std::string("/var/lib/pacman/local/") + name);
  }
  EXPECT_EQ(package_of(system).value_or(""), "nvidia-open 580.95.05-2 (pacman)");
}

TEST(DriverPackage, RpmIsUnknownUnlessItLeftATrace) {
  MemorySystem system;
  system.add_directory("/var/lib/rpm");
  EXPECT_EQ(package_of(system).state(), Fact<std::string>::State::unknown);
  system.add_directory("/usr/share/doc/xorg-x11-drv-nvidia");
  EXPECT_EQ(package_of(system).value_or(""), "xorg-x11-drv-nvidia (rpm)");
}

TEST(DriverPackage, RunFileLeavesAnUninstaller) {
  MemorySystem system;
  system.add_file("/var/lib/dpkg/status", "");
  system.add_file("/usr/bin/nvidia-uninstall", "");
  EXPECT_EQ(package_of(system).value_or(""), "NVIDIA's own installer (.run)");
}

TEST(DriverPackage, NoDatabaseIsNoAnswer) {
  MemorySystem system;
  EXPECT_EQ(package_of(system).state(), Fact<std::string>::State::unknown);
}

} // namespace
} // namespace gpuwhy
