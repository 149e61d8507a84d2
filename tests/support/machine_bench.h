// The healthy machine of case_builder.h with every fact of its driver and its access looked at, so
// that one of them can be broken at a time, and the judge be asked for the order of the causes.
//
//   Machine machine;
//   machine.remove_driver();
//   EXPECT_EQ(machine.causes(), Ids{"H03"});
#pragma once

#include "judge/judge.h"
#include "support/case_builder.h"

namespace gpuwhy::test {

using Ids = std::vector<std::string>;

inline DeviceNode node(const std::string& path, int major, int minor) {
  DeviceNode made;
  made.path = path;
  made.major = major;
  made.minor = minor;
  made.mode = "0666";
  made.usable = Fact<bool>::known(true, {path, 0});
  return made;
}

struct Machine : Bench {
  Machine() {
    auto& driver = facts.driver;
    driver.module =
        Fact<KernelModule>::known({.version = "550.54.14", .open_module = Fact<bool>::known(true)},
                                  {"/proc/driver/nvidia/version", 1});
    driver.uvm_loaded = Fact<bool>::known(true, {"/proc/modules", 0});
    driver.nouveau_loaded = Fact<bool>::known(false, {"/proc/modules", 0});
    driver.module_files = Fact<std::vector<std::string>>::known(
        {"/lib/modules/6.8.0-45-generic/updates/dkms/nvidia.ko.zst"},
        {"/lib/modules/6.8.0-45-generic", 0});
    driver.dkms = Fact<std::vector<std::string>>::known({"nvidia/550.54.14 (6.8.0-45-generic)"},
                                                        {"/var/lib/dkms", 0});
    driver.installed_package = Fact<std::string>::known(
        "nvidia-driver-550-open 550.54.14-0ubuntu1 (dpkg)", {"/var/lib/dpkg/status", 0});
    driver.secure_boot = Fact<bool>::known(false, {"/sys/firmware/efi/efivars", 0});
    driver.lockdown = Fact<std::string>::known("none", {"/sys/kernel/security/lockdown", 0});
    driver.blacklisted = Fact<std::vector<std::string>>::known({}, {"/etc/modprobe.d", 0});
    driver.nomodeset = Fact<bool>::known(false, {"/proc/cmdline", 0});
    driver.prime_select = Fact<std::string>::absent({"/etc/prime-discrete", 0});
    driver.kernel_log = Fact<std::vector<KernelLogLine>>::known({}, {"kernel log", 0});
    auto& access = facts.access;
    access.nodes = Fact<std::vector<DeviceNode>>::known({node("/dev/nvidia0", 195, 0),
                                                         node("/dev/nvidiactl", 195, 255),
                                                         node("/dev/nvidia-uvm", 238, 0)},
                                                        {"/dev", 0});
    access.uvm_major = Fact<int>::known(238, {"/proc/devices", 0});
    access.user_namespace = Fact<std::string>::absent({"/proc/self/uid_map", 1});
    access.container = Fact<std::string>::absent({"/proc/1/cgroup", 0});
    access.wsl = Fact<std::string>::absent({"/proc/sys/kernel/osrelease", 0});
    access.dxg = Fact<bool>::known(false, {"/dev/dxg", 0});
    access.wsl_driver = Fact<std::string>::absent({"/usr/lib/wsl/lib/libcuda.so.1", 0});
    access.driver_mounts = Fact<std::vector<std::string>>::known({}, {"/proc/self/mountinfo", 0});
    access.scheduler = Fact<std::string>::absent(Source{});
    access.scheduler_gpus = Fact<std::vector<std::string>>::absent(Source{});
    for (auto* probe : {facts.observed.cuda.get(), facts.observed.cuda_unhidden.get()}) {
      probe->devices.front().multiprocessors = 128;
    }
    NvmlProbe nvml;
    nvml.library = kSystemLibraries + "/libnvidia-ml.so.550.54.14";
    nvml.init_name = "NVML_SUCCESS";
    nvml.driver_version = "550.54.14";
    nvml.cuda_version = 12040;
    NvmlDevice device;
    device.name = "NVIDIA GeForce RTX 4090";
    device.uuid = "GPU-153e4ec0-0000-4000-8000-000000000001";
    device.pci = "0000:01:00.0";
    device.compute_capability = Fact<ComputeCapability>::known({8, 9});
    nvml.devices = {device};
    facts.observed.nvml = Fact<NvmlProbe>::known(nvml, {"probe nvml", 0});
  }

  PciGpu& gpu() { return facts.hardware.gpus.value().front(); }
  DeviceNode& device_node(std::string_view path) {
    auto& nodes = facts.access.nodes.value();
    return *std::find_if(nodes.begin(), nodes.end(),
                         [&](const DeviceNode& each) { return each.path == path; });
  }
  void remove_node(std::string_view path) {
    std::erase_if(facts.access.nodes.value(),
                  [&](const DeviceNode& each) { return each.path == path; });
  }
  /// EACCES, EPERM, ...
  void refuse(std::string_view path, const std::string& problem, const std::string& mode = "0666") {
    auto& each = device_node(path);
    each.usable = Fact<bool>::known(false, {each.path, 0});
    each.problem = problem;
    each.mode = mode;
  }

