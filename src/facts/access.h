// May this process reach the GPU: device nodes, container, WSL, scheduler (loader.md 3.4 to 3.7).
#pragma once

#include "facts/fact.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct DeviceNode {
  std::string path; // "/dev/nvidia0"
  int major = 0;
  int minor = 0;
  std::string mode;    // "0666"
  Fact<bool> usable;   // this process may open it read-write; unknown: not tried
  std::string problem; // "EACCES", "EPERM", ... when usable is false

  template <class V> static void fields(V&& v) {
    v("path", &DeviceNode::path, "Device node");
    v("major", &DeviceNode::major, "Major number");
    v("minor", &DeviceNode::minor, "Minor number");
    v("mode", &DeviceNode::mode, "Permission bits, octal");
    v("usable", &DeviceNode::usable, "This user may open it for reading and writing");
    v("problem", &DeviceNode::problem, "errno name of the failed open");
  }
};

struct Access {
  Fact<std::vector<DeviceNode>>
      nodes;           // /dev/nvidia[0-9]*, nvidiactl, nvidia-uvm; known and empty: none
  Fact<int> uvm_major; // as registered in /proc/devices; absent: not registered
  bool root = false;   // effective uid 0: the driver creates missing nodes itself
  Fact<std::string> user_namespace; // known "mapped" if uid 0 here is not uid 0 outside; absent:
                                    // initial namespace
  Fact<std::string> container;      // "docker", "podman", "kubernetes", "lxc", "systemd-nspawn",
                                    // "apptainer"; absent: none
  Fact<std::string> wsl;            // "1" or "2"; absent: not WSL
  Fact<bool> dxg;                   // /dev/dxg is there
  Fact<std::string> wsl_driver;     // /usr/lib/wsl/lib/libcuda.so.1; absent: not there
  Fact<std::vector<std::string>> driver_mounts; // driver files mounted into this container
  Fact<std::string> scheduler; // "slurm job 123", "kubernetes pod ..."; absent: none
  Fact<std::vector<std::string>>
      scheduler_gpus; // what the scheduler says it gave ("SLURM_JOB_GPUS=0")

  template <class V> static void fields(V&& v) {
    v("nodes", &Access::nodes, "NVIDIA device nodes");
    v("uvm_major", &Access::uvm_major, "Major number of nvidia-uvm in /proc/devices");
    v("root", &Access::root, "Effective user is root");
    v("user_namespace", &Access::user_namespace, "Root here is not root outside");
    v("container", &Access::container, "Kind of container around this process");
    v("wsl", &Access::wsl, "WSL version");
    v("dxg", &Access::dxg, "/dev/dxg exists");
    v("wsl_driver", &Access::wsl_driver, "The Windows driver's libcuda inside WSL");
    v("driver_mounts", &Access::driver_mounts, "Driver files mounted into the container");
    v("scheduler", &Access::scheduler, "Batch scheduler that runs this process");
    v("scheduler_gpus", &Access::scheduler_gpus, "GPUs that the scheduler granted");
  }
};

} // namespace gpuwhy
