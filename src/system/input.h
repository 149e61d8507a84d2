// A file that the user named as input: unlike what collectors look at, it may be a pipe.
#pragma once

#include "base/result.h"
#include "system/descriptor.h"

#include <cstddef>
#include <string>

namespace gpuwhy {

/// The whole of `path`; "-" is standard input. Errors name the file: not there, a directory, or
/// larger than `limit` bytes.
Result<std::string> read_input(const std::string& path, std::size_t limit);

/// A file that grows line by line while we run. After the first failed write (a full disk) it takes
/// no more.
class GrowingFile {
public:
  static Result<GrowingFile> create(const std::string& path);
  void append(const std::string& text);
  /// Why it stopped; empty: all is written.
  const std::string& problem() const { return problem_; }

private:
  GrowingFile(Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Descriptor file_;
  std::string path_;
  std::string problem_;
};

/// Writes `text` to `path`: a file through a neighbour that is renamed once it is whole; what is
/// not a file (a device, a pipe, a link) stays what it is and is written into.
Result<void> write_output(const std::string& path, const std::string& text);

} // namespace gpuwhy
