// Every question is one or two system calls; see open(2), proc(5), path_resolution(7).
#include "system/live.h"

#include "system/cpu.h"
#include "system/descriptor.h"
#include "system/identity.h"
#include "system/kernel_log.h"
#include "system/probe_images.h"
#include "system/subprocess.h"
#include "system/unavailable.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <limits>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostEntries = 65'536;
constexpr std::size_t kLargestRange = 64U << 20U;

/// A path with a NUL in it would name another file to the kernel than to us.
bool has_nul(const std::string& path) {
  return path.find('\0') != std::string::npos;
}

FileStatus::Type type_of(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFDIR: return FileStatus::Type::directory;
  case S_IFLNK: return FileStatus::Type::link;
  case S_IFIFO: return FileStatus::Type::fifo;
  case S_IFSOCK: return FileStatus::Type::socket;
  case S_IFCHR: return FileStatus::Type::character_device;
  case S_IFBLK: return FileStatus::Type::block_device;
  default: return FileStatus::Type::regular;
  }
}

FileStatus file_status(const struct stat& found) {
  FileStatus status;
  status.type = type_of(found.st_mode);
  status.size = static_cast<std::uint64_t>(found.st_size);
  status.mode = found.st_mode & 07777U;
  status.user = found.st_uid;
  status.group = found.st_gid;
  status.device_major = major(found.st_rdev);
  status.device_minor = minor(found.st_rdev);
  status.device = found.st_dev;
  status.inode = found.st_ino;
  status.modified = found.st_mtim.tv_sec;
  return status;
}

NoAnswer not_a_file(const std::string& path, mode_t mode) {
  const char* what = S_ISDIR(mode)    ? "a directory"
                     : S_ISFIFO(mode) ? "a FIFO"
                     : S_ISSOCK(mode) ? "a socket"
                                      : "a device";
  return unavailable(Unavailable::Kind::unsuitable, path + ": is " + what + ", not a file");
}

NoAnswer too_large(const std::string& path, std::size_t limit) {
  return unavailable(Unavailable::Kind::unsuitable,
                     path + ": larger than " + std::to_string(limit) + " bytes", EFBIG);
}

Answer<struct stat> stat_of(const std::string& path, int flags) {
  if (has_nul(path)) return unavailable(path, EINVAL);
  struct stat found {};
  if (::fstatat(AT_FDCWD, path.c_str(), &found, flags) != 0) return unavailable(path, errno);
  return found;
}

struct OpenFile {
  Descriptor descriptor;
  struct stat status {};
};

/// A regular file, open for reading. Looks before it opens, since opening alone can act (a watchdog
/// device starts its clock, a FIFO lets its writer go on), and looks again at what it got.
Answer<OpenFile> open_file(const std::string& path) {
  const auto seen = stat_of(path, 0);
  if (!seen) return tl::unexpected(seen.error());
  if (!S_ISREG(seen->st_mode)) return not_a_file(path, seen->st_mode);
  OpenFile file;
  file.descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.descriptor) return unavailable(path, errno);
  if (::fstat(file.descriptor.get(), &file.status) != 0) return unavailable(path, errno);
  if (!S_ISREG(file.status.st_mode)) return not_a_file(path, file.status.st_mode);
  return file;
}

