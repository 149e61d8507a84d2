#include "system/claims.h"

#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

namespace gpuwhy {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kLongestReservation =
    std::int64_t{24} * 3600; // seconds; a clock that jumped must not block for ever

std::string directory_of(const Environment& environment) {
  const auto runtime = environment.find("XDG_RUNTIME_DIR");
  if (runtime != environment.end() && runtime->second.starts_with('/')) {
    struct stat found {};
    if (::stat(runtime->second.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
        found.st_uid == ::geteuid()) {
      return join_path(runtime->second, "gpuwhy");
    }
  }
  return "/tmp/gpuwhy-" + std::to_string(::geteuid());
}

/// UUIDs are the driver's words; as a file's name only these letters will do.
std::string file_name(const std::string& uuid) {
  std::string name;
  for (const char c : uuid.substr(0, 100)) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    name += plain ? c : '_';
  }
  return name + ".lock";
}

bool try_lock(int descriptor) {
  for (;;) {
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EINTR) return false;
  }
}

std::int64_t reserved_until(int descriptor) {
  char text[32] = "";
  const auto size = ::pread(descriptor, text, sizeof text - 1, 0);
  const auto until = size > 0
                         ? to_number(trim(std::string_view(text, static_cast<std::size_t>(size))))
                         : std::nullopt;
  return until.value_or(0);
}

bool is_reserved(int descriptor) {
  const std::int64_t now = ::time(nullptr);
  const auto until = reserved_until(descriptor);
  return until > now && until <= now + kLongestReservation;
}

} // namespace

Result<Claims> Claims::open(const Environment& environment) {
  const auto directory = directory_of(environment);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(printable(directory) + ": " + std::strerror(errno));
  }
  struct stat found {};
  if (::lstat(directory.c_str(), &found) != 0)
    return fail(printable(directory) + ": " + std::strerror(errno));
  const bool ours =
      S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 022U) == 0;
  if (!ours)
    return fail(printable(directory) + ": not a directory that only this user can write to");
  return Claims(directory);
}

Descriptor Claims::open_file(const std::string& name) const {
  Descriptor file(::open(join_path(directory_, name).c_str(),
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  file.keep_above_standard();
  return file;
}

Result<void> Claims::lock(milliseconds patience) {
  Descriptor file = open_file("choice.lock");
  if (!file) return fail(printable(directory_) + "/choice.lock: " + std::strerror(errno));
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!try_lock(file.get())) {
    if (std::chrono::steady_clock::now() >= until)
      return fail("another 'gpuwhy pick' is choosing and does not come to an end");
    std::this_thread::sleep_for(milliseconds(20));
  }
  turn_ = std::move(file);
  return {};
}

std::map<std::string, std::string> Claims::taken(const std::vector<std::string>& uuids) const {
  std::map<std::string, std::string> claimed;
  for (const auto& uuid : uuids) {
    const Descriptor file = open_file(file_name(uuid));
    if (!file) continue;
    if (!try_lock(file.get()))
      claimed[uuid] = "a program started by 'gpuwhy pick' has it";
    else if (is_reserved(file.get()))
      claimed[uuid] = "another 'gpuwhy pick' has just chosen it";
  }
  return claimed;
}

Result<void> Claims::hold(const std::string& uuid) {
  Descriptor file = open_file(file_name(uuid));
  if (!file || !try_lock(file.get()))
    return fail(printable(directory_) + ": cannot lock " + printable(uuid));
  if (::ftruncate(file.get(), 0) != 0)
    return fail(printable(directory_) + ": " + std::strerror(errno));
  ::fcntl(file.get(), F_SETFD, 0); // goes with the program
  held_.push_back(std::move(file));
  return {};
}

Result<void> Claims::reserve(const std::string& uuid, std::chrono::seconds time) {
  const Descriptor file = open_file(file_name(uuid));
  if (!file || !try_lock(file.get()))
    return fail(printable(directory_) + ": cannot lock " + printable(uuid));
  const auto seconds = std::min<std::int64_t>(time.count(), kLongestReservation);
  const auto text = std::to_string(::time(nullptr) + seconds) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), text.data(), text.size(), 0) < 0) {
    return fail(printable(directory_) + ": " + std::strerror(errno));
  }
  return {};
}

} // namespace gpuwhy
