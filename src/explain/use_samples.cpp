#include "explain/use_samples.h"

#include "base/text.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

constexpr double kIdle = 5;      // percent: nothing but the moment itself
constexpr double kBusyNow = 15;  // percent: computed in that moment
constexpr double kLow = 40;      // percent, on average
constexpr double kHeldMib = 500; // memory that shows a program

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

/// One GPU, moment by moment.
struct Series {
  std::vector<double> use;

  void add(double value, std::uint64_t times) {
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(times, 100); ++i) use.push_back(value);
  }
  double mean() const {
    double sum = 0;
    for (const double value : use) sum += value;
    return use.empty() ? 0 : sum / static_cast<double>(use.size());
  }
  bool idle() const {
    return use.size() >= 3 &&
           std::all_of(use.begin(), use.end(), [](double share) { return share <= 1; });
  }
  bool bursts() const {
    const auto idle = std::count_if(use.begin(), use.end(), [](double x) { return x <= kIdle; });
    const bool busy = std::any_of(use.begin(), use.end(), [](double x) { return x >= kBusyNow; });
    return use.size() >= 3 && busy && static_cast<std::size_t>(idle) * 2 >= use.size();
  }
};

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (const auto word : split(line, ' ')) {
    if (!word.empty() && word != "#") found.push_back(word);
  }
  return found;
}

/// Columns of dmon as its first heading names them; as they are without options where the heading
/// is cut off.
std::vector<std::string_view> dmon_columns(const View& text) {
  const auto* heading = text.find("dmon-heading");
  if (heading == nullptr) return {"gpu", "sm", "mem", "enc", "dec"};
  return words(heading->text);
}

std::optional<double> cell(const std::vector<std::string_view>& columns,
                           const std::vector<std::string_view>& row, std::string_view name) {
  const auto at = std::find(columns.begin(), columns.end(), name);
  const auto index = static_cast<std::size_t>(at - columns.begin());
  if (at == columns.end() || index >= row.size()) return std::nullopt;
  return number(row[index]);
}

} // namespace

UseSamples::UseSamples(const View& text) {
  std::map<std::string, Series> gpus; // by index, where the tool tells it
  const auto columns = dmon_columns(text);
  for (const auto* seen : text.all("dmon-row")) {
    const auto row = words(seen->text);
    if (const auto use = cell(columns, row, "sm"))
      gpus[std::string(row.front())].add(*use, seen->count);
    if (const auto heat = cell(columns, row, "gtemp"))
      hottest = std::max(hottest.value_or(0), *heat);
    if (const auto rx = cell(columns, row, "rxpci")) received = std::max(received.value_or(0), *rx);
  }
  for (const auto* seen : text.all("gpu-moment")) {
    auto& moments = gpus[std::string(seen->value("moment_gpu"))];
    if (!seen->value("moment_use").empty())
      moments.add(number(seen->value("moment_use")), seen->count);
    for (const auto word : words(seen->value("moments"))) {
      if (word != "%") moments.add(number(word), 1);
    }
  }
  idle = !gpus.empty();
  for (const auto& [index, moments] : gpus) {
    bursts = bursts || moments.bursts();
    mean = std::max(mean, moments.mean());
    idle = idle && moments.idle();
  }
  low = !gpus.empty() && mean <= kLow;
  // One look at each GPU: low where all that hold a program are.
  std::optional<double> most;
  const auto look = [&](double use, double held) {
    if (held >= kHeldMib) most = std::max(most.value_or(0), use);
  };
  for (const auto* seen : text.all("smi-usage"))
    look(number(seen->value("smi_util")), number(seen->value("used_mib")));
  for (const auto* seen : text.all("gpu-use"))
    look(number(seen->value("gpu_now")), number(seen->value("gpu_mib")));
  low = low || (most && *most <= kLow);
}

} // namespace gpuwhy::explain
