// The one door to the outside world. Collectors ask a System; nothing else in gpuwhy opens a file,
// reads the environment or starts a process.
//
// "Not there", "there but unreadable" and "did not answer in time" are different answers, and every
// diagnosis lives on that difference: see Unavailable.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace gpuwhy {

/// Why there is no value.
struct Unavailable {
  enum class Kind {
    absent,     // looked, and it is not there (ENOENT, ENOTDIR, a dangling link)
    unreadable, // it is there, this process may not read it (EACCES, EPERM)
    unsuitable, // it is there and is something else: a FIFO, a directory, larger than the limit
    failed,     // any other error, or a deadline that passed
    not_looked, // this System cannot answer (another root, a recording that lacks the question)
  };
  Kind kind = Kind::failed;
  std::string reason; // one line, names the object: "/dev/nvidia0: Permission denied"
  int error = 0;      // errno where there was one
};

template <class T> using Answer = tl::expected<T, Unavailable>;

struct FileStatus {
  enum class Type { regular, directory, link, fifo, socket, character_device, block_device };
  Type type = Type::regular;
  std::uint64_t size = 0; // bytes
  std::uint32_t mode = 0; // permission bits
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint32_t device_major = 0; // of the device that a device node names
  std::uint32_t device_minor = 0;
  std::uint64_t device = 0; // with inode: identity of the file, as the loader compares it
  std::uint64_t inode = 0;
  std::int64_t modified = 0; // seconds since 1970
};

struct DirectoryEntry {
  std::string name;
  bool directory = false; // a link to a directory counts as false: stat it to know
};

/// Who asks, and on what kernel.
struct Identity {
  std::uint32_t user = 0; // effective uid
  std::vector<std::uint32_t> groups;
  std::string user_name; // for redaction and advice; may be empty
  std::string home;
  std::string host;
  std::string kernel_release; // uname -r
  std::string machine;        // uname -m
  std::string working_directory;
};

/// What a child process did.
struct ProcessResult {
  int exit_status = 0;    // valid if signal is 0
  int signal = 0;         // the signal that ended it
  bool timed_out = false; // it was killed at the deadline
  std::string output;     // stdout, cut at the limit
  std::string errors;     // stderr, cut at the limit
};

using Environment = std::map<std::string, std::string, std::less<>>;

class System {
public:
  System() = default;
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  virtual ~System() = default;

  /// Status of what `path` leads to (links followed); `status_of_link` does not follow the last
  /// part.
  virtual Answer<FileStatus> status(const std::string& path) = 0;
  virtual Answer<FileStatus> status_of_link(const std::string& path) = 0;
  /// `path` with every link resolved. Loops of links are `failed` (ELOOP).
  virtual Answer<std::string> real_path(const std::string& path) = 0;
  /// What the link at `path` says, unresolved; `unsuitable` if it is not a link.
  virtual Answer<std::string> read_link(const std::string& path) = 0;
  /// Names in a directory, sorted, at most 65,536; without "." and "..".
  virtual Answer<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// A whole regular file (procfs and sysfs count), `unsuitable` if it is larger than `limit`
  /// bytes. Never blocks on a FIFO or a device.
  virtual Answer<std::string> read(const std::string& path, std::size_t limit = 1U << 20U) = 0;
  /// `size` bytes at `offset` of a regular file; fewer at its end.
  virtual Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                                      std::size_t size) = 0;
  /// Opens a character device read-write and closes it again: the only way to know a cgroup's mind.
  /// Only for nodes where that is free of side effects (see loader.md 3.4).
  virtual Answer<bool> open_device(const std::string& path) = 0;
  virtual const Environment& environment() = 0;
  virtual const Identity& identity() = 0;
  /// Subdirectories of glibc-hwcaps that this CPU supports, best first ("x86-64-v3", "x86-64-v2").
  virtual std::vector<std::string> hardware_capabilities() = 0;
  /// The kernel's log as text lines, newest last, where this user may read it.
  virtual Answer<std::string> kernel_log() = 0;
  /// Runs the probe carried in this binary under `name` with exactly `environment`.
  virtual Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                          std::chrono::milliseconds deadline) = 0;
};

} // namespace gpuwhy
