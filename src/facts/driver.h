// The kernel driver and the driver's own user-space libraries (loader.md 3.2, 3.11).
#pragma once

#include "facts/fact.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gpuwhy {

struct KernelModule {
  std::string version;    // "580.159.04"
  Fact<bool> open_module; // the open-source flavour

  template <class V> static void fields(V&& v) {
    v("version", &KernelModule::version, "Version of the loaded nvidia module");
    v("open_module", &KernelModule::open_module, "Open flavour of the module");
  }
};

/// A libcuda.so.1 or libnvidia-ml.so.1 somewhere on disk.
struct DriverLibrary {
  std::string path;
  std::string real_path;
  Fact<std::string> version; // from the real file's name; absent: the name carries none
  std::uint64_t size = 0;    // bytes
  bool stub = false;         // the toolkit's link-time stub
  bool compat = false;       // NVIDIA's forward-compatibility package

  template <class V> static void fields(V&& v) {
    v("path", &DriverLibrary::path, "Path by which it is found");
    v("real_path", &DriverLibrary::real_path, "File behind the links");
    v("version", &DriverLibrary::version, "Driver version in the real file's name");
    v("size", &DriverLibrary::size, "Size in bytes");
    v("stub", &DriverLibrary::stub, "The toolkit's stub, not a driver");
    v("compat", &DriverLibrary::compat, "A forward-compatibility library");
  }
};

/// A kernel log line about the GPU (NVRM, Xid, nvidia, nouveau, Secure Boot).
struct KernelLogLine {
  std::string text;
  template <class V> static void fields(V&& v) { v("text", &KernelLogLine::text, "The line"); }
};

struct Driver {
  Fact<KernelModule> module; // absent: not loaded
  Fact<bool> uvm_loaded;     // nvidia_uvm
  Fact<bool> nouveau_loaded;
  Fact<std::vector<std::string>>
      module_files; // nvidia.ko* for the running kernel; known and empty: none built
  Fact<std::vector<std::string>> dkms; // DKMS trees of nvidia: "nvidia/550.54.14 (6.1.0-18-amd64)"
  Fact<std::string> installed_package; // what installed a driver: "nvidia-driver 535.183.01-1
                                       // (dpkg)"; absent: none
  Fact<bool> secure_boot;
  Fact<std::string> lockdown;                 // "none", "integrity", "confidentiality"
  Fact<std::vector<std::string>> blacklisted; // "PATH:LINE: blacklist nvidia"
  Fact<bool> nomodeset;           // kernel command line: nouveau stays off, nvidia does not care
  Fact<std::string> prime_select; // "intel", "on-demand", "nvidia"; absent: no prime-select
  Fact<std::vector<KernelLogLine>> kernel_log; // newest last, at most 50
  Fact<std::vector<DriverLibrary>> libcuda;    // every libcuda.so.1 found; known and empty: none
  Fact<std::vector<DriverLibrary>> libnvidia_ml;

  template <class V> static void fields(V&& v) {
    v("module", &Driver::module, "The loaded nvidia kernel module");
    v("uvm_loaded", &Driver::uvm_loaded, "nvidia_uvm is loaded");
    v("nouveau_loaded", &Driver::nouveau_loaded, "nouveau is loaded");
    v("module_files", &Driver::module_files, "nvidia.ko files for the running kernel");
    v("dkms", &Driver::dkms, "DKMS builds of the nvidia module");
    v("installed_package", &Driver::installed_package, "Package that installed the driver");
    v("secure_boot", &Driver::secure_boot, "UEFI Secure Boot is on");
    v("lockdown", &Driver::lockdown, "Kernel lockdown mode");
    v("blacklisted", &Driver::blacklisted,
      "modprobe and kernel command line entries that keep the module out");
    v("nomodeset", &Driver::nomodeset, "The kernel command line says nomodeset");
    v("prime_select", &Driver::prime_select, "GPU chosen by prime-select");
    v("kernel_log", &Driver::kernel_log, "Kernel log lines about the GPU");
    v("libcuda", &Driver::libcuda, "libcuda.so.1 files found");
    v("libnvidia_ml", &Driver::libnvidia_ml, "libnvidia-ml.so.1 files found");
  }
};

} // namespace gpuwhy
