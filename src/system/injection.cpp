#include "system/injection.h"

#include "cuda_windows.h"

#include <array>
#include <cstring>
#include <unistd.h>

namespace gpuwhy {

Result<std::unique_ptr<Injection>> Injection::create(std::span<const std::byte> library) {
  if (library.empty()) return fail("this gpuwhy was built without CUPTI's headers");
  auto made = InjectedLibrary::create(library, "libgpuwhy_windows.so");
  if (!made) return tl::unexpected(made.error());
  return std::unique_ptr<Injection>(new Injection(std::move(*made)));
}

std::vector<std::string> Injection::variables() const {
  return {"CUDA_INJECTION64_PATH=" + library_->path(),
          GPUWHY_WINDOWS_DIRECTORY "=" + library_->directory()};
}

std::vector<Injection::Process> Injection::read() const {
  std::vector<Process> all;
  library_->for_each_process([&](int pid, int descriptor) {
    std::array<gpuwhy_windows, 2> twice{};
    bool whole = true;
    for (auto& each : twice)
      whole &= ::pread(descriptor, &each, sizeof each, 0) == static_cast<ssize_t>(sizeof each);
    const bool steady = twice[0].sequence == twice[1].sequence && twice[0].sequence % 2 == 0;
    if (!whole || !steady || twice[0].magic != GPUWHY_WINDOWS_MAGIC ||
        twice[0].size != sizeof twice[0])
      return;
    twice[0].library[sizeof twice[0].library - 1] = '\0';
    Process process{pid, std::vector<std::byte>(sizeof twice[0])};
    std::memcpy(process.bytes.data(), twice.data(), sizeof twice[0]);
    all.push_back(std::move(process));
  });
  return all;
}

} // namespace gpuwhy
