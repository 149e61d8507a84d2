// What a layer measured, beside what its link or chip can do.
#include "base/amount.h"
#include "base/text.h"
#include "knowledge/limits.h"
#include "prove/ladder.h"

#include <charconv>
#include <cmath>

namespace gpuwhy {
namespace {

const LayerRun* run_of(const std::vector<LayerRun>& runs, Layer layer) {
  for (const auto& run : runs) {
    if (run.layer == layer) return &run;
  }
  return nullptr;
}

std::optional<double> memory_limit(const LayerRun& device) {
  // Twice a clock, as every memory of the last fifteen years transfers.
  const double limit =
      device.figure("memory_clock_khz") * 1e3 * device.figure("memory_bus_bits") / 8 * 2;
  return limit > 0 ? std::optional(limit) : std::nullopt;
}

std::optional<double> matrix_limit(const LayerRun& device) {
  const ComputeCapability capability{static_cast<int>(device.figure("capability_major")),
                                     static_cast<int>(device.figure("capability_minor"))};
  const auto* rate = find_chip_rate(capability);
  if (rate == nullptr || !rate->half) return std::nullopt;
  return *rate->half * device.figure("multiprocessors") * device.figure("clock_khz") * 1e3;
}

void add(std::vector<Measure>& measures, const LayerRun& run, std::string_view figure,
         std::string_view name, std::string_view unit, std::optional<double> limit = {},
         std::string limit_of = {}) {
  const auto found = run.figures.find(figure);
  if (found == run.figures.end()) return;
  measures.push_back({std::string(name), found->second, std::string(unit), limit,
                      limit ? std::move(limit_of) : std::string()});
}

std::string version_words(double version, double major_unit, double minor_unit) {
  const auto major = std::floor(version / major_unit);
  const auto minor = std::floor(std::fmod(version, major_unit) / minor_unit);
  return decimal(major, 0) + "." + decimal(minor, 0);
}

std::string cudnn_words(double version) { // 8907 is 8.9.7, 91900 is 9.19.0
  const double unit = version >= 90000 ? 10000 : 1000;
  return version_words(version, unit, 100) + "." + decimal(std::fmod(version, 100), 0);
}

std::string nccl_words(double version) { // 2708 is 2.7.8, 22809 is 2.28.9
  const double unit = version >= 10000 ? 10000 : 1000;
  return version_words(version, unit, 100) + "." + decimal(std::fmod(version, 100), 0);
}

const Measure* find(const std::vector<Measure>& measures, std::string_view name) {
  for (const auto& measure : measures) {
    if (measure.name == name) return &measure;
  }
  return nullptr;
}

std::string with_share(const Measure& measure) {
  auto text = rate_words(measure.value, measure.unit);
  const auto fraction = measure.fraction();
  if (!fraction) return text;
  return text + " (" + decimal(*fraction * 100, 0) + " % of " + measure.limit_of + ")";
}

std::string memory_summary(const std::vector<Measure>& measures) {
  std::vector<std::string> parts;
  const auto* to = find(measures, "to_device");
  const auto* from = find(measures, "from_device");
  const auto* on = find(measures, "on_device");
  if (to != nullptr) parts.push_back(with_share(*to) + " to the GPU");
  if (from != nullptr) parts.push_back(rate_words(from->value, from->unit) + " back");
  if (on != nullptr) parts.push_back(with_share(*on) + " on it");
  return join(parts, ", ");
}

/// "6e-06"
std::string one_digit(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 0).ptr;
  return {text, end};
}

std::string training_summary(const LayerRun& run) {
  return decimal(run.figure("steps"), 0) + " steps, loss " + decimal(run.figure("first_loss"), 3) +
         " to " + decimal(run.figure("last_loss"), 5) + ", as on the processor within " +
         one_digit(run.figure("worst_difference"));
}

} // namespace

