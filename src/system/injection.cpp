#include "system/injection.h"

#include "base/text.h"
#include "cuda_windows.h"
#include "system/descriptor.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace gpuwhy {
namespace {

constexpr std::string_view kLibrary = "/libgpuwhy_windows.so";
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

Result<std::unique_ptr<Injection>> Injection::create(std::span<const std::byte> library) {
  if (library.empty()) return fail("this gpuwhy was built without CUPTI's headers");
  for (const auto& place : places()) {
    if (!may_execute(place)) continue;
    std::string pattern = place + "/gpuwhy-run-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) continue;
    std::unique_ptr<Injection> made(new Injection(pattern));
    if (write_whole(pattern + std::string(kLibrary), library)) return made;
  }
  return fail("no directory for the library that counts CUDA calls");
}

Injection::~Injection() {
  if (DIR* directory = ::opendir(directory_.c_str())) {
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') ::unlinkat(::dirfd(directory), entry->d_name, 0);
    }
    ::closedir(directory);
  }
  ::rmdir(directory_.c_str());
}

std::vector<std::string> Injection::variables() const {
  return {"CUDA_INJECTION64_PATH=" + directory_ + std::string(kLibrary),
          GPUWHY_WINDOWS_DIRECTORY "=" + directory_};
}

std::vector<Injection::Process> Injection::read() const {
  std::vector<Process> all;
  DIR* directory = ::opendir(directory_.c_str());
  if (directory == nullptr) return all;
  while (const dirent* entry = ::readdir(directory)) {
    const auto pid = to_number(entry->d_name);
    if (!pid || all.size() >= kMostFiles) continue;
    const Descriptor file(::openat(::dirfd(directory), entry->d_name,
                                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) continue;
    std::array<gpuwhy_windows, 2> twice{};
    bool whole = true;
    for (auto& each : twice)
      whole &= ::pread(file.get(), &each, sizeof each, 0) == static_cast<ssize_t>(sizeof each);
    const bool steady = twice[0].sequence == twice[1].sequence && twice[0].sequence % 2 == 0;
    if (!whole || !steady || twice[0].magic != GPUWHY_WINDOWS_MAGIC ||
        twice[0].size != sizeof twice[0])
      continue;
    twice[0].library[sizeof twice[0].library - 1] = '\0';
    Process process{static_cast<int>(*pid), std::vector<std::byte>(sizeof twice[0])};
    std::memcpy(process.bytes.data(), twice.data(), sizeof twice[0]);
    all.push_back(std::move(process));
  }
  ::closedir(directory);
  return all;
}

} // namespace gpuwhy
