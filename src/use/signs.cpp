// The words are those of the CUDA runtime's and driver's error strings, of cuBLAS and cuDNN, of the
// allocators of PyTorch, XLA and TensorFlow, and of the kernel driver's Xid lines.
#include "use/signs.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::use {
namespace {

constexpr std::size_t kLongestLine = 8192;
constexpr std::size_t kMostSigns = 8;
constexpr std::size_t kShownText = 300;

constexpr std::array<std::string_view, 9> kOutOfMemory{
    "cuda out of memory",        "cuda error: out of memory",
    "cuda_error_out_of_memory",  "resource_exhausted: out of memory",
    "resourceexhaustederror",    "oom when allocating tensor",
    "cudaerrormemoryallocation", "outofmemoryerror",
    "resource_exhausted",
};

constexpr std::array<std::string_view, 14> kDeviceError{
    "illegal memory access",
    "cuda_error_illegal_address",
    "unspecified launch failure",
    "cuda_error_launch_failed",
    "device-side assert",
    "uncorrectable ecc error",
    "cuda_error_ecc_uncorrectable",
    "misaligned address",
    "gpu has fallen off the bus",
    "hardware stack error",
    "cuda_error_misaligned_address",
    "illegal instruction was encountered",
    "nvrm: xid",
    "launch timed out and was terminated",
};

/// Allocators that try a smaller block next say so at these levels; the program goes on (R10).
bool is_passing(std::string_view line) {
  return contains(line, "cuda_driver.cc") || contains(line, "cuda_executor.cc") ||
         contains(line, "retry") || contains(line, "not necessarily a problem") ||
         contains(line, "not an indicator of a failure");
}

} // namespace

void SignReader::take(std::string_view line, std::vector<Sign>& to) const {
  if (to.size() >= kMostSigns || line.empty()) return;
  const auto lowered = lower(line);
  const auto says = [&](const auto& words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view part) { return contains(lowered, part); });
  };
  const bool memory = says(kOutOfMemory) && !is_passing(lowered);
  if (!memory && !says(kDeviceError)) return;
  Sign sign{memory ? Sign::Kind::out_of_memory : Sign::Kind::device_error,
            printable(trim(line).substr(0, kShownText)), where_};
  if (std::find(to.begin(), to.end(), sign) == to.end()) to.push_back(std::move(sign));
}

void SignReader::read(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find_first_of("\r\n");
    const auto piece = bytes.substr(0, end);
    if (line_.size() < kLongestLine) line_.append(piece.substr(0, kLongestLine - line_.size()));
    if (end == std::string_view::npos) return;
    take(line_, signs_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

std::vector<Sign> SignReader::signs() const {
  auto all = signs_;
  take(line_, all);
  return all;
}

} // namespace gpuwhy::use