std::vector<Measure> measures_of(const LayerRun& run, const std::vector<LayerRun>& all,
                                 const NvmlDevice* device) {
  std::vector<Measure> measures;
  const LayerRun* described = run_of(all, Layer::device);
  switch (run.layer) {
  case Layer::driver: add(measures, run, "init_seconds", "init", "s"); break;
  case Layer::device: add(measures, run, "memory_bytes", "memory", "B"); break;
  case Layer::context:
    add(measures, run, "context_seconds", "context", "s");
    add(measures, run, "memory_free_bytes", "memory_free", "B");
    break;
  case Layer::memory: {
    std::optional<double> link;
    std::string link_name;
    if (device != nullptr && device->pcie_generation.known() && device->pcie_lanes.known()) {
      link = pcie_limit(device->pcie_generation.value(), device->pcie_lanes.value());
      link_name = "PCIe " + std::to_string(device->pcie_generation.value()) + ".0 x" +
                  std::to_string(device->pcie_lanes.value());
    }
    add(measures, run, "to_device_bytes_per_second", "to_device", "B/s", link, link_name);
    add(measures, run, "from_device_bytes_per_second", "from_device", "B/s", link, link_name);
    add(measures, run, "on_device_bytes_per_second", "on_device", "B/s",
        described != nullptr ? memory_limit(*described) : std::nullopt, "the memory's limit");
    break;
  }
  case Layer::kernel:
    add(measures, run, "compile_seconds", "compile", "s");
    add(measures, run, "launch_seconds", "launch", "s");
    break;
  case Layer::cublas: {
    const auto limit = described != nullptr ? matrix_limit(*described) : std::nullopt;
    add(measures, run, "bfloat16_flops", "bfloat16_product", "FLOP/s", limit, "the chip's limit");
    add(measures, run, "half_flops", "half_product", "FLOP/s", limit, "the chip's limit");
    break;
  }
  case Layer::cudnn: add(measures, run, "convolution_flops", "convolution", "FLOP/s"); break;
  case Layer::cufft: add(measures, run, "relative_error", "relative_error", ""); break;
  case Layer::cusolver: add(measures, run, "worst_error", "worst_error", ""); break;
  case Layer::cudart: break;
  case Layer::nccl: add(measures, run, "bus_bytes_per_second", "all_reduce_bus", "B/s"); break;
  case Layer::peer: {
    std::optional<double> link;
    if (device != nullptr && device->nvlinks.value_or(0) > 0) {
      if (const auto one = nvlink_limit(device->nvlink_version.value_or(0)))
        link = *one * device->nvlinks.value();
    }
    add(measures, run, "slowest_bytes_per_second", "slowest_copy", "B/s", link, "its NVLinks");
    add(measures, run, "fastest_bytes_per_second", "fastest_copy", "B/s", link, "its NVLinks");
    break;
  }
  case Layer::training:
    add(measures, run, "first_loss", "first_loss", "");
    add(measures, run, "last_loss", "last_loss", "");
    add(measures, run, "last_loss_on_processor", "last_loss_on_processor", "");
    add(measures, run, "worst_difference", "worst_difference", "");
    break;
  }
  return measures;
}

std::string summary_of(const LayerRun& run, const std::vector<Measure>& measures) {
  const auto version = run.figure("version");
  switch (run.layer) {
  case Layer::driver:
    return "starts in " + time_words(run.figure("init_seconds")) + ", CUDA " +
           version_words(run.figure("driver_version"), 1000, 10);
  case Layer::device:
    return (run.details.empty() ? std::string("GPU") : run.details.front()) +
           ", compute capability " + decimal(run.figure("capability_major"), 0) + "." +
           decimal(run.figure("capability_minor"), 0) + ", " +
           decimal(run.figure("multiprocessors"), 0) + " multiprocessors, " +
           bytes_words(run.figure("memory_bytes"));
  case Layer::context:
    return time_words(run.figure("context_seconds")) + ", " +
           bytes_words(run.figure("memory_free_bytes")) + " free of " +
           bytes_words(run.figure("memory_total_bytes"));
  case Layer::memory: return memory_summary(measures);
  case Layer::kernel:
    return "compiled by the driver in " + time_words(run.figure("compile_seconds")) +
           ", a launch takes " + time_words(run.figure("launch_seconds"));
  case Layer::cudart: return "CUDA runtime " + version_words(version, 1000, 10);
  case Layer::cublas:
    for (const auto* name : {"bfloat16_product", "half_product"}) {
      if (const auto* measure = find(measures, name)) {
        return with_share(*measure) +
               (name == std::string_view("half_product") ? " in half" : " in bfloat16");
      }
    }
    return "products are exact";
  case Layer::cudnn: {
    auto text = "cuDNN " + cudnn_words(version);
    if (const auto* measure = find(measures, "convolution")) {
      text += ", convolution at " + rate_words(measure->value, measure->unit);
    }
    return text;
  }
  case Layer::cufft:
  case Layer::cusolver: return "agrees with the processor";
  case Layer::nccl: {
    auto text = "NCCL " + nccl_words(version) + ", " + decimal(run.figure("devices"), 0) +
                (run.figure("devices") > 1 ? " GPUs" : " GPU");
    if (const auto* measure = find(measures, "all_reduce_bus")) {
      text += ", all-reduce at " + rate_words(measure->value, measure->unit);
    }
    return text;
  }
  case Layer::peer: {
    const auto* slow = find(measures, "slowest_copy");
    auto text = slow != nullptr ? with_share(*slow) : std::string("copies arrive");
    const auto pairs = run.figure("pairs");
    const auto direct = run.figure("direct_pairs");
    if (direct < pairs)
      text +=
          ", " + decimal(pairs - direct, 0) + " of " + decimal(pairs, 0) + " ways through the host";
    return text;
  }
  case Layer::training: return training_summary(run);
  }
  return {};
}

} // namespace gpuwhy
