#include "system/injected_library.h"

#include "base/text.h"
#include "system/descriptor.h"

#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <limits>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <vector>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostFiles = 1024;

bool write_whole(const std::string& path, std::span<const std::byte> bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
  while (file && !bytes.empty()) {
    const auto count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return static_cast<bool>(file);
}

bool may_execute(const std::string& directory) {
  struct statvfs found {};
  return ::statvfs(directory.c_str(), &found) == 0 && (found.f_flag & ST_NOEXEC) == 0;
}

std::vector<std::string> places() {
  std::vector<std::string> all;
  for (const char* name : {"TMPDIR", "XDG_RUNTIME_DIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && value[0] == '/') all.emplace_back(value);
  }
  all.insert(all.end(), {"/tmp", "/var/tmp", "/dev/shm"});
  return all;
}

} // namespace

Result<std::unique_ptr<InjectedLibrary>> InjectedLibrary::create(std::span<const std::byte> library,
                                                                 std::string_view name) {
  for (const auto& place : places()) {
    if (!may_execute(place)) continue;
    std::string pattern = place + "/gpuwhy-run-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) continue;
    auto path = pattern + "/" + std::string(name);
    std::unique_ptr<InjectedLibrary> made(new InjectedLibrary(pattern, path));
    if (write_whole(path, library)) return made;
  }
  return fail("no directory from which a library may be loaded (TMPDIR, /tmp, /var/tmp, /dev/shm)");
}

InjectedLibrary::~InjectedLibrary() {
  if (DIR* directory = ::opendir(directory_.c_str())) {
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') ::unlinkat(::dirfd(directory), entry->d_name, 0);
    }
    ::closedir(directory);
  }
  ::rmdir(directory_.c_str());
}

bool InjectedLibrary::has(const char* name) const {
  struct stat found {};
  return ::lstat((directory_ + "/" + name).c_str(), &found) == 0;
}

void InjectedLibrary::for_each_process(
    const std::function<void(int pid, int descriptor)>& see) const {
  DIR* directory = ::opendir(directory_.c_str());
  if (directory == nullptr) return;
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const auto pid = to_number(entry->d_name);
    if (!pid || *pid > std::numeric_limits<int>::max() || ++count > kMostFiles) continue;
    const Descriptor file(::openat(::dirfd(directory), entry->d_name,
                                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file) see(static_cast<int>(*pid), file.get());
  }
  ::closedir(directory);
}

} // namespace gpuwhy
