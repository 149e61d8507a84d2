#include "system/kernel_log.h"

#include "base/text.h"
#include "system/unavailable.h"

#include <algorithm>
#include <cerrno>
#include <sys/klog.h>

namespace gpuwhy {
namespace {

// Names for these are in the kernel's sources only; the numbers are in syslog(2).
constexpr int kReadAll = 3;
constexpr int kSizeOfBuffer = 10;

Answer<std::string> from_kernel() {
  constexpr int kLargest = 8 << 20;
  const int size = ::klogctl(kSizeOfBuffer, nullptr, 0);
  if (size < 0) return unavailable("kernel log", errno);
  std::string text(static_cast<std::size_t>(std::min(size, kLargest)), '\0');
  const int length = ::klogctl(kReadAll, text.data(), static_cast<int>(text.size()));
  if (length < 0) return unavailable("kernel log", errno);
  text.resize(static_cast<std::size_t>(length));
  return strip_priorities(text);
}

Answer<std::string> end_of(System& files, const std::string& path) {
  constexpr std::uint64_t kMost = 256U << 10U;
  const auto status = files.status(path);
  if (!status) return tl::unexpected(status.error());
  const std::uint64_t start = status->size > kMost ? status->size - kMost : 0;
  auto text = files.read_at(path, start, kMost);
  if (text && start != 0) text->erase(0, text->find('\n') + 1); // most likely half a line
  return text;
}

} // namespace

std::string strip_priorities(std::string_view text) {
  std::string stripped;
  stripped.reserve(text.size());
  for (auto line : split_lines(text)) {
    if (const auto close = line.find('>'); line.starts_with('<') &&
                                           close != std::string_view::npos &&
                                           to_number(line.substr(1, close - 1))) {
      line.remove_prefix(close + 1);
    }
    stripped.append(line).push_back('\n');
  }
  return stripped;
}

Answer<std::string> read_kernel_log(System& files) {
  auto log = from_kernel();
  if (log) return log;
  for (const char* path : {"/var/log/kern.log", "/var/log/dmesg"}) {
    if (auto kept = end_of(files, path)) return kept;
  }
  return log; // the kernel's refusal is the reason worth reading: kernel.dmesg_restrict, a
              // container
}

} // namespace gpuwhy
