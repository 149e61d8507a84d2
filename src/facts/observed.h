// What the driver itself answered, through the probes: observation, not prediction.
#pragma once

#include "facts/fact.h"
#include "facts/hardware.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gpuwhy {

struct CudaDevice {
  int ordinal = 0;
  std::string name;
  std::string uuid;
  std::string pci;
  ComputeCapability compute_capability;
  int multiprocessors = 0;
  std::uint64_t memory = 0; // bytes
  Fact<int> compute_mode;   // as in NvmlDevice
  Fact<bool> integrated;    // shares the host's memory (Jetson)
  Fact<int> error;          // CUresult of asking for this device, where that failed

  template <class V> static void fields(V&& v) {
    v("ordinal", &CudaDevice::ordinal, "CUDA ordinal");
    v("name", &CudaDevice::name, "Product name");
    v("uuid", &CudaDevice::uuid, "GPU UUID");
    v("pci", &CudaDevice::pci, "PCI address");
    v("compute_capability", &CudaDevice::compute_capability, "CUDA compute capability");
    v("multiprocessors", &CudaDevice::multiprocessors, "Number of streaming multiprocessors");
    v("memory", &CudaDevice::memory, "Total memory in bytes");
    v("compute_mode", &CudaDevice::compute_mode,
      "Compute mode: 0 default, 2 prohibited, 3 exclusive process");
    v("integrated", &CudaDevice::integrated, "Shares the host's memory");
    v("error", &CudaDevice::error, "CUresult of asking for this device");
  }
};

/// One child process that loaded libcuda.so.1 and called cuInit.
struct CudaProbe {
  std::string library;    // real path of the libcuda.so.1 that was loaded; empty: none could be
  std::string load_error; // the loader's words, if none could be
  int init = 0;           // CUresult of cuInit
  std::string init_name;  // "CUDA_ERROR_NO_DEVICE"
  int driver_version = 0; // 13000 = CUDA 13.0; 0: not told
  int count = 0;
  std::vector<CudaDevice> devices;

  template <class V> static void fields(V&& v) {
    v("library", &CudaProbe::library, "libcuda that was loaded");
    v("load_error", &CudaProbe::load_error, "The loader's error");
    v("init", &CudaProbe::init, "CUresult of cuInit");
    v("init_name", &CudaProbe::init_name, "Its name");
    v("driver_version", &CudaProbe::driver_version,
      "CUDA version of the driver API, 1000*major + 10*minor");
    v("count", &CudaProbe::count, "Devices");
    v("devices", &CudaProbe::devices, "Devices, in CUDA's order");
  }
};

struct GpuProcess {
  int pid = 0;
  std::uint64_t memory = 0; // bytes
  template <class V> static void fields(V&& v) {
    v("pid", &GpuProcess::pid, "Process id as the driver tells it");
    v("memory", &GpuProcess::memory, "GPU memory in bytes");
  }
};

/// A part of a GPU in MIG mode; programs see it as a device.
struct MigInstance {
  std::string uuid;               // "MIG-..."
  std::uint64_t memory_total = 0; // bytes
  std::uint64_t memory_free = 0;
  template <class V> static void fields(V&& v) {
    v("uuid", &MigInstance::uuid, "MIG UUID");
    v("memory_total", &MigInstance::memory_total, "Memory in bytes");
    v("memory_free", &MigInstance::memory_free, "Memory that is free, bytes");
  }
};

/// How near another GPU of this machine is.
struct GpuNeighbour {
  int index = 0;       // NVML index of the other
  bool nvlink = false; // reached through NVLink
  int level =
      0; // nvmlGpuTopologyLevel_t: 0 same board, 10 one PCIe switch, 40 one NUMA node, 50 farther
  template <class V> static void fields(V&& v) {
    v("index", &GpuNeighbour::index, "NVML index of the other GPU");
    v("nvlink", &GpuNeighbour::nvlink, "Reached through NVLink");
    v("level", &GpuNeighbour::level,
      "What both hang from: 0 a board, 10 to 30 PCIe, 40 a NUMA node, 50 the machine");
  }
};

