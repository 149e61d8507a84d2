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
constexpr std::size_t kShownText = 700; // what PyTorch says of its memory is that long

constexpr std::array<std::string_view, 9> kOutOfMemory{
    "cuda out of memory",        "cuda error: out of memory",
    "cuda_error_out_of_memory",  "resource_exhausted: out of memory",
    "resourceexhaustederror",    "oom when allocating tensor",
    "cudaerrormemoryallocation", "outofmemoryerror",
    "resource_exhausted",
};

constexpr std::string_view kTraceback = "Traceback (most recent call last):";

/// A fatal line of glog ("F0000 00:00:...", or TensorFlow's older "2023-...: F tensorflow/..."), of
/// the C++ library, of Python itself.
bool is_fatal(std::string_view line) {
  const bool glog = line.size() > 6 && line[0] == 'F' && line[5] == ' ' &&
                    line.substr(1, 4).find_first_not_of("0123456789") == std::string_view::npos;
  return glog || contains(line, ": F tensorflow/") || contains(line, ": F external/") ||
         line.starts_with("terminate called after") || line.starts_with("Fatal Python error:");
}

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

Sign SignReader::sign(Sign::Kind kind, std::string_view line) const {
  return {kind, printable(trim(line).substr(0, kShownText)), where_};
}

/// An uncaught exception stands after its traceback, where the lines are no longer indented. Ranks
/// may write a name before each line.
void SignReader::look_for_end(std::string_view line) {
  if (const auto at = line.find(kTraceback); at != std::string_view::npos) {
    traceback_ = line.substr(0, at);
    return;
  }
  if (is_fatal(line)) fatal_ = sign(Sign::Kind::fatal, line);
  if (!traceback_ || !line.starts_with(*traceback_)) return;
  const auto said = line.substr(traceback_->size());
  if (said.empty() || said.front() == ' ') return;
  fatal_ = sign(Sign::Kind::fatal, said);
  traceback_.reset();
}

void SignReader::take(std::string_view line) {
  auto& to = signs_;
  if (to.size() >= kMostSigns || line.empty()) return;
  const auto lowered = lower(line);
  const auto says = [&](const auto& words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view part) { return contains(lowered, part); });
  };
  const bool memory = says(kOutOfMemory) && !is_passing(lowered);
  if (!memory && !says(kDeviceError)) return;
  auto found = sign(memory ? Sign::Kind::out_of_memory : Sign::Kind::device_error, line);
  if (std::find(to.begin(), to.end(), found) == to.end()) to.push_back(std::move(found));
}

void SignReader::end_line() {
  take(line_);
  look_for_end(line_);
  line_.clear();
}

void SignReader::read(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find_first_of("\r\n");
    const auto piece = bytes.substr(0, end);
    if (line_.size() < kLongestLine) line_.append(piece.substr(0, kLongestLine - line_.size()));
    if (end == std::string_view::npos) return;
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

std::vector<Sign> SignReader::signs() const {
  auto ended = *this;
  ended.end_line();
  if (ended.fatal_) ended.signs_.push_back(std::move(*ended.fatal_));
  return std::move(ended.signs_);
}

const Sign* RunEnd::last_words() const {
  if (!failed()) return nullptr;
  const auto last = std::find_if(signs.rbegin(), signs.rend(),
                                 [](const Sign& each) { return each.kind == Sign::Kind::fatal; });
  return last == signs.rend() ? nullptr : &*last;
}

} // namespace gpuwhy::use
