#include "explain/pace.h"

#include "base/text.h"
#include "explain/runs.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>

namespace gpuwhy::explain {
namespace {

constexpr double kMuch = 1.25;  // times more, over four figures or more
constexpr double kDouble = 1.8; // over three
constexpr double kLoses = 1.2;  // times longer on the GPU

double number(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

double mib(double amount, std::string_view unit) {
  if (unit.starts_with('G')) return amount * 1024;
  if (unit.starts_with('k')) return amount / 1024;
  return amount;
}

double seconds(double amount, std::string_view unit) {
  if (unit.starts_with("us")) return amount / 1e6;
  if (unit.starts_with("ms")) return amount / 1e3;
  return amount;
}

struct Series {
  std::vector<double> values;
  std::vector<const Sighting*> seen;
};

using Reads = std::function<std::optional<double>(const Sighting&)>;

Series series(const View& text, std::string_view signal, const Reads& reads) {
  Series all;
  for (const auto* seen : text.all(signal)) {
    const auto value = reads(*seen);
    if (!value || *value <= 0) continue;
    all.values.push_back(*value);
    all.seen.push_back(seen);
  }
  return all;
}

/// How many times more the last is than the first, where it only goes up; a last figure that falls
/// back (a new epoch) is left out. 1: it does not rise.
double rise(Series& all) {
  auto& v = all.values;
  if (v.size() >= 4 && v.back() < v[v.size() - 2]) {
    const auto fell = all.seen.back()->first;
    const bool stays = std::any_of(all.seen.begin(), all.seen.end() - 1, [&](const Sighting* seen) {
      return seen->last > fell; // a figure of before is printed again
    });
    if (stays) return 1;
    v.pop_back();
    all.seen.pop_back();
  }
  if (v.size() < 3 || !std::is_sorted(v.begin(), v.end())) return 1;
  const double times = v.back() / v.front();
  return times >= (v.size() >= 4 ? kMuch : kDouble) ? times : 1;
}

std::optional<double> amount(const Sighting& seen, std::string_view group, std::string_view unit) {
  const auto value = seen.value(group);
  if (value.empty()) return std::nullopt;
  return mib(number(value), unit.empty() ? "M" : seen.value(unit));
}

void read_memory(const View& text, Pace& pace) {
  struct Kind {
    std::string_view group;
    std::string_view unit;
  };
  constexpr Kind kKinds[] = {{"mem_now", ""},
                             {"rss_now", ""},
                             {"gpu_held", "gpu_unit"},
                             {"host_held", "host_unit"},
                             {"named_held", "named_unit"}};
  for (const auto& [group, unit] : kKinds) {
    auto all = series(text, "memory-series",
                      [&](const Sighting& seen) { return amount(seen, group, unit); });
    const double times = rise(all);
    if (times <= pace.memory) continue;
    pace.memory = times;
    pace.memory_from = all.seen.front();
    pace.memory_to = all.seen.back();
  }
}

void read_steps(const View& text, Pace& pace) {
  const auto time = [](const Sighting& seen) -> std::optional<double> {
    const auto value = seen.value("step_time");
    if (value.empty()) return std::nullopt;
    return seconds(number(value), seen.value("step_unit"));
  };
  const auto inverse = [](const Sighting& seen) -> std::optional<double> {
    const auto rate = number(seen.value("step_rate"));
    return rate > 0 ? std::optional(1 / rate) : std::nullopt;
  };
  for (const Reads& reads : {Reads(time), Reads(inverse)}) {
    auto all = series(text, "step-series", reads);
    if (all.values.size() >= 2) {
      const auto [least, most] = std::minmax_element(all.values.begin(), all.values.end());
      pace.differs = std::max(pace.differs, *most / *least);
    }
    const double times = rise(all);
    if (times <= pace.slower) continue;
    pace.slower = times;
    pace.step_from = all.seen.front();
    pace.step_to = all.seen.back();
  }
}

/// All numbers of "[0.01, 0.58, 4.5]".
std::vector<double> numbers(std::string_view list) {
  std::vector<double> found;
  for (const auto part : split(list, ',')) {
    const auto text = trim(part);
    if (!text.empty()) found.push_back(number(text));
  }
  return found;
}

/// "cpu: ..." and "gpu: ..." with times of the same work, or a heading for each.
void read_processor(const View& text, Pace& pace) {
  const auto* cpu = text.find("time-on-cpu");
  const auto* gpu = text.find("time-on-gpu");
  if (cpu != nullptr && gpu != nullptr) {
    const auto a = numbers(cpu->value("cpu_time"));
    const auto b = numbers(gpu->value("gpu_time"));
    if (!a.empty() && a.size() == b.size() && a.back() > 0 && b.back() > kLoses * a.back()) {
      pace.gpu_loses = true;
      pace.gpu_time = gpu;
    }
  }
  const auto* heading = text.find("cpu-heading");
  if (heading == nullptr) return;
  std::optional<double> before;
  std::optional<double> after;
  for (const auto* seen : text.all("step-series")) {
    const auto value = seen->value("step_time");
    if (value.empty()) continue;
    auto& side = seen->first < heading->first ? before : after;
    const auto time = seconds(number(value), seen->value("step_unit"));
    side = std::min(side.value_or(time), time);
  }
  if (before && after && *after > 0 && *before > kLoses * *after) {
    pace.gpu_loses = true;
    pace.gpu_time = heading;
  }
}

/// The same program, once as it is and once kept on the processor: seconds of a run, or of a step.
void read_runs(const View& text, Pace& pace) {
  std::optional<double> cpu;
  std::optional<double> gpu;
  const Sighting* telling = nullptr;
  const auto take = [&](const Sighting& seen, double time) {
    if (time <= 0 || seen.first_run != seen.last_run) return;
    auto& side = for_comparison(text, seen.first_run) ? cpu : gpu;
    if (&side == &gpu && chooses_processor(command_of(text, seen.first_run))) return;
    side = std::min(side.value_or(time), time);
    if (&side == &gpu) telling = &seen;
  };
  const auto judge = [&] {
    if (cpu && gpu && *gpu > kLoses * *cpu) {
      pace.gpu_loses = true;
      pace.gpu_time = telling;
    }
    cpu.reset();
    gpu.reset();
  };
  for (const auto* seen : text.all("run-seconds")) take(*seen, number(seen->value("run_s")));
  judge();
  for (const auto* seen : text.all("step-series")) {
    const auto rate = number(seen->value("step_rate"));
    if (rate > 0) take(*seen, 1 / rate);
  }
  judge();
}

void read_gpus(const View& text, Pace& pace) {
  std::optional<double> one;
  std::optional<double> more;
  for (const auto* seen : text.all("gpus-rate")) {
    const auto rate = seen->value("rate");
    if (rate.empty()) continue;
    auto& side = seen->value("rate_gpus") == "1" ? one : more;
    if (!side) side = number(rate);
    if (&side == &more && pace.rate == nullptr) pace.rate = seen;
  }
  pace.more_gpus_lose = one && more && *more <= 1.05 * *one;
}

} // namespace

Pace::Pace(const View& text) {
  read_memory(text, *this);
  read_steps(text, *this);
  read_processor(text, *this);
  read_runs(text, *this);
  read_gpus(text, *this);
}

} // namespace gpuwhy::explain
