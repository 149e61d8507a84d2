// What the driver makes of CUDA_VISIBLE_DEVICES. Pure.
// Truth: tried value by value on one H100, driver 580 (loader.md 3.10); more than one GPU and MIG
// are from NVIDIA's CUDA C++ programming guide, "CUDA environment variables", and were not tried.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

struct DeviceIdentity {
  std::string uuid;                   // "GPU-153e4ec0-...", or "MIG-..."; may be empty: not known
  std::vector<std::string> instances; // its MIG instances: "MIG-..."
};

struct VisibleDevices {
  std::vector<int> ordinals; // of the devices that stay visible, in the order asked for
  int error = 0;        // CUresult of cuInit: 0, 100 (none visible) or 101 (the same index twice)
  std::string refused;  // the entry at which the list was cut, as written; empty: it was not
  bool complete = true; // false: an entry names something that `devices` cannot tell
};

VisibleDevices visible_devices(std::string_view value, const std::vector<DeviceIdentity>& devices);

/// Written to hide every GPU: empty, blank, a negative number first, or "NoDevFiles".
bool hides_on_purpose(std::string_view value);
/// Does the list begin with something that is no device on any machine ("all", "[0]")?
bool begins_with_nonsense(std::string_view value);

} // namespace gpuwhy::rules
