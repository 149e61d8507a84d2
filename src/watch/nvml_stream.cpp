#include "watch/nvml_stream.h"

#include "base/text.h"
#include "system/child.h"
#include "system/probe_images.h"
#include "system/subprocess.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <poll.h>

namespace gpuwhy::watch {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSilence{5}; // a driver that says nothing for so long hangs
constexpr int kMostFailures = 5;
constexpr std::size_t kLongestLine = 1U << 20U;
constexpr std::size_t kMostGpus = 64;
constexpr std::size_t kMostProcesses = 2048;

std::optional<std::uint64_t> whole(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::optional<double> scaled(const Json& object, const char* key, double unit) {
  const auto value = whole(object, key);
  if (!value) return std::nullopt;
  return static_cast<double>(*value) * unit;
}

std::optional<int> integer(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  const auto value = found->get<std::int64_t>();
  if (value < 0 || value > 1'000'000'000) return std::nullopt;
  return static_cast<int>(value);
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return printable(std::string_view(found->get_ref<const std::string&>()).substr(0, 256));
}

const Json* list(const Json& object, const char* key, std::size_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() > most) return nullptr;
  return &*found;
}

use::GpuIdentity identity(const Json& object) {
  use::GpuIdentity gpu;
  gpu.index = integer(object, "index").value_or(0);
  gpu.name = text(object, "name");
  gpu.uuid = text(object, "uuid");
  gpu.pci = text(object, "pci");
  gpu.memory_total = whole(object, "memory_total");
  gpu.power_limit = scaled(object, "power_limit", 1e-3);
  gpu.power_default = scaled(object, "power_default", 1e-3);
  gpu.sm_clock_limit = scaled(object, "sm_clock_limit", 1);
  gpu.mig = whole(object, "mig").value_or(0) != 0;
  gpu.monitor = whole(object, "monitor").value_or(0) != 0;
  gpu.error = integer(object, "error");
  return gpu;
}

use::GpuTick tick(const Json& object) {
  use::GpuTick gpu;
  gpu.index = integer(object, "index").value_or(0);
  gpu.busy = scaled(object, "busy", 1);
  gpu.sm = scaled(object, "sm", 1e-3);
  gpu.memory = whole(object, "memory");
  gpu.power = scaled(object, "power", 1e-3);
  gpu.sm_clock = scaled(object, "sm_clock", 1);
  gpu.reasons = whole(object, "reasons");
  gpu.temperature = scaled(object, "temperature", 1);
  gpu.pcie_rx = scaled(object, "pcie_rx", 1);
  gpu.pcie_tx = scaled(object, "pcie_tx", 1);
  gpu.error = integer(object, "error");
  if (const auto* processes = list(object, "processes", kMostProcesses)) {
    gpu.processes.emplace();
    for (const auto& each : *processes) {
      if (!each.is_object()) continue;
      gpu.processes->push_back(
          {integer(each, "pid").value_or(0), whole(each, "memory"), scaled(each, "sm", 1)});
    }
  }
  return gpu;
}

std::span<const std::byte> image() {
  for (const auto& each : probe_images()) {
    if (each.name == "nvml_watch") return each.bytes;
  }
  return {};
}

} // namespace

NvmlStream::NvmlStream(Environment environment, milliseconds interval)
    : environment_(std::move(environment)), interval_(interval) {}

NvmlStream::~NvmlStream() = default;

void NvmlStream::launch() {
  ChildCommand command;
  command.arguments = {"gpuwhy-nvml", std::to_string(interval_.count())};
  command.environment = environment_;
  command.deadline = seconds(2);
  partial_.clear();
  identified_ = false;
  last_line_ = Clock::now();
  auto child = start_image("gpuwhy-nvml", image(), command);
  if (!child) return fail_with(child.error().reason, true);
  child_ = std::move(*child);
}

void NvmlStream::start(milliseconds longest) {
  launch();
  const auto until = Clock::now() + longest;
  while (child_ && !identified_ && Clock::now() < until) {
    pollfd event{child_->output_descriptor(), POLLIN, 0};
    ::poll(&event, 1, 50);
    take();
  }
  if (child_ && !identified_) state_.problem = "NVML has not answered yet";
}

int NvmlStream::descriptor() const {
  return child_ ? child_->output_descriptor() : -1;
}

int NvmlStream::process() const {
  return child_ ? child_->process() : 0;
}

void NvmlStream::fail_with(std::string problem, bool for_good) {
  child_.reset();
  state_.works = false;
  state_.problem = std::move(problem);
  given_up_ = for_good || ++failures_ >= kMostFailures;
  if (given_up_ && !for_good)
    state_.problem += "; given up after " + std::to_string(failures_) + " attempts";
  next_start_ = Clock::now() + seconds(1 << std::min(failures_, 5));
}

void NvmlStream::read_line(std::string_view line, std::vector<NvmlLine>& to) {
  const auto object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return;
  last_line_ = Clock::now();
  if (!identified_) {
    if (text(object, "schema") != "gpuwhy.probe.nvml_watch/1") return;
    identified_ = true;
    if (const auto error = text(object, "load_error"); !error.empty())
      return fail_with(error, true);
    if (integer(object, "init").value_or(0) != 0) {
      return fail_with("nvmlInit answers " + text(object, "init_name"), true);
    }
    const auto* devices = list(object, "devices", kMostGpus);
    if (devices == nullptr || devices->empty()) return fail_with("NVML shows no GPU", true);
    driver_ = text(object, "driver_version");
    if (gpus_.empty()) { // a restarted probe adds none: what is judged keeps its shape
      for (const auto& each : *devices) {
        if (each.is_object()) gpus_.push_back(identity(each));
      }
    }
    state_ = {.works = true, .problem = {}};
    return;
  }
  NvmlLine result;
  result.time = scaled(object, "time", 1e-3).value_or(0);
  if (const auto* gpus = list(object, "gpus", kMostGpus)) {
    for (const auto& each : *gpus) {
      if (each.is_object()) result.gpus.push_back(tick(each));
    }
  }
  failures_ = 0;
  to.push_back(std::move(result));
}

std::vector<NvmlLine> NvmlStream::take() {
  std::vector<NvmlLine> lines;
  if (!child_) {
    if (!given_up_ && Clock::now() >= next_start_) launch();
    return lines;
  }
  partial_ += child_->take_output(kLongestLine);
  const bool over = child_->output_descriptor() < 0 || child_->ended();
  for (auto end = partial_.find('\n'); end != std::string::npos && child_;
       end = partial_.find('\n')) {
    read_line(std::string_view(partial_).substr(0, end), lines);
    if (child_) partial_.erase(0, end + 1);
  }
  if (!child_) return lines;
  if (partial_.size() > kLongestLine) partial_.clear();
  if (over)
    fail_with("the program that asks NVML has ended", false);
  else if (Clock::now() - last_line_ > kSilence + interval_)
    fail_with("NVML does not answer", false);
  return lines;
}

} // namespace gpuwhy::watch