/// Up to `size` bytes from `offset`, or from the descriptor's own position, as some files in procfs
/// cannot seek. Grows as bytes arrive, because procfs files call themselves empty.
Answer<std::string> read_range(const std::string& path, int descriptor,
                               std::optional<std::uint64_t> offset, std::size_t size,
                               std::size_t expected) {
  std::string bytes;
  std::size_t filled = 0;
  while (filled < size) {
    if (filled == bytes.size()) {
      const std::size_t wanted =
          filled == 0 ? expected + 1 : std::max<std::size_t>(filled * 2, 4096);
      bytes.resize(std::min(size, wanted));
    }
    char* const target = bytes.data() + filled;
    const std::size_t room = bytes.size() - filled;
    const auto count = offset
                           ? ::pread(descriptor, target, room, static_cast<off_t>(*offset + filled))
                           : ::read(descriptor, target, room);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unavailable(path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

class LiveSystem final : public System {
public:
  LiveSystem() : environment_(own_environment()), identity_(own_identity(environment_)) {}

  Answer<FileStatus> status(const std::string& path) override {
    return stat_of(path, 0).map(file_status);
  }

  Answer<FileStatus> status_of_link(const std::string& path) override {
    return stat_of(path, AT_SYMLINK_NOFOLLOW).map(file_status);
  }

  Answer<std::string> real_path(const std::string& path) override {
    if (has_nul(path)) return unavailable(path, EINVAL);
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr),
                                                          std::free);
    if (!resolved) return unavailable(path, errno);
    return std::string(resolved.get());
  }

  Answer<std::string> read_link(const std::string& path) override {
    if (has_nul(path)) return unavailable(path, EINVAL);
    // A link's size is no guide: those of procfs say 0.
    for (std::string target(256, '\0');; target.resize(target.size() * 4)) {
      const auto length = ::readlink(path.c_str(), target.data(), target.size());
      if (length < 0 && errno == EINVAL) {
        return unavailable(Unavailable::Kind::unsuitable, path + ": is not a link", EINVAL);
      }
      if (length < 0) return unavailable(path, errno);
      const auto size = static_cast<std::size_t>(length);
      if (size < target.size()) return target.substr(0, size);
    }
  }

  Answer<std::vector<DirectoryEntry>> list(const std::string& path) override {
    if (has_nul(path)) return unavailable(path, EINVAL);
    Descriptor opened(
        ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!opened) return no_list(path, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(opened.get()), ::closedir);
    if (!directory) return unavailable(path, errno);
    opened.release();
    std::vector<DirectoryEntry> entries;
    while (entries.size() < kMostEntries) {
      errno = 0;
      const dirent* entry = ::readdir(directory.get());
      if (entry == nullptr && errno != 0) return unavailable(path, errno);
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), is_directory(::dirfd(directory.get()), *entry)});
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& left, const auto& right) { return left.name < right.name; });
    return entries;
  }

  Answer<std::string> read(const std::string& path, std::size_t limit) override {
    const auto file = open_file(path);
    if (!file) return tl::unexpected(file.error());
    const auto size = static_cast<std::uint64_t>(file->status.st_size);
    if (size > limit) return too_large(path, limit);
    // One byte more than allowed tells a file that is longer than it says, or grew just now.
    const std::size_t most = limit == std::numeric_limits<std::size_t>::max() ? limit : limit + 1;
    auto bytes = read_range(path, file->descriptor.get(), std::nullopt, most,
                            static_cast<std::size_t>(size));
    if (bytes && bytes->size() > limit) return too_large(path, limit);
    return bytes;
  }

  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override {
    const std::lock_guard lock(last_mutex_);
    if (auto opened = open_last(path); !opened) return tl::unexpected(opened.error());
    const auto end = static_cast<std::uint64_t>(last_.status.st_size);
    // The wish comes from a file header; the file's own size is what bounds the memory it costs.
    // A size of 0 may be procfs: there the reading itself finds the end.
    if (end != 0) size = offset < end ? std::min<std::uint64_t>(size, end - offset) : 0;
    if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) - kLargestRange) {
      return std::string();
    }
    if (size > kLargestRange && end != 0) return too_large(path, kLargestRange);
    size = std::min(size, kLargestRange);
    return read_range(path, last_.descriptor.get(), offset, size, end != 0 ? size : 0);
  }

  Answer<bool> open_device(const std::string& path) override {
    const auto seen = stat_of(path, 0);
    if (!seen) return tl::unexpected(seen.error());
    const auto unsuitable = [&] {
      return unavailable(Unavailable::Kind::unsuitable, path + ": is not a character device");
    };
    if (!S_ISCHR(seen->st_mode)) return unsuitable();
    const Descriptor device(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!device) return unavailable(path, errno);
    struct stat found {};
    if (::fstat(device.get(), &found) != 0) return unavailable(path, errno);
    if (!S_ISCHR(found.st_mode)) return unsuitable();
    return true;
  }

  const Environment& environment() override { return environment_; }
  const Identity& identity() override { return identity_; }
  std::vector<std::string> hardware_capabilities() override { return cpu_capabilities(); }
  Answer<std::string> kernel_log() override { return read_kernel_log(*this); }

  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds deadline) override {
    for (const auto& image : probe_images()) {
      if (image.name != name || image.bytes.empty()) continue;
      return run_image(name, image.bytes, {{"gpuwhy-" + name}, environment, deadline});
    }
    return unavailable(Unavailable::Kind::failed,
                       "probe " + name + " is not carried in this build");
  }

private:
  static NoAnswer no_list(const std::string& path, int error) {
    // ENOTDIR has two meanings here: the last part is a file (there, but no directory), or an
    // earlier one is.
    struct stat found {};
    if (error == ENOTDIR && ::stat(path.c_str(), &found) == 0) {
      return unavailable(Unavailable::Kind::unsuitable, path + ": is not a directory", error);
    }
    return unavailable(path, error);
  }

  static bool is_directory(int directory, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat found {};
    return ::fstatat(directory, entry.d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(found.st_mode);
  }

  /// Makes `last_` the file that `path` leads to now. While we hold a file open no other can take
  /// its inode number, so the same device and inode mean the same file; only its size
  /// is taken anew.
  Answer<bool> open_last(const std::string& path) {
    if (last_.descriptor && path == last_path_) {
      const auto now = stat_of(path, 0);
      if (!now) return tl::unexpected(now.error());
      if (now->st_dev == last_.status.st_dev && now->st_ino == last_.status.st_ino) {
        last_.status = *now;
        return true;
      }
    }
    auto file = open_file(path);
    if (!file) return tl::unexpected(file.error());
    last_ = std::move(*file);
    last_path_ = path;
    return true;
  }

  const Environment environment_;
  const Identity identity_;
  std::mutex last_mutex_;
  std::string last_path_;
  OpenFile last_; // a library is read in dozens of small ranges; opening it once a range costs more
};

} // namespace

std::unique_ptr<System> make_live_system() {
  return std::make_unique<LiveSystem>();
}

} // namespace gpuwhy
