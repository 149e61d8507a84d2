#include "rules/E_environment/visible_devices.h"

#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace gpuwhy::rules {
namespace {

constexpr int kNoDevice = 100;      // CUDA_ERROR_NO_DEVICE
constexpr int kInvalidDevice = 101; // CUDA_ERROR_INVALID_DEVICE
constexpr std::int64_t kLargest = 1'000'000;

/// As strtol reads it: blanks, a sign, digits, and whatever follows is passed over. Nothing without
/// a digit.
std::optional<std::int64_t> leading_number(std::string_view entry) {
  const auto start = entry.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  entry.remove_prefix(start);
  const bool negative = entry.starts_with('-');
  if (negative || entry.starts_with('+')) entry.remove_prefix(1);
  std::int64_t number = 0;
  std::size_t digits = 0;
  for (const char letter : entry) {
    if (letter < '0' || letter > '9') break;
    number = std::min(number * 10 + (letter - '0'), kLargest);
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  return negative ? -number : number;
}

bool names_uuid(std::string_view entry) {
  return entry.starts_with("GPU-") || entry.starts_with("MIG-");
}

/// The only device whose identity begins with `prefix`; -1: none, or more than one.
int by_prefix(std::string_view prefix, const std::vector<DeviceIdentity>& devices) {
  int match = -1;
  for (std::size_t index = 0; index < devices.size(); ++index) {
    const auto& device = devices[index];
    const bool hit =
        device.uuid.starts_with(prefix) ||
        std::any_of(device.instances.begin(), device.instances.end(),
                    [&](const std::string& instance) { return instance.starts_with(prefix); });
    if (!hit) continue;
    if (match >= 0) return -1;
    match = static_cast<int>(index);
  }
  return match;
}

/// "MIG-GPU-UUID/1/0", the form before driver 470: by the GPU, if it is divided at all.
int by_old_mig_name(std::string_view entry, const std::vector<DeviceIdentity>& devices) {
  const auto uuid = entry.substr(4, entry.find('/') - 4);
  for (std::size_t index = 0; index < devices.size(); ++index) {
    if (devices[index].uuid == uuid && !devices[index].instances.empty())
      return static_cast<int>(index);
  }
  return -1;
}

std::string_view first_entry(std::string_view value) {
  return value.substr(0, value.find(','));
}

} // namespace

VisibleDevices visible_devices(std::string_view value, const std::vector<DeviceIdentity>& devices) {
  VisibleDevices result;
  std::vector<int> by_index;
  const bool uuids_known =
      std::all_of(devices.begin(), devices.end(),
                  [](const DeviceIdentity& device) { return !device.uuid.empty(); });
  for (const auto entry : split(value, ',')) {
    const auto name = trim(entry);
    int ordinal = -1;
    if (names_uuid(name)) {
      if (name.size() > 4) ordinal = by_prefix(name, devices);
      if (ordinal < 0 && name.starts_with("MIG-GPU-")) ordinal = by_old_mig_name(name, devices);
      if (ordinal < 0 && name.size() > 4 && !uuids_known) result.complete = false;
    } else if (const auto number = leading_number(entry)) {
      const bool exists = *number >= 0 && *number < static_cast<std::int64_t>(devices.size());
      if (exists) ordinal = static_cast<int>(*number);
      if (exists && std::find(by_index.begin(), by_index.end(), ordinal) != by_index.end()) {
        result.ordinals.clear();
        result.error = kInvalidDevice;
        result.refused = entry;
        return result;
      }
      if (exists) by_index.push_back(ordinal);
    }
    if (ordinal < 0) {
      result.refused = entry;
      break;
    }
    // The same device by index and by UUID counts once.
    auto& ordinals = result.ordinals;
    if (std::find(ordinals.begin(), ordinals.end(), ordinal) == ordinals.end())
      ordinals.push_back(ordinal);
  }
  if (result.ordinals.empty()) result.error = kNoDevice;
  return result;
}

bool hides_on_purpose(std::string_view value) {
  const auto entry = trim(first_entry(value));
  if (trim(value).empty() || entry == "NoDevFiles") return true;
  const auto number = leading_number(entry);
  return number && *number < 0;
}

bool begins_with_nonsense(std::string_view value) {
  const auto entry = trim(first_entry(value));
  return !names_uuid(entry) && !leading_number(entry);
}

} // namespace gpuwhy::rules
