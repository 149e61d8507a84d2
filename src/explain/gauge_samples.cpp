#include "explain/gauge_samples.h"

#include <algorithm>
#include <cstdlib>

namespace gpuwhy::explain {
namespace {

constexpr double kSome = 5; // percent: computed on

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

const GaugeSamples::Gpu* busiest(const GaugeSamples& samples) {
  const auto most =
      std::max_element(samples.gpus.begin(), samples.gpus.end(), [](const auto& a, const auto& b) {
        return a.second.mean() < b.second.mean();
      });
  return most == samples.gpus.end() ? nullptr : &most->second;
}

} // namespace

GaugeSamples::GaugeSamples(const View& text) {
  const auto tables = text.all("smi-usage");
  // Without its index a line of the table is of another GPU than the line before, unless the table
  // is printed again.
  const auto listed = std::max<std::size_t>(text.all("smi-gpu").size(), 1);
  const bool counted = text.has("smi-gpu");
  std::size_t place = 0;
  for (const auto* seen : tables) {
    const auto index = std::to_string(counted ? place % listed : place);
    take(index, number(seen->value("smi_util")), number(seen->value("used_mib")), *seen,
         counted || tables.size() > 1 ? seen->count : 1);
    ++place;
  }
  for (const std::string_view signal : {"gpu-use", "gauge-look"}) {
    for (const auto* seen : text.all(signal)) {
      const std::string index(seen->value("gpu_index"));
      take(index.empty() ? "0" : index, number(seen->value("gpu_now")),
           number(seen->value("gpu_mib")), *seen, seen->count);
    }
  }
}

void GaugeSamples::take(const std::string& index, double share, double held, const Sighting& seen,
                        std::uint64_t times) {
  auto& gpu = gpus[index];
  const int looks = static_cast<int>(std::min<std::uint64_t>(times, 1000));
  gpu.looks += looks;
  if (share >= kSome) gpu.busy += looks;
  gpu.sum += share * looks;
  gpu.highest = std::max(gpu.highest, share);
  gpu.held = std::max(gpu.held, held);
  if (gpu.first == nullptr) gpu.first = &seen;
}

int GaugeSamples::looks() const {
  int most = 0;
  for (const auto& [index, gpu] : gpus) most = std::max(most, gpu.looks);
  return most;
}

std::optional<double> GaugeSamples::mean_use() const {
  const auto* gpu = busiest(*this);
  return gpu == nullptr ? std::nullopt : std::optional(gpu->mean());
}

std::optional<double> GaugeSamples::highest_use() const {
  std::optional<double> highest;
  for (const auto& [index, gpu] : gpus)
    highest = std::max(highest.value_or(0), gpu.highest);
  return highest;
}

bool GaugeSamples::in_bursts() const {
  return std::any_of(gpus.begin(), gpus.end(), [](const auto& each) {
    return each.second.looks >= 3 && each.second.busy > 0 &&
           each.second.busy * 2 <= each.second.looks;
  });
}

const Sighting* GaugeSamples::first() const {
  const auto* gpu = busiest(*this);
  return gpu == nullptr ? nullptr : gpu->first;
}

} // namespace gpuwhy::explain
