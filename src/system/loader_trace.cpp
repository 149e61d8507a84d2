#include "system/loader_trace.h"

#include "base/text.h"
#include "loader_audit.h"

#include <algorithm>
#include <unistd.h>

namespace gpuwhy {
namespace {

/// A process that runs another program under its number begins to count anew.
constexpr std::size_t kLargest = sizeof(gpuwhy_loader_record) * 4 * GPUWHY_LOADER_MOST;

/// With an audit library glibc lays out thread-local storage before it knows what the program
/// needs (sourceware bug 31991): jemalloc's does not fit into the 512 bytes that are left, and the
/// program would not start. So more is left: 4 KiB a thread.
constexpr std::string_view kTunable = "glibc.rtld.optional_static_tls";
constexpr std::string_view kRoom = "=4096";

std::vector<std::byte> read_all(int descriptor) {
  std::vector<std::byte> bytes(kLargest);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto count =
        ::pread(descriptor, bytes.data() + size, bytes.size() - size, static_cast<off_t>(size));
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  bytes.shrink_to_fit();
  return bytes;
}

} // namespace

Result<std::unique_ptr<LoaderTrace>> LoaderTrace::create(std::span<const std::byte> library) {
  auto made = InjectedLibrary::create(library, "libgpuwhy_loader.so");
  if (!made) return tl::unexpected(made.error());
  return std::unique_ptr<LoaderTrace>(new LoaderTrace(std::move(*made)));
}

std::vector<std::string> LoaderTrace::variables(const std::optional<std::string>& tunables) const {
  std::vector<std::string> all{"LD_AUDIT=" + library_->path(),
                               GPUWHY_LOADER_DIRECTORY "=" + library_->directory()};
  const auto theirs = tunables.value_or("");
  if (!contains(theirs, kTunable))
    all.push_back("GLIBC_TUNABLES=" + (theirs.empty() ? "" : theirs + ":") + std::string(kTunable) +
                  std::string(kRoom));
  return all;
}

bool LoaderTrace::seen() const {
  return library_->has(GPUWHY_LOADER_SEEN);
}
bool LoaderTrace::too_old() const {
  return library_->has(GPUWHY_LOADER_OLD);
}

std::vector<LoaderTrace::Process> LoaderTrace::read() const {
  std::vector<Process> all;
  library_->for_each_process([&](int pid, int descriptor) {
    all.push_back({pid, read_all(descriptor)});
  });
  std::sort(all.begin(), all.end(),
            [](const Process& a, const Process& b) { return a.pid < b.pid; });
  return all;
}

} // namespace gpuwhy
