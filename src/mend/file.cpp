#include "mend/file.h"

#include "base/text.h"
#include "system/descriptor.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/stat.h>

namespace gpuwhy::mend {
namespace {

constexpr mode_t kPermissions = 07777;

tl::unexpected<Error> failed(const std::string& path) {
  return fail(printable(path) + ": " + std::strerror(errno));
}

/// Others than root and this user could put something else in its place.
bool open_to_others(const struct stat& status) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) return true;
  if ((status.st_mode & S_ISVTX) != 0) return false;
  if ((status.st_mode & S_IWOTH) != 0) return true;
  return (status.st_mode & S_IWGRP) != 0 && status.st_gid != ::getegid() && status.st_gid != 0;
}

/// The directory of `path`, its links resolved, once every step to it is safe.
Result<Descriptor> open_parent(const std::string& path) {
  const std::string parent(parent_path(path));
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(parent.c_str(), nullptr), ::free);
  if (!real) return failed(parent);
  Descriptor directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string walked;
  for (const auto part : split(std::string_view(real.get()).substr(1), '/')) {
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0) return failed(walked);
    if (open_to_others(status))
      return fail(printable(walked.empty() ? "/" : walked) +
                  ": others than you may write there, so gpuwhy does not");
    if (part.empty()) break; // the root itself
    walked += "/" + std::string(part);
    Descriptor next(::openat(directory.get(), std::string(part).c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return failed(walked);
    directory = std::move(next);
  }
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) return failed(walked);
  if (open_to_others(status))
    return fail(printable(walked) + ": others than you may write there, so gpuwhy does not");
  return directory;
}

Result<std::string> read_all(int descriptor, const std::string& path) {
  std::string bytes;
  std::array<char, 64U << 10U> buffer{};
  for (;;) {
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path);
    if (got == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > kLargestFile) return fail(printable(path) + ": too large to be changed");
  }
}

Result<Original> read_in(int directory, const std::string& path) {
  const std::string name(base_name(path));
  Original original;
  const Descriptor file(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) {
    original.user = ::geteuid();
    original.group = ::getegid();
    return original;
  }
  if (!file && errno == ELOOP)
    return fail(printable(path) + ": a link, and gpuwhy does not write through links");
  if (!file) return failed(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(path);
  if (!S_ISREG(status.st_mode)) return fail(printable(path) + ": not a regular file");
  if (status.st_nlink > 1)
    return fail(printable(path) + ": has other names (hard links), which would keep the old text");
  if (status.st_uid != ::geteuid()) return fail(printable(path) + ": not yours");
  auto bytes = read_all(file.get(), path);
  if (!bytes) return tl::unexpected(bytes.error());
  original.existed = true;
  original.bytes = std::move(*bytes);
  original.mode = status.st_mode & kPermissions;
  original.user = status.st_uid;
  original.group = status.st_gid;
  return original;
}

bool same(const Original& a, const Original& b) {
  return a.existed == b.existed && a.bytes == b.bytes;
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// The new content beside the old one, on the disk, then in its place.
Result<void> put(int directory, const std::string& path, std::string_view bytes,
                 const Original& like) {
  const std::string name(base_name(path));
  const auto fresh = ".gpuwhy-new." + name;
  ::unlinkat(directory, fresh.c_str(), 0); // of a run that was cut short
  const Descriptor file(::openat(directory, fresh.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed(path);
  const auto drop = [&](tl::unexpected<Error> error) {
    ::unlinkat(directory, fresh.c_str(), 0);
    return error;
  };
  if (auto written = write_all(file.get(), bytes, path); !written)
    return drop(tl::unexpected(written.error()));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return drop(failed(path));
  const bool other = status.st_uid != like.user || status.st_gid != like.group;
  if (other && ::fchown(file.get(), like.user, like.group) != 0) return drop(failed(path));
  if (::fchmod(file.get(), like.mode) != 0) return drop(failed(path));
  if (::fsync(file.get()) != 0) return drop(failed(path));
  if (::renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return drop(failed(path));
  if (::fsync(directory) != 0) return failed(path);
  return {};
}

/// The directory, once the file in it is found to be as in `expected`.
Result<Descriptor> open_unchanged(const std::string& path, const Original& expected) {
  auto directory = open_parent(path);
  if (!directory) return directory;
  const auto now = read_in(directory->get(), path);
  if (!now) return tl::unexpected(now.error());
  if (!same(*now, expected))
    return fail(printable(path) + ": was changed by somebody else meanwhile");
  return directory;
}

} // namespace

Result<Original> read_original(const std::string& path) {
  const auto directory = open_parent(path);
  if (!directory) return tl::unexpected(directory.error());
  return read_in(directory->get(), path);
}

Result<void> replace(const std::string& path, const Original& original, std::string_view bytes) {
  const auto directory = open_unchanged(path, original);
  if (!directory) return tl::unexpected(directory.error());
  return put(directory->get(), path, bytes, original);
}

Result<void> restore(const std::string& path, const Original& now, const Original& original) {
  const auto directory = open_unchanged(path, now);
  if (!directory) return tl::unexpected(directory.error());
  if (original.existed) return put(directory->get(), path, original.bytes, original);
  const std::string name(base_name(path));
  if (::unlinkat(directory->get(), name.c_str(), 0) != 0) return failed(path);
  if (::fsync(directory->get()) != 0) return failed(path);
  return {};
}

Result<void> make_private_directory(const std::string& path) {
  std::string made;
  for (const auto part : split(std::string_view(path), '/')) {
    if (part.empty()) continue;
    made += "/" + std::string(part);
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) return failed(made);
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return failed(path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(printable(path) + ": not a directory of yours alone");
  return {};
}

} // namespace gpuwhy::mend
