// Reads a file by ranges and remembers them, so that neighbouring questions cost one system call.
#pragma once

#include "system/system.h"

namespace gpuwhy {

class FileRanges {
public:
  FileRanges(System& system, std::string path) : system_(system), path_(std::move(path)) {}

  /// `size` bytes at `offset`, fewer at the end of the file.
  Answer<std::string> get(std::uint64_t offset, std::size_t size);
  const std::string& path() const { return path_; }

private:
  struct Range {
    std::uint64_t offset = 0;
    std::string bytes;
    bool at_end = false; // the file ended inside it
  };

  System& system_;
  std::string path_;
  std::vector<Range> ranges_;
};

} // namespace gpuwhy
