#include "system/input_stream.h"

#include "base/text.h"
#include "system/descriptor.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace gpuwhy {
namespace {

constexpr std::size_t kPiece = 256U << 10U;
constexpr std::chrono::milliseconds kWait{200};

tl::unexpected<Error> failed(const std::string& path, int error) {
  return fail(printable(path == "-" ? "standard input" : path) + ": " + std::strerror(error));
}

volatile sig_atomic_t interrupted = 0;

void on_end(int) {
  interrupted = 1;
}

/// While it lives, SIGINT and SIGTERM end the reading, not the process.
class EndOnSignal {
public:
  EndOnSignal() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = on_end; // no SA_RESTART: it also ends a read that waits
    ::sigaction(SIGINT, &action, &interrupt_);
    ::sigaction(SIGTERM, &action, &terminate_);
  }
  ~EndOnSignal() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGTERM, &terminate_, nullptr);
  }
  EndOnSignal(const EndOnSignal&) = delete;
  EndOnSignal& operator=(const EndOnSignal&) = delete;

private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

/// To the end; the number of bytes read.
Result<std::size_t> drain(int descriptor, const std::string& path,
                          const std::function<void(std::string_view)>& take) {
  const auto buffer = std::make_unique<char[]>(kPiece);
  std::size_t total = 0;
  for (;;) {
    const auto count = ::read(descriptor, buffer.get(), kPiece);
    if (count < 0 && errno == EINTR && interrupted == 0) continue;
    if (count < 0 && errno == EINTR) return total;
    if (count < 0) return failed(path, errno);
    if (count == 0) return total;
    take({buffer.get(), static_cast<std::size_t>(count)});
    total += static_cast<std::size_t>(count);
  }
}

Result<Descriptor> open_input(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failed(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) return failed(path, EISDIR);
  return file;
}

} // namespace

Result<void> stream_input(const std::string& path,
                          const std::function<void(std::string_view)>& take) {
  if (path == "-") {
    if (const auto read = drain(STDIN_FILENO, path, take); !read)
      return tl::unexpected(read.error());
    return {};
  }
  const auto file = open_input(path);
  if (!file) return tl::unexpected(file.error());
  if (const auto read = drain(file->get(), path, take); !read) return tl::unexpected(read.error());
  return {};
}

Result<void> follow_input(const std::string& path,
                          const std::function<void(std::string_view)>& take,
                          const std::function<bool()>& idle) {
  if (path == "-") return fail("standard input cannot be followed: name a file");
  const auto file = open_input(path);
  if (!file) return tl::unexpected(file.error());
  const EndOnSignal until_then;
  for (;;) {
    const auto read = drain(file->get(), path, take);
    if (!read) return tl::unexpected(read.error());
    if (!idle() || interrupted != 0) return {};
    std::this_thread::sleep_for(kWait);
    struct stat status {};
    const auto position = ::lseek(file->get(), 0, SEEK_CUR);
    if (::fstat(file->get(), &status) == 0 && status.st_size < position)
      ::lseek(file->get(), 0, SEEK_SET);
  }
}

} // namespace gpuwhy
