// GPUs as the bus shows them, without any driver. Source: sysfs (loader.md 3.1), and the table of
// product ids.
#pragma once

#include "facts/fact.h"

#include <compare>
#include <string>
#include <vector>

namespace gpuwhy {

/// CUDA compute capability, e.g. 8.9.
struct ComputeCapability {
  int major = 0;
  int minor = 0;

  auto operator<=>(const ComputeCapability&) const = default;
  std::string str() const { return std::to_string(major) + "." + std::to_string(minor); }
  /// "sm_89", the name that builds and wheels use.
  std::string sm() const { return "sm_" + std::to_string(major) + std::to_string(minor); }

  template <class V> static void fields(V&& v) {
    v("major", &ComputeCapability::major, "Major number");
    v("minor", &ComputeCapability::minor, "Minor number");
  }
};

/// One display or 3D controller (PCI class 0x0300, 0x0302, 0x0380).
struct PciGpu {
  std::string address;   // "0000:01:00.0"
  std::string vendor;    // "nvidia", "amd", "intel", "other"
  std::string vendor_id; // "10de"
  std::string device_id; // "2684"
  std::string class_id;  // "030000"
  Fact<std::string>
      driver; // kernel driver bound to it ("nvidia", "nouveau", "vfio-pci"); absent: none
  Fact<std::string> power_state;    // "D0" ... "D3cold"
  Fact<std::string> runtime_status; // "active", "suspended"
  Fact<std::string> product;        // "GeForce RTX 4090", from the table of ids
  Fact<std::string> chip;           // "AD102"
  Fact<std::string> architecture;   // "Ada"
  Fact<ComputeCapability> compute_capability;
  Fact<int> last_driver_branch; // newest driver branch that supports it; absent: still supported

  template <class V> static void fields(V&& v) {
    v("address", &PciGpu::address, "PCI address, domain:bus:device.function");
    v("vendor", &PciGpu::vendor, "nvidia, amd, intel or other");
    v("vendor_id", &PciGpu::vendor_id, "PCI vendor id, hexadecimal");
    v("device_id", &PciGpu::device_id, "PCI device id, hexadecimal");
    v("class_id", &PciGpu::class_id, "PCI class, hexadecimal");
    v("driver", &PciGpu::driver, "Kernel driver bound to the device");
    v("power_state", &PciGpu::power_state, "PCI power state");
    v("runtime_status", &PciGpu::runtime_status, "Runtime power management status");
    v("product", &PciGpu::product, "Product name");
    v("chip", &PciGpu::chip, "Chip name");
    v("architecture", &PciGpu::architecture, "GPU architecture");
    v("compute_capability", &PciGpu::compute_capability, "CUDA compute capability of the chip");
    v("last_driver_branch", &PciGpu::last_driver_branch,
      "Last driver branch that supports the chip");
  }
};

struct Hardware {
  Fact<std::vector<PciGpu>> gpus; // every vendor's; known and empty: the bus was read, none there
  Fact<std::string>
      virtual_machine; // "kvm", "vmware", "hyperv", "xen", "firecracker", ...; absent: bare metal
  Fact<std::string> tegra; // Jetson board or chip name; absent: not a Tegra

  template <class V> static void fields(V&& v) {
    v("gpus", &Hardware::gpus, "Display and 3D controllers on the PCI bus");
    v("virtual_machine", &Hardware::virtual_machine, "Hypervisor under this system");
    v("tegra", &Hardware::tegra, "NVIDIA Tegra (Jetson) board");
  }
};

} // namespace gpuwhy
