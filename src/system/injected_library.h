// A library that is loaded into a program of the user's, in a directory of ours from which it may
// be loaded; through files beside it the library tells what it saw. All is removed at the end.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gpuwhy {

class InjectedLibrary {
public:
  /// `name` is the file's. Fails where no directory can be had from which programs may be loaded.
  static Result<std::unique_ptr<InjectedLibrary>> create(std::span<const std::byte> library,
                                                         std::string_view name);
  ~InjectedLibrary();
  InjectedLibrary(const InjectedLibrary&) = delete;
  InjectedLibrary& operator=(const InjectedLibrary&) = delete;

  const std::string& directory() const { return directory_; }
  const std::string& path() const { return path_; }
  bool has(const char* name) const;
  /// Opens each file that is named by a process's number, at most so many as anybody needs.
  void for_each_process(const std::function<void(int pid, int descriptor)>& see) const;

private:
  InjectedLibrary(std::string directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}
  std::string directory_;
  std::string path_;
};

} // namespace gpuwhy
