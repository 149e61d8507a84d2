// The library that libcuda loads into an observed program (probes/cuda_windows.c) and the files
// through which it tells what it counted. All lie in one directory of ours that is removed at the
// end.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct gpuwhy_windows;

namespace gpuwhy {

class Injection {
public:
  /// Fails where no directory can be had from which programs may be loaded.
  static Result<std::unique_ptr<Injection>> create(std::span<const std::byte> library);
  ~Injection();
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  /// "NAME=value" for the program.
  std::vector<std::string> variables() const;
  struct Process {
    int pid = 0;
    std::vector<std::byte> bytes; // of a gpuwhy_windows, read whole and checked
  };
  /// What each process has told so far. A file that is being written is read again next time.
  std::vector<Process> read() const;

private:
  explicit Injection(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
};

} // namespace gpuwhy
