#include "rules/R_runtime/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace gpuwhy::rules {
namespace {

template <class... T> std::string format(const char* pattern, T... values) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(),
          static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(text.size()) - 1))};
}

} // namespace

std::string percent(double of_hundred) {
  return format(of_hundred > 0 && of_hundred < 1 ? "%.1f %%" : "%.0f %%", of_hundred);
}

std::string share(double of_one) {
  return percent(of_one * 100);
}

std::string bytes(double count) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::abs(count) >= 1000 && unit + 1 < kUnits.size()) {
    count /= 1024;
    ++unit;
  }
  return format(std::abs(count) < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", count, kUnits[unit]);
}

std::string seconds(double time) {
  if (time < 1e-3) return format("%.0f us", time * 1e6);
  if (time < 1) return format("%.0f ms", time * 1e3);
  if (time < 120) return format("%.1f s", time);
  if (time < 7200) return format("%.1f min", time / 60);
  if (time < 172'800) return format("%.1f h", time / 3600);
  return format("%.1f days", time / 86'400);
}

std::string count(double number) {
  if (number < 100) return format(number < 10 ? "%.1f" : "%.0f", number);
  auto digits = format("%.0f", number);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

std::string gpu_name(const use::GpuUse& gpu) {
  return "GPU " + std::to_string(gpu.identity.index);
}

std::string bound(double busy) {
  const double most = 100 / std::max(busy, 0.1);
  return most >= 20 ? "more than 20 times faster" : format("at most %.1f times faster", most);
}

} // namespace gpuwhy::rules
