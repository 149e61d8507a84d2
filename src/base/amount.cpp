#include "base/amount.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace gpuwhy {
namespace {

struct Amount {
  double number = 0;
  std::string unit; // lower case
};

std::optional<Amount> parse_amount(std::string_view text) {
  text = trim(text);
  const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
  if (digits == 0 || digits > 20) return std::nullopt;
  const auto point = text.substr(0, digits).find('.');
  const auto whole = text.substr(0, std::min(point, digits));
  const auto value = to_number(whole);
  if (!value) return std::nullopt;
  Amount amount{static_cast<double>(*value), lower(trim(text.substr(digits)))};
  if (point == std::string_view::npos) return amount;
  const auto decimals = text.substr(point + 1, digits - point - 1);
  const auto part = to_number(decimals);
  if (!part) return std::nullopt;
  double scale = 1;
  for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
  amount.number += static_cast<double>(*part) / scale;
  return amount;
}

struct Unit {
  std::string_view name;
  double factor;
};

template <std::size_t N>
std::optional<std::uint64_t> in_units(std::string_view text, const std::array<Unit, N>& units) {
  const auto amount = parse_amount(text);
  if (!amount) return std::nullopt;
  for (const auto& unit : units) {
    if (unit.name != amount->unit) continue;
    const double value = amount->number * unit.factor;
    if (value > 9e18) return std::nullopt;
    return static_cast<std::uint64_t>(value);
  }
  return std::nullopt;
}

std::string three_digits(double value) {
  return decimal(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

std::string scaled(double value, double step, const std::array<std::string_view, 6>& units) {
  std::size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  return three_digits(value) + " " + std::string(units[unit]);
}

} // namespace

std::string decimal(double value, int digits) {
  std::array<char, 400> text; // the longest double has 309 digits before the point
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::fixed, digits);
  return error == std::errc() ? std::string(text.data(), end) : std::string("?");
}

std::string bytes_words(double bytes) {
  return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
}

std::string rate_words(double per_second, std::string_view unit) {
  if (unit == "FLOP/s") {
    return scaled(per_second, 1000,
                  {"FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s"});
  }
  return scaled(per_second, 1000, {"B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"});
}

std::string time_words(double seconds) {
  if (seconds < 1e-3) return three_digits(seconds * 1e6) + " us";
  if (seconds < 1) return three_digits(seconds * 1e3) + " ms";
  return three_digits(seconds) + " s";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr double kKibi = 1024;
  static constexpr std::array<Unit, 14> kUnits = {{{"", 1},
                                                   {"b", 1},
                                                   {"k", kKibi},
                                                   {"kib", kKibi},
                                                   {"kb", 1e3},
                                                   {"m", kKibi * kKibi},
                                                   {"mib", kKibi * kKibi},
                                                   {"mb", 1e6},
                                                   {"g", kKibi * kKibi * kKibi},
                                                   {"gib", kKibi * kKibi * kKibi},
                                                   {"gb", 1e9},
                                                   {"t", kKibi * kKibi * kKibi * kKibi},
                                                   {"tib", kKibi * kKibi * kKibi * kKibi},
                                                   {"tb", 1e12}}};
  return in_units(text, kUnits);
}

std::optional<std::uint64_t> parse_seconds(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {{{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}}};
  return in_units(text, kUnits);
}

} // namespace gpuwhy
