#include "knowledge/limits.h"

#include "knowledge/cells.h"

#include <array>
#include <compare>

namespace gpuwhy {
namespace {

struct Chips {
  std::vector<ChipRate> rates;
  std::vector<std::string> problems;
};

Chips read_chips() {
  Chips chips;
  TableReader table("chip_rates", {"capability", "single", "half"});
  for (const auto& [line, cells] : table.rows) {
    const auto capability = cell_capability(cells[0]);
    const auto single = to_number(cells[1]);
    const auto half = to_number(cells[2]);
    if (!capability || !single || half.has_value() == cells[2].empty()) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    if (!chips.rates.empty() && !(chips.rates.back().capability < *capability)) {
      table.complain(line, "not after the row above");
    }
    ChipRate rate{*capability, static_cast<double>(*single), {}};
    if (half) rate.half = static_cast<double>(*half);
    chips.rates.push_back(rate);
  }
  chips.problems = std::move(table.problems);
  return chips;
}

const Chips& chips() {
  static const Chips kChips = read_chips();
  return kChips;
}

} // namespace

std::optional<double> pcie_limit(int generation, int lanes) {
  // A lane's transfers a second times the share of them that is data.
  constexpr std::array kLane = {2.5e9 / 10,           5e9 / 10,
                                8e9 / 8 * 128 / 130,  16e9 / 8 * 128 / 130,
                                32e9 / 8 * 128 / 130, 64e9 / 8 * 242 / 256};
  if (generation < 1 || static_cast<std::size_t>(generation) > kLane.size() || lanes < 1)
    return std::nullopt;
  return kLane[static_cast<std::size_t>(generation) - 1] * lanes;
}

std::optional<double> nvlink_limit(int version) {
  constexpr std::array kLink = {20e9, 25e9, 25e9, 25e9,
                                25e9, 25e9, 50e9}; // 1.0 2.0 2.2 3.0 3.1 4.0 5.0
  if (version < 1 || static_cast<std::size_t>(version) > kLink.size()) return std::nullopt;
  return kLink[static_cast<std::size_t>(version) - 1];
}

const ChipRate* find_chip_rate(ComputeCapability capability) {
  for (const auto& rate : chips().rates) {
    if (rate.capability == capability) return &rate;
  }
  return nullptr;
}

const std::vector<std::string>& chip_problems() {
  return chips().problems;
}

} // namespace gpuwhy
