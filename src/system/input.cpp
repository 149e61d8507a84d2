#include "system/input.h"

#include "base/text.h"
#include "system/descriptor.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gpuwhy {
namespace {

std::string because(const std::string& path, int error) {
  return printable(path) + ": " + std::strerror(error);
}

/// A file, or nothing yet: a new one may take its place. Not so a device, a pipe or a link, for
/// which root could put a file where /dev/null was.
bool may_replace(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode);
}

} // namespace

Result<std::string> read_input(const std::string& path, std::size_t limit) {
  const bool standard = path == "-";
  const Descriptor opened(standard ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int descriptor = standard ? STDIN_FILENO : opened.get();
  if (descriptor < 0) return fail(because(path, errno));
  std::string text;
  std::array<char, 1U << 16U> block{};
  for (;;) {
    const auto count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(because(path, errno));
    if (count == 0) return text;
    if (text.size() + static_cast<std::size_t>(count) > limit) {
      return fail(printable(path) + ": larger than " + std::to_string(limit >> 20U) + " MiB");
    }
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

Result<GrowingFile> GrowingFile::create(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  file.keep_above_standard();
  if (!file) return fail(because(path, errno));
  return GrowingFile(std::move(file), path);
}

void GrowingFile::append(const std::string& text) {
  std::size_t written = 0;
  while (problem_.empty() && written < text.size()) {
    const auto count = ::write(file_.get(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      problem_ = because(path_, count < 0 ? errno : ENOSPC);
    else
      written += static_cast<std::size_t>(count);
  }
}

Result<void> write_output(const std::string& path, const std::string& text) {
  if (!may_replace(path)) {
    auto file = GrowingFile::create(path);
    if (!file) return tl::unexpected(file.error());
    file->append(text);
    return file->problem().empty() ? Result<void>{} : fail(file->problem());
  }
  const auto part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wxe");
  if (file == nullptr) return fail(because(part, errno));
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (whole && closed && std::rename(part.c_str(), path.c_str()) == 0) return {};
  const int error = errno;
  ::unlink(part.c_str());
  return fail(because(path, error));
}

} // namespace gpuwhy
