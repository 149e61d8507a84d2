// The library that the loader tells of its searches (probes/loader_audit.c), and its records.
#pragma once

#include "base/result.h"
#include "system/injected_library.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gpuwhy {

class LoaderTrace {
public:
  static Result<std::unique_ptr<LoaderTrace>> create(std::span<const std::byte> library);

  /// "NAME=value" for the program, which has GLIBC_TUNABLES of its own or not.
  std::vector<std::string> variables(const std::optional<std::string>& tunables) const;
  /// A process was seen, whatever it looked for; one was not, as its C library is too old.
  bool seen() const;
  bool too_old() const;
  struct Process {
    int pid = 0;
    std::vector<std::byte> bytes; // of gpuwhy_loader_records, as they are in the file
  };
  /// In the order of their numbers.
  std::vector<Process> read() const;

private:
  explicit LoaderTrace(std::unique_ptr<InjectedLibrary> library) : library_(std::move(library)) {}
  std::unique_ptr<InjectedLibrary> library_;
};

} // namespace gpuwhy
