// One process that runs now, as /proc shows it: what it has loaded, what it was given, what we may
// not see.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gpuwhy::use {

struct LoadedLibrary {
  std::string name; // "libcuda.so.580.159.04"
  std::string path;
  bool deleted = false; // replaced on disk since: an update under a running program
};

struct ProcessFacts {
  int pid = 0;
  std::string name;
  std::vector<std::string> command;
  int threads = 0;
  std::vector<LoadedLibrary> libraries; // CUDA's and the frameworks'
  std::vector<std::string> frameworks;
  std::vector<std::string> devices;                           // "/dev/nvidia0" that it holds open
  std::vector<std::pair<std::string, std::string>> variables; // that bear on the GPU
  std::string cgroup;
  int inner_pid = 0;                 // its number in its own namespace; 0: the same
  bool other_root = false;           // it sees another file system: a container
  std::vector<std::string> problems; // what could not be read, and what would let us

  bool has_libcuda() const {
    for (const auto& library : libraries) {
      if (library.name.starts_with("libcuda.so")) return true;
    }
    return false;
  }
};

} // namespace gpuwhy::use
