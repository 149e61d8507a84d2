// Where the image goes: memory first, a private file where that is forbidden.
#include "system/subprocess.h"

#include "system/child.h"
#include "system/unavailable.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>

namespace gpuwhy {
namespace {

using std::chrono::milliseconds;

Clock::time_point moment_after(milliseconds deadline) {
  constexpr milliseconds kLongest = std::chrono::hours(1); // also keeps the sum from overflowing
  return Clock::now() + std::clamp(deadline, milliseconds::zero(), kLongest);
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

Descriptor memory_file(const std::string& name, std::span<const std::byte> image) {
  constexpr unsigned kExecutable = 0x10; // MFD_EXEC, which kernels before 6.3 refuse
  Descriptor file(::memfd_create(name.c_str(), MFD_CLOEXEC | kExecutable));
  if (!file && errno == EINVAL) file = Descriptor(::memfd_create(name.c_str(), MFD_CLOEXEC));
  file.keep_above_standard();
  if (file && !write_all(file.get(), image)) file.reset();
  return file;
}

/// A file in a directory of its own that nobody else can enter; both are gone when it goes out of
/// scope.
class PrivateFile {
public:
  PrivateFile(const std::string& parent, std::span<const std::byte> image)
      : directory_(parent + "/gpuwhy-XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) {
      error_ = errno;
      directory_.clear();
      return;
    }
    path_ = directory_ + "/probe";
    const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
    if (!file || !write_all(file.get(), image)) error_ = errno;
  }
  ~PrivateFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (!directory_.empty()) ::rmdir(directory_.c_str());
  }
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  int error() const { return error_; }
  const std::string& path() const { return path_; }

private:
  std::string directory_;
  std::string path_;
  int error_ = 0;
};

/// The running program, or the errno with which it could not be started.
tl::expected<std::unique_ptr<Child>, int> start_file(const std::string& parent,
                                                     std::span<const std::byte> image,
                                                     const ChildCommand& command,
                                                     Clock::time_point deadline) {
  const PrivateFile file(parent, image);
  if (file.error() != 0) return tl::unexpected(file.error());
  for (int attempt = 0;; ++attempt) {
    auto child = std::make_unique<Child>(Executable{.descriptor = -1, .path = file.path()}, command,
                                         deadline);
    // A thread that forked while we wrote the file holds it open for writing until it executes its
    // own.
    if (child->error() == ETXTBSY && attempt < 20) {
      std::this_thread::sleep_for(milliseconds(5));
      continue;
    }
    if (child->error() != 0) return tl::unexpected(child->error());
    return child;
  }
}

std::vector<std::string> temporary_directories() {
  std::vector<std::string> directories;
  if (const char* chosen = std::getenv("TMPDIR"); chosen != nullptr && chosen[0] == '/') {
    directories.emplace_back(chosen);
  }
  directories.insert(directories.end(), {"/tmp", "/var/tmp", "/dev/shm"});
  return directories;
}

/// The fault is ours, not that of an object looked at, so it is never `absent` or `unreadable`.
NoAnswer not_started(const std::string& name, int error) {
  auto answer = unavailable("probe " + name + " could not be started", error);
  answer.value().kind = Unavailable::Kind::failed;
  // Of an image that was just written, only its ELF interpreter can be missing (musl, NixOS).
  if (error == ENOENT) answer.value().reason += " (its dynamic loader)";
  return answer;
}

} // namespace

Answer<std::unique_ptr<Child>> start_image(const std::string& name,
                                           std::span<const std::byte> image,
                                           const ChildCommand& command, ImagePlace place) {
  const auto deadline = moment_after(command.deadline);
  int error = 0;
  if (place == ImagePlace::memory_or_file) {
    const Descriptor file = memory_file(name, image);
    error = errno;
    if (file) {
      auto child = std::make_unique<Child>(Executable{.descriptor = file.get(), .path = {}},
                                           command, deadline);
      if (child->error() == 0) return child;
      error = child->error();
    }
    // Another place helps against a prohibition, not against a bad image or a lack of memory.
    const bool forbidden = error == EACCES || error == EPERM || error == ENOSYS || error == EINVAL;
    if (!forbidden) return not_started(name, error);
  }
  for (const auto& directory : temporary_directories()) {
    auto child = start_file(directory, image, command, deadline);
    if (child) return std::move(*child);
    if (error == 0) error = child.error(); // the first one is the place meant for this
  }
  return not_started(name, error);
}

Answer<ProcessResult> run_image(const std::string& name, std::span<const std::byte> image,
                                const ChildCommand& command, ImagePlace place) {
  auto child = start_image(name, image, command, place);
  if (!child) return tl::unexpected(std::move(child.error()));
  return (*child)->finish(command.output_limit);
}

Answer<ProcessResult> run_executable(const std::string& path, const ChildCommand& command) {
  if (path.find('\0') != std::string::npos) return unavailable(path, EINVAL);
  Child child({.descriptor = -1, .path = path}, command, moment_after(command.deadline));
  if (child.error() != 0) return unavailable(path, child.error());
  return child.finish(command.output_limit);
}

} // namespace gpuwhy
