#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

TEST(Pci, NamesTheH100ByItsId) {
  MemorySystem system;
  add_h100(system);
  const Facts facts = collected(kPci, system);
  ASSERT_TRUE(facts.hardware.gpus.known());
  ASSERT_EQ(facts.hardware.gpus.value().size(), 1U);
  const PciGpu& gpu = facts.hardware.gpus.value()[0];
  EXPECT_EQ(gpu.address, "0000:00:06.0");
  EXPECT_EQ(gpu.vendor, "nvidia");
  EXPECT_EQ(gpu.device_id, "2330");
  EXPECT_EQ(gpu.class_id, "030200");
  EXPECT_EQ(gpu.driver.value_or(""), "nvidia");
  EXPECT_EQ(gpu.power_state.value_or(""), "D0");
  EXPECT_EQ(gpu.product.value_or(""), "H100 SXM5 80GB");
  EXPECT_EQ(gpu.chip.value_or(""), "GH100");
  EXPECT_EQ(gpu.compute_capability.value().str(), "9.0");
  EXPECT_EQ(gpu.last_driver_branch.state(), Fact<int>::State::absent);
  EXPECT_EQ(facts.hardware.virtual_machine.value_or(""), "other");
}

TEST(Pci, LaptopShowsBothGpusAndNotTheirSound) {
  MemorySystem system;
  add_nouveau_laptop(system);
  const Facts facts = collected(kPci, system);
  const auto& gpus = facts.hardware.gpus.value();
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0].vendor, "intel");
  EXPECT_EQ(gpus[0].product.state(), Fact<std::string>::State::unknown);
  EXPECT_EQ(gpus[1].driver.value_or(""), "nouveau");
  EXPECT_EQ(gpus[1].power_state.value_or(""), "D3cold");
  EXPECT_EQ(gpus[1].runtime_status.value_or(""), "suspended");
  EXPECT_EQ(facts.hardware.virtual_machine.state(), Fact<std::string>::State::absent);
  EXPECT_EQ(facts.hardware.tegra.state(), Fact<std::string>::State::absent);
}

TEST(Pci, WithoutSysNothingIsSaid) {
  MemorySystem system;
  const Facts facts = collected(kPci, system);
  EXPECT_EQ(facts.hardware.gpus.state(), Fact<std::vector<PciGpu>>::State::unknown);
  EXPECT_EQ(facts.hardware.virtual_machine.state(), Fact<std::string>::State::unknown);
}

TEST(Pci, UnreadableSysIsUnknown) {
  MemorySystem system;
  add_h100(system);
  system.unreadable("/sys/bus/pci/devices");
  EXPECT_EQ(collected(kPci, system).hardware.gpus.state(),
            Fact<std::vector<PciGpu>>::State::unknown);
}

TEST(Pci, AKernelWithoutPciHasNoGpuOnIt) {
  MemorySystem system;
  system.add_directory("/sys/bus/platform");
  const Facts facts = collected(kPci, system);
  ASSERT_TRUE(facts.hardware.gpus.known());
  EXPECT_TRUE(facts.hardware.gpus.value().empty());
}

TEST(Pci, OneDeviceThatCannotBeReadLeavesItOpen) {
  MemorySystem system;
  add_pci(system, "0000:00:06.0", "0x030200", "0x10de", "0x2330");
  system.unreadable("/sys/bus/pci/devices/0000:00:06.0/vendor");
  EXPECT_EQ(collected(kPci, system).hardware.gpus.state(),
            Fact<std::vector<PciGpu>>::State::unknown);
  add_pci(system, "0000:00:07.0", "0x030200", "0x10de", "0x2330");
  const Facts facts = collected(kPci, system);
  EXPECT_EQ(facts.hardware.gpus.value().size(), 1U);
  EXPECT_EQ(facts.problems.size(), 1U);
}

TEST(Pci, UnlistedIdsFollowTheRule) {
  MemorySystem system;
  add_pci(system, "0000:01:00.0", "0x030200", "0x10de", "0xfffe");
  add_pci(system, "0000:02:00.0", "0x030000", "0x10de", "0x0001", "vfio-pci");
  const auto gpus = collected(kPci, system).hardware.gpus.value();
  EXPECT_EQ(gpus[0].last_driver_branch.state(), Fact<int>::State::absent);
  EXPECT_FALSE(gpus[0].compute_capability.known());
  EXPECT_EQ(gpus[1].last_driver_branch.state(), Fact<int>::State::unknown);
  EXPECT_EQ(gpus[0].driver.state(), Fact<std::string>::State::absent);
  EXPECT_EQ(gpus[1].driver.value_or(""), "vfio-pci");
}

TEST(Pci, HostileFilesDoNoHarm) {
  MemorySystem system;
  const std::string base = "/sys/bus/pci/devices/";
  add_pci(system, "a", "garbage", "0x10de", "0x2330");
  add_pci(system, "b", std::string(100'000, '9'), "0x10de", "0x2330");
  system.add_fifo(base + "c/class");
  add_pci(system, "d\x1b[2J", "0x030000", "0x10de", "0x2684", "\x1b]0;x\x07");
  system.add_file(base + "d\x1b[2J/power_state", std::string(9'000, '\x1b'));
  const Facts facts = collected(kPci, system);
  ASSERT_EQ(facts.hardware.gpus.value().size(), 1U);
  const auto& gpu = facts.hardware.gpus.value()[0];
  EXPECT_EQ(gpu.driver.value().find('\x1b'), std::string::npos);
  EXPECT_LT(gpu.power_state.value().size(), 1'000U);
  EXPECT_EQ(gpu.power_state.value().find('\x1b'), std::string::npos);
}

TEST(Pci, VirtualMachinesByTheirFirmware) {
  const auto name = [](const std::string& vendor, const std::string& product) {
    MemorySystem system;
    system.add_file("/sys/class/dmi/id/sys_vendor", vendor + "\n");
    system.add_file("/sys/class/dmi/id/product_name", product + "\n");
    return collected(kPci, system).hardware.virtual_machine.value_or("-");
  };
  EXPECT_EQ(name("QEMU", "Standard PC (Q35 + ICH9, 2009)"), "kvm");
  EXPECT_EQ(name("VMware, Inc.", "VMware Virtual Platform"), "vmware");
  EXPECT_EQ(name("Microsoft Corporation", "Virtual Machine"), "hyperv");
  EXPECT_EQ(name("Microsoft Corporation", "Surface Book 2"), "-");
  EXPECT_EQ(name("innotek GmbH", "VirtualBox"), "virtualbox");
  EXPECT_EQ(name("Google", "Google Compute Engine"), "kvm");
  EXPECT_EQ(name("Amazon EC2", "p4d.24xlarge"), "kvm");
  EXPECT_EQ(name("Amazon EC2", "i3.metal"), "-");
}

TEST(Pci, TegraByTheDeviceTree) {
  MemorySystem system;
  system.add_file("/proc/device-tree/compatible",
                  std::string("nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0", 45));
  EXPECT_EQ(collected(kPci, system).hardware.tegra.value_or(""), "tegra234");
  system.add_file("/proc/device-tree/model", std::string("NVIDIA Jetson AGX Orin\0", 23));
  EXPECT_EQ(collected(kPci, system).hardware.tegra.value_or(""), "NVIDIA Jetson AGX Orin");
}

} // namespace
} // namespace gpuwhy