struct NvmlDevice {
  int index = 0;
  std::string name;
  std::string uuid;
  std::string pci;
  Fact<ComputeCapability> compute_capability;
  Fact<std::uint64_t> memory_total; // bytes
  Fact<std::uint64_t> memory_used;
  Fact<std::uint64_t> memory_free;
  Fact<int> compute_mode; // 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive process
  Fact<bool> mig;
  Fact<bool> ecc;
  Fact<std::uint64_t> ecc_uncorrected; // errors since the driver was loaded
  Fact<int>
      error; // nvmlReturn_t of asking for this device, where that failed (15: fell off the bus)
  Fact<std::vector<GpuProcess>> processes;
  Fact<int> utilization;     // percent of the last moment in which a kernel ran
  Fact<int> temperature;     // degrees Celsius
  Fact<int> pcie_generation; // most that GPU and slot can do together
  Fact<int> pcie_lanes;      // likewise
  Fact<int> pcie_lanes_now;
  Fact<int> nvlinks;        // that are up; 0 where there are none
  Fact<int> nvlink_version; // as NVML numbers it: 6 is 4.0
  std::vector<MigInstance> instances;
  std::vector<GpuNeighbour> neighbours;

  template <class V> static void fields(V&& v) {
    v("index", &NvmlDevice::index, "NVML index, PCI order");
    v("name", &NvmlDevice::name, "Product name");
    v("uuid", &NvmlDevice::uuid, "GPU UUID");
    v("pci", &NvmlDevice::pci, "PCI address");
    v("compute_capability", &NvmlDevice::compute_capability, "CUDA compute capability");
    v("memory_total", &NvmlDevice::memory_total, "Memory in bytes");
    v("memory_used", &NvmlDevice::memory_used, "Memory in use, bytes");
    v("memory_free", &NvmlDevice::memory_free, "Memory that is free, bytes");
    v("compute_mode", &NvmlDevice::compute_mode,
      "Compute mode: 0 default, 2 prohibited, 3 exclusive process");
    v("mig", &NvmlDevice::mig, "Multi-Instance GPU is on");
    v("ecc", &NvmlDevice::ecc, "ECC is on");
    v("ecc_uncorrected", &NvmlDevice::ecc_uncorrected,
      "Uncorrected memory errors since the driver was loaded");
    v("error", &NvmlDevice::error, "nvmlReturn_t of asking for this device");
    v("processes", &NvmlDevice::processes, "Compute processes");
    v("utilization", &NvmlDevice::utilization, "Percent of time in which a kernel ran");
    v("temperature", &NvmlDevice::temperature, "Degrees Celsius");
    v("pcie_generation", &NvmlDevice::pcie_generation, "PCIe generation that GPU and slot can do");
    v("pcie_lanes", &NvmlDevice::pcie_lanes, "PCIe lanes that GPU and slot have");
    v("pcie_lanes_now", &NvmlDevice::pcie_lanes_now, "PCIe lanes in use");
    v("nvlinks", &NvmlDevice::nvlinks, "NVLinks that are up");
    v("nvlink_version", &NvmlDevice::nvlink_version, "NVLink version as NVML numbers it: 6 is 4.0");
    v("instances", &NvmlDevice::instances, "MIG instances");
    v("neighbours", &NvmlDevice::neighbours, "Other GPUs and how near they are");
  }
};

struct NvmlProbe {
  std::string library;
  std::string load_error;
  int init = 0; // nvmlReturn_t
  std::string init_name;
  std::string driver_version; // "580.159.04"
  int cuda_version = 0;       // 13000
  std::vector<NvmlDevice> devices;

  template <class V> static void fields(V&& v) {
    v("library", &NvmlProbe::library, "libnvidia-ml that was loaded");
    v("load_error", &NvmlProbe::load_error, "The loader's error");
    v("init", &NvmlProbe::init, "nvmlReturn_t of nvmlInit");
    v("init_name", &NvmlProbe::init_name, "Its name");
    v("driver_version", &NvmlProbe::driver_version, "Driver version");
    v("cuda_version", &NvmlProbe::cuda_version,
      "CUDA version of the driver, 1000*major + 10*minor");
    v("devices", &NvmlProbe::devices, "GPUs, in PCI order");
  }
};

struct Observed {
  /// cuInit in the environment as it is, and with CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER
  /// removed (the same answer when neither is set).
  Fact<CudaProbe> cuda;
  Fact<CudaProbe> cuda_unhidden;
  Fact<NvmlProbe> nvml;

  template <class V> static void fields(V&& v) {
    v("cuda", &Observed::cuda, "cuInit in the environment as it is");
    v("cuda_unhidden", &Observed::cuda_unhidden,
      "cuInit without CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER");
    v("nvml", &Observed::nvml, "What NVML answers");
  }
};

} // namespace gpuwhy
