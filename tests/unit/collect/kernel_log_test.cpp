#include "machines.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Lines = Fact<std::vector<KernelLogLine>>;

Lines lines_of(const std::string& log) {
  MemorySystem system;
  system.set_kernel_log(log);
  return collected(kKernelLog, system).driver.kernel_log;
}

TEST(KernelLog, KeepsLinesAboutGpus) {
  const auto lines = lines_of(
      "[    0.000000] Linux version 6.8\n"
      "[    0.2] LSM: initializing lsm=lockdown,capability,landlock,bpf\n"
      "[    1.0] secureboot: Secure boot enabled\n"
      "[    5.1] nvidia: module verification failed: signature and/or required key missing\n"
      "[    6.0] usb 1-1: new device\n"
      "[    6.1] Lockdown: modprobe: unsigned module loading is restricted\n"
      "[   12.8] NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x62:0xffff:2477)\n"
      "[   13.0] audit: type=1400 apparmor=\"DENIED\" name=\"/usr/lib/libnvidia-ml.so\"\n"
      "[   99.9] NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus.\n");
  ASSERT_EQ(lines.value().size(), 5U);
  EXPECT_EQ(lines.value()[0].text, "[    1.0] secureboot: Secure boot enabled");
  EXPECT_NE(lines.value()[4].text.find("fallen off"), std::string::npos);
}

TEST(KernelLog, TheNewestFiftyMakeIt) {
  std::string log;
  for (int i = 0; i < 200; ++i) log += "NVRM: line " + std::to_string(i) + "\n";
  const auto lines = lines_of(log);
  ASSERT_EQ(lines.value().size(), 50U);
  EXPECT_EQ(lines.value().front().text, "NVRM: line 150");
  EXPECT_EQ(lines.value().back().text, "NVRM: line 199");
}

TEST(KernelLog, ForbiddenIsUnknown) {
  MemorySystem system; // its log is not readable
  const auto lines = collected(kKernelLog, system).driver.kernel_log;
  EXPECT_EQ(lines.state(), Lines::State::unknown);
  EXPECT_FALSE(lines.reason().empty());
}

TEST(KernelLog, HostileLinesAreCut) {
  const auto lines = lines_of("nvidia \x1b[2J\xff" + std::string(1U << 20U, 'x'));
  ASSERT_EQ(lines.value().size(), 1U);
  EXPECT_LT(lines.value()[0].text.size(), 2'000U);
  EXPECT_EQ(lines.value()[0].text.find('\x1b'), std::string::npos);
}

} // namespace
} // namespace gpuwhy