  /// libcuda.so.1 is loaded, and cuInit answers this, whatever variables say.
  void cuinit_answers(int code) {
    for (auto* fact : {&facts.observed.cuda, &facts.observed.cuda_unhidden}) {
      CudaProbe probe;
      probe.library = kSystemLibraries + "/libcuda.so.550.54.14";
      probe.init = code;
      probe.init_name = cuda_error_name(code);
      probe.driver_version = 12040;
      *fact = Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
    }
  }
  void nvml_answers(int code) {
    NvmlProbe probe;
    probe.library = kSystemLibraries + "/libnvidia-ml.so.550.54.14";
    probe.init = code;
    facts.observed.nvml = Fact<NvmlProbe>::known(probe, {"probe nvml", 0});
  }
  /// No libcuda.so.1 and no libnvidia-ml.so.1 anywhere.
  void remove_driver_libraries() {
    edit::remove_library(facts, kSystemLibraries + "/libcuda.so.1");
    facts.libraries.cache.value().clear();
    facts.driver.libcuda = Fact<std::vector<DriverLibrary>>::known({}, {"library directories", 0});
    facts.driver.libnvidia_ml =
        Fact<std::vector<DriverLibrary>>::known({}, {"library directories", 0});
    CudaProbe cuda;
    cuda.load_error = "libcuda.so.1: cannot open shared object file: No such file or directory";
    facts.observed.cuda = facts.observed.cuda_unhidden =
        Fact<CudaProbe>::known(cuda, {"probe cuda_init", 0});
    NvmlProbe nvml;
    nvml.load_error =
        "libnvidia-ml.so.1: cannot open shared object file: No such file or directory";
    facts.observed.nvml = Fact<NvmlProbe>::known(nvml, {"probe nvml", 0});
  }
  /// The module is installed as before, but not in the kernel.
  void unload_module() {
    facts.driver.module = Fact<KernelModule>::absent({"/proc/driver/nvidia/version", 0});
    facts.driver.uvm_loaded = Fact<bool>::known(false, {"/proc/modules", 0});
    facts.access.nodes = Fact<std::vector<DeviceNode>>::known({}, {"/dev", 0});
    facts.access.uvm_major = Fact<int>::absent({"/proc/devices", 0});
    if (auto* gpus = facts.hardware.gpus.get()) {
      for (auto& each : *gpus)
        each.driver = Fact<std::string>::absent({"/sys/bus/pci/devices/" + each.address, 0});
    }
    cuinit_answers(100);
    nvml_answers(9);
  }
  void uninstall_driver() {
    facts.driver.module_files =
        Fact<std::vector<std::string>>::known({}, {"/lib/modules/6.8.0-45-generic", 0});
    facts.driver.dkms = Fact<std::vector<std::string>>::known({}, {"/var/lib/dkms", 0});
    facts.driver.installed_package = Fact<std::string>::absent({"/var/lib/dpkg/status", 0});
  }
  /// No trace of NVIDIA's driver.
  void remove_driver() {
    unload_module();
    remove_driver_libraries();
    uninstall_driver();
  }
  void no_gpus() {
    remove_driver();
    facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({}, {"/sys/bus/pci/devices", 0});
  }
  void replace_gpu(const std::string& vendor, const std::string& product) {
    remove_driver();
    PciGpu other;
    other.address = "0000:00:02.0";
    other.vendor = vendor;
    other.product = Fact<std::string>::known(product);
    facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({other}, {"/sys/bus/pci/devices", 0});
  }
  /// A container of this kind that nobody gave the host's GPU.
  void put_in_container(const std::string& kind) {
    facts.access.container = Fact<std::string>::known(kind, {"/.dockerenv", 0});
    facts.access.root = true;
    facts.access.nodes = Fact<std::vector<DeviceNode>>::known({}, {"/dev", 0});
    remove_driver_libraries();
    uninstall_driver();
  }
  /// WSL 2 as it should be: the driver of Windows, found through the cache.
  void put_in_wsl() {
    remove_driver();
    facts.platform.kernel_release = "5.15.153.1-microsoft-standard-WSL2";
    facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({}, {"/sys/bus/pci/devices", 0});
    facts.access.wsl = Fact<std::string>::known("2", {"uname -r", 0});
    facts.access.dxg = Fact<bool>::known(true, {"/dev/dxg", 0});
    facts.access.wsl_driver =
        Fact<std::string>::known("/usr/lib/wsl/lib/libcuda.so.1", {"/usr/lib/wsl/lib", 0});
    add_cached("/usr/lib/wsl/lib/libcuda.so.1");
    cuda_unasked();
  }
  void cuda_unasked() { facts.observed = {}; }
  void add_log(const std::string& line) { facts.driver.kernel_log.value().push_back({line}); }

  FrameworkVerdict verdict() const { return judge(facts).frameworks.front(); }
  /// Ids of the causes, root first, then what would have failed next.
  Ids causes() const {
    Ids ids;
    for (const auto& cause : verdict().causes) ids.push_back(cause.id);
    return ids;
  }
  bool plan_works() const { return verdict().plan_reaches_gpu; }
};

} // namespace gpuwhy::test
