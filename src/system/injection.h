// The library that libcuda loads into an observed program (probes/cuda_windows.c) and what it
// counted.
#pragma once

#include "base/result.h"
#include "system/injected_library.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gpuwhy {

class Injection {
public:
  static Result<std::unique_ptr<Injection>> create(std::span<const std::byte> library);

  /// "NAME=value" for the program.
  std::vector<std::string> variables() const;
  struct Process {
    int pid = 0;
    std::vector<std::byte> bytes; // of a gpuwhy_windows, read whole and checked
  };
  /// What each process has told so far. A file that is being written is read again next time.
  std::vector<Process> read() const;

private:
  explicit Injection(std::unique_ptr<InjectedLibrary> library) : library_(std::move(library)) {}
  std::unique_ptr<InjectedLibrary> library_;
};

} // namespace gpuwhy
