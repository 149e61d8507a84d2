// Machines for the tests of the collectors, as MemorySystem knows them. The H100 is a real virtual
// machine (driver 580.159.04, 2026-11-22), typed in; identifiers are made up.
#pragma once

#include "collect/machine.h"
#include "support/memory_system.h"

#include <string>

namespace gpuwhy {

inline Facts collected(const Collector& collector, System& system, const Scope& scope = {}) {
  Facts facts;
  collector.collect(system, scope, facts);
  return facts;
}

inline void add_pci(MemorySystem& system, const std::string& address, const std::string& class_id,
                    const std::string& vendor, const std::string& device,
                    const std::string& driver = {}) {
  const std::string base = "/sys/bus/pci/devices/" + address;
  system.add_file(base + "/class", class_id + "\n");
  system.add_file(base + "/vendor", vendor + "\n");
  system.add_file(base + "/device", device + "\n");
  system.add_file(base + "/power_state", "D0\n");
  system.add_file(base + "/power/runtime_status", "active\n");
  if (!driver.empty()) system.add_link(base + "/driver", "../../../bus/pci/drivers/" + driver);
}

inline Identity identity_of(const std::string& release, std::uint32_t user = 1000) {
  Identity identity;
  identity.user = user;
  identity.groups = {user};
  identity.user_name = "ada";
  identity.home = "/home/ada";
  identity.host = "engine";
  identity.kernel_release = release;
  identity.machine = "x86_64";
  identity.working_directory = "/home/ada/project";
  return identity;
}

/// What every Linux has: so that "not there" is an answer.
inline void add_kernel(MemorySystem& system, const std::string& modules) {
  system.add_file("/proc/modules", modules);
  system.add_file("/proc/devices", "Character devices:\n  1 mem\n\nBlock devices:\n254 virtblk\n");
  system.add_file("/proc/self/uid_map", "         0          0 4294967295\n");
  system.add_file("/proc/self/mountinfo", "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
  system.add_file("/proc/1/cgroup", "0::/init.scope\n");
  system.add_file("/proc/self/cgroup", "0::/user.slice/user-1000.slice/session-3.scope\n");
  system.add_file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda ro quiet\n");
  system.add_file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme sse2 avx2\n");
  system.add_directory("/sys/module/kernel");
  system.add_directory("/sys/bus/platform");
  system.add_directory("/dev");
}

inline void add_h100(MemorySystem& system) {
  system.set_identity(identity_of("6.18.44-fc-v657-gpu", 0));
  add_kernel(system, "nvidia_uvm 1830912 - - Live 0xffffffffc080c000 (O)\n"
                     "nvidia 14299136 - - Live 0xffffffffc0400000 (O)\n");
  system.add_file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n");
  add_pci(system, "0000:00:00.0", "0x060000", "0x8086", "0x0d57");
  add_pci(system, "0000:00:01.0", "0x018000", "0x1af4", "0x1042", "virtio-pci");
  add_pci(system, "0000:00:03.0", "0x020000", "0x1af4", "0x1041", "virtio-pci");
  add_pci(system, "0000:00:06.0", "0x030200", "0x10de", "0x2330", "nvidia");
  system.add_file("/proc/driver/nvidia/version",
                  "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  "
                  "Release Build  (builder@)  \nGCC version:  gcc version 15.3.0 (GCC) \n");
  system.add_file("/proc/devices", "Character devices:\n195 nvidia\n195 nvidiactl\n238 nvidia-uvm\n"
                                   "239 nvidia-nvswitch\n241 nvidia-caps\n\nBlock devices:\n");
  system.add_device("/dev/nvidia0", 0666, 195, 0);
  system.add_device("/dev/nvidiactl", 0666, 195, 255);
  system.add_device("/dev/nvidia-uvm", 0666, 238, 0);
  system.add_device("/dev/nvidia-uvm-tools", 0666, 238, 1);
  system.add_device("/dev/nvidia-caps/nvidia-cap1", 0400, 241, 1);
  system.add_file("/.dockerenv");
  const std::string group = "0::/process_api/0123456789abcdef0123456789abcdef\n";
  system.add_file("/proc/1/cgroup", group);
  system.add_file("/proc/self/cgroup", group);
  system.add_file(
      "/proc/self/mountinfo",
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
      "29 27 254:16 / /usr/local/nvidia ro,nosuid,nodev,relatime - squashfs /dev/vdb ro\n");
  system.add_file("/etc/os-release", "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\n"
                                     "VERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n");
  const std::string driver = "/usr/local/nvidia/lib64/";
  system.add_file(driver + "libcuda.so.580.159.04", std::string(2U << 20U, '\0'));
  system.add_link(driver + "libcuda.so.1", "libcuda.so.580.159.04");
  system.add_file(driver + "libnvidia-ml.so.580.159.04", std::string(2U << 20U, '\0'));
  system.add_link(driver + "libnvidia-ml.so.1", "libnvidia-ml.so.580.159.04");
  system.add_link("/usr/lib/libcuda.so.1", driver + "libcuda.so.1");
  system.add_link("/usr/lib/libnvidia-ml.so.1", driver + "libnvidia-ml.so.1");
  system.add_link("/lib", "usr/lib");
  const std::string toolkit = "/usr/local/cuda-13.0/";
  system.add_file(toolkit + "targets/x86_64-linux/lib/stubs/libcuda.so", std::string(70'368, '\0'));
  system.add_file(toolkit + "compat/libcuda.so.580.95.05", std::string(2U << 20U, '\0'));
  system.add_link(toolkit + "compat/libcuda.so.1", "libcuda.so.580.95.05");
  system.add_link("/usr/local/cuda", "cuda-13.0");
  system.set_environment({{"LD_LIBRARY_PATH", "/usr/local/nvidia/lib64:/usr/local/nvidia/lib"},
                          {"NVIDIA_VISIBLE_DEVICES", "0"},
                          {"NVIDIA_DRIVER_CAPABILITIES", "compute,graphics,utility"}});
}

/// An Optimus laptop that nobody installed a driver on.
inline void add_nouveau_laptop(MemorySystem& system) {
  system.set_identity(identity_of("6.1.0-18-amd64"));
  add_kernel(system, "nouveau 2433024 3 - Live 0x0000000000000000\n"
                     "i915 3055616 20 - Live 0x0000000000000000\n");
  add_pci(system, "0000:00:02.0", "0x030000", "0x8086", "0x3e9b", "i915");
  add_pci(system, "0000:01:00.0", "0x030200", "0x10de", "0x1f91", "nouveau");
  add_pci(system, "0000:01:00.1", "0x040300", "0x10de", "0x10fa", "snd_hda_intel");
  system.add_file("/sys/bus/pci/devices/0000:01:00.0/power_state", "D3cold\n");
  system.add_file("/sys/bus/pci/devices/0000:01:00.0/power/runtime_status", "suspended\n");
  system.add_file("/sys/class/dmi/id/sys_vendor", "LENOVO\n");
  system.add_file("/sys/class/dmi/id/product_name", "20QT\n");
  system.add_file("/lib/modules/6.1.0-18-amd64/modules.dep",
                  "kernel/drivers/video/fbdev/nvidia/nvidiafb.ko:\n");
}

inline void add_wsl2(MemorySystem& system) {
  system.set_identity(identity_of("5.15.153.1-microsoft-standard-WSL2"));
  add_kernel(system, "");
  add_pci(system, "3f0f:00:00.0", "0x030200", "0x1414", "0x008e", "dxgkrnl");
  system.add_device("/dev/dxg", 0666, 10, 125);
  const std::string driver = "/usr/lib/wsl/lib/";
  system.add_file(driver + "libcuda.so.1", std::string(161'336, '\0'));
  system.add_file(driver + "libnvidia-ml.so.1", std::string(230'000, '\0'));
  system.add_file("/etc/ld.so.conf.d/ld.wsl.conf", "# This file was automatically generated\n"
                                                   "/usr/lib/wsl/lib\n");
}

/// docker run without --gpus, on a host that has a GPU and its driver.
inline void add_docker_without_gpu(MemorySystem& system) {
  system.set_identity(identity_of("5.15.0-105-generic", 0));
  add_kernel(system, "nvidia_uvm 1540096 0 - Live 0x0000000000000000 (POE)\n"
                     "nvidia 56520704 2 nvidia_uvm, Live 0x0000000000000000 (POE)\n");
  add_pci(system, "0000:65:00.0", "0x030000", "0x10de", "0x2684", "nvidia");
  system.add_file("/proc/driver/nvidia/version",
                  "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 "
                  "UTC 2024\nGCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n");
  system.add_file("/.dockerenv");
  system.add_file("/proc/self/mountinfo", "1 0 0:50 / / rw - overlay overlay rw\n");
  system.set_environment({{"NVIDIA_VISIBLE_DEVICES", "all"}, {"PATH", "/usr/bin"}});
}

} // namespace gpuwhy
