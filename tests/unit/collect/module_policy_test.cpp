#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

const std::string kSecureBoot =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

TEST(ModulePolicy, SecureBootIsTheFifthByte) {
  MemorySystem system;
  system.add_file(kSecureBoot, std::string("\x06\0\0\0\x01", 5));
  EXPECT_TRUE(collected(kModulePolicy, system).driver.secure_boot.value());
  system.add_file(kSecureBoot, std::string("\x06\0\0\0\0", 5));
  EXPECT_FALSE(collected(kModulePolicy, system).driver.secure_boot.value());
  system.add_file(kSecureBoot, "\x06");
  EXPECT_EQ(collected(kModulePolicy, system).driver.secure_boot.state(),
            Fact<bool>::State::unknown);
}

TEST(ModulePolicy, BiosMachineAndHiddenFirmwareDiffer) {
  MemorySystem bios, container;
  bios.add_directory("/sys/firmware/acpi");
  container.add_directory("/sys/firmware");
  EXPECT_EQ(collected(kModulePolicy, bios).driver.secure_boot.state(), Fact<bool>::State::absent);
  EXPECT_EQ(collected(kModulePolicy, container).driver.secure_boot.state(),
            Fact<bool>::State::unknown);
}

TEST(ModulePolicy, LockdownIsTheWordInBrackets) {
  MemorySystem system;
  const std::string path = "/sys/kernel/security/lockdown";
  system.add_file(path, "none [integrity] confidentiality\n");
  EXPECT_EQ(collected(kModulePolicy, system).driver.lockdown.value_or(""), "integrity");
  system.add_file(path, "]none[");
  EXPECT_EQ(collected(kModulePolicy, system).driver.lockdown.state(),
            Fact<std::string>::State::unknown);
}

TEST(ModulePolicy, OnlyLinesThatKeepTheModuleOut) {
  MemorySystem system;
  system.add_file("/etc/modprobe.d/a.conf", "# blacklist nvidia\nblacklist nouveau\n"
                                            "\tblacklist   nvidia-uvm\nblacklist nvidia-drm\n"
                                            "install nvidia /bin/false\nalias nvidia off\n");
  system.add_file("/etc/modprobe.d/nvidia.conf",
                  "install nvidia modprobe -i nvidia-current $CMDLINE_OPTS\noptions nvidia X=1\n");
  system.add_file("/etc/modprobe.d/notes.txt", "blacklist nvidia\n");
  system.add_file("/usr/lib/modprobe.d/a.conf",
                  "blacklist nvidia\n"); // replaced by the one in /etc
  system.add_file("/lib/modprobe.d/b.conf", "blacklist nvidia\n");
  system.add_file("/proc/cmdline", "ro nomodeset modprobe.blacklist=nouveau,nvidia\n");
  const Facts facts = collected(kModulePolicy, system);
  EXPECT_EQ(facts.driver.blacklisted.value(),
            (std::vector<std::string>{"/etc/modprobe.d/a.conf:3: blacklist   nvidia-uvm",
                                      "/etc/modprobe.d/a.conf:5: install nvidia /bin/false",
                                      "/etc/modprobe.d/a.conf:6: alias nvidia off",
                                      "/lib/modprobe.d/b.conf:1: blacklist nvidia",
                                      "/proc/cmdline:1: modprobe.blacklist=nouveau,nvidia"}));
  EXPECT_TRUE(facts.driver.nomodeset.value());
}

TEST(ModulePolicy, HostileConfigurationIsReportedNotRead) {
  MemorySystem system;
  system.add_fifo("/etc/modprobe.d/pipe.conf");
  system.add_file("/etc/modprobe.d/huge.conf", std::string(1U << 20U, 'a'));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "blacklist nvidia \x1b[2J" + std::string(100, 'x') + "\n";
  system.add_file("/etc/modprobe.d/many.conf", many);
  const Facts facts = collected(kModulePolicy, system);
  EXPECT_EQ(facts.problems.size(), 2U);
  EXPECT_LE(facts.driver.blacklisted.value().size(), 64U);
  EXPECT_EQ(facts.driver.blacklisted.value()[0].find('\x1b'), std::string::npos);
}

TEST(ModulePolicy, PrimeSelectOfUbuntuAndSuse) {
  MemorySystem ubuntu, suse, other;
  ubuntu.add_file("/etc/prime-discrete", "off\n");
  suse.add_file("/etc/prime/current_type", "offload\n");
  EXPECT_EQ(collected(kModulePolicy, ubuntu).driver.prime_select.value_or(""), "intel");
  EXPECT_EQ(collected(kModulePolicy, suse).driver.prime_select.value_or(""), "on-demand");
  EXPECT_EQ(collected(kModulePolicy, other).driver.prime_select.state(),
            Fact<std::string>::State::absent);
}

} // namespace
} // namespace gpuwhy
