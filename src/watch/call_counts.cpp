#include "watch/call_counts.h"

#include "cuda_windows.h"
#include "system/probe_images.h"

#include <cstring>

namespace gpuwhy::watch {
namespace {

gpuwhy_windows decode(const std::vector<std::byte>& bytes) {
  gpuwhy_windows told{};
  if (bytes.size() == sizeof told) std::memcpy(&told, bytes.data(), sizeof told);
  return told;
}

/// Numbers that ran backwards (a process that got another's number) count from zero.
std::uint64_t since(std::uint64_t now, std::uint64_t before) {
  return now >= before ? now - before : now;
}
double seconds(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(since(now, before)) * 1e-9;
}

use::CudaTick difference(const gpuwhy_windows& now, const gpuwhy_windows& before) {
  return {.window = seconds(now.window_time, before.window_time),
          .launches = since(now.launches, before.launches),
          .graphs = since(now.graphs, before.graphs),
          .to_device = since(now.to_device, before.to_device),
          .to_device_bytes = since(now.to_device_bytes, before.to_device_bytes),
          .to_host = since(now.to_host, before.to_host),
          .to_host_bytes = since(now.to_host_bytes, before.to_host_bytes),
          .copy_time = seconds(now.copy_time, before.copy_time),
          .syncs = since(now.syncs, before.syncs),
          .sync_time = seconds(now.sync_time, before.sync_time),
          .loads = since(now.loads, before.loads),
          .load_time = seconds(now.load_time, before.load_time),
          .pauses = since(now.pauses, before.pauses),
          .pause_time = seconds(now.pause_time, before.pause_time),
          .failed_allocations = since(now.failed_allocations, before.failed_allocations),
          .error = now.error};
}

std::string problem_of(const gpuwhy_windows& told) {
  switch (told.state) {
  case GPUWHY_WINDOWS_NO_CUPTI: return "the program brings no libcupti, and none is installed";
  case GPUWHY_WINDOWS_REFUSED: return "CUPTI answers error " + std::to_string(told.result);
  case GPUWHY_WINDOWS_TAKEN: return "the program profiles itself";
  case GPUWHY_WINDOWS_SEVERAL: return "one process works on several GPUs, which CUPTI could stall";
  default: return "no window has closed yet";
  }
}

} // namespace

void CallCounts::prepare() {
  for (const auto& image : probe_images()) {
    if (image.name != "cuda_windows") continue;
    auto made = Injection::create(image.bytes);
    if (made)
      injection_ = std::move(*made);
    else
      state_.problem = made.error().message;
    if (made) state_.problem = "the program has not started CUDA";
    return;
  }
  state_.problem = "this gpuwhy was built without CUPTI's headers";
}

std::vector<std::string> CallCounts::variables() const {
  return injection_ ? injection_->variables() : std::vector<std::string>{};
}

std::optional<use::CudaTick> CallCounts::look() {
  if (!injection_) return std::nullopt;
  use::CudaTick sum;
  bool any = false;
  for (auto& process : injection_->read()) {
    const auto now = decode(process.bytes);
    const auto before = decode(last_[process.pid]);
    if (now.windows > 0)
      state_ = {.works = true, .problem = {}};
    else if (!state_.works)
      state_.problem = problem_of(now);
    if (now.windows != before.windows) {
      use::add(sum, difference(now, before));
      any = true;
    }
    last_[process.pid] = std::move(process.bytes);
  }
  return any ? std::optional(sum) : std::nullopt;
}

} // namespace gpuwhy::watch
