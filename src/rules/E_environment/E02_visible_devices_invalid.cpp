// CUDA_VISIBLE_DEVICES names a GPU that does not exist, or CUDA_DEVICE_ORDER a word that does not.
// Truth: the driver, value by value (visible_devices.h).
#include "rules/E_environment/visible_devices.h"

#include "base/text.h"
#include "rules/E_environment/unset.h"
#include "rules/rule.h"

#include <algorithm>
#include <optional>

namespace gpuwhy::rules {
namespace {

std::string uuid_of(const std::string& uuid) {
  const bool named = uuid.empty() || uuid.starts_with("GPU-") || uuid.starts_with("MIG-");
  return named ? uuid : "GPU-" + uuid;
}

/// The GPUs as CUDA counts them; nothing if nobody could be asked.
std::optional<std::vector<DeviceIdentity>> devices_of(const Case& c) {
  std::vector<DeviceIdentity> devices;
  const auto* cuda = c.facts.observed.cuda_unhidden.get();
  if (cuda != nullptr && cuda->init == 0) {
    for (const auto& device : cuda->devices) devices.push_back({uuid_of(device.uuid), {}});
    devices.resize(static_cast<std::size_t>(std::max(cuda->count, 0)));
    return devices;
  }
  const auto* nvml = c.facts.observed.nvml.get();
  if (nvml == nullptr || nvml->init != 0) return std::nullopt;
  for (const auto& device : nvml->devices) devices.push_back({uuid_of(device.uuid), {}});
  return devices;
}

/// Instances of a divided GPU are not listed to a process that sees only the first.
bool divided(const Case& c) {
  const auto* nvml = c.facts.observed.nvml.get();
  return nvml != nullptr &&
         std::any_of(nvml->devices.begin(), nvml->devices.end(),
                     [](const NvmlDevice& device) { return device.mig.value_or(false); });
}

Outcome with_origins(const Case& c, Outcome outcome, const Variable& variable) {
  for (const auto& origin : variable.origins) {
    outcome.evidence.push_back({std::string(trim(origin.text)), {origin.path, origin.line}});
  }
  if (variable.origins.empty()) {
    outcome.evidence.push_back({variable.name + "=" + variable.value, {"$" + variable.name, 0}});
  }
  const auto* with = c.facts.observed.cuda.get();
  if (with != nullptr && with->init != 0 && c.driver_answers()) {
    outcome.evidence.push_back({"cuInit answers " + std::to_string(with->init) + " (" +
                                    with->init_name + "), and 0 without the variable",
                                c.facts.observed.cuda.source()});
  }
  return std::move(outcome).mend(unset_variable(c, variable.name));
}

Outcome check_order(const Case& c, const Variable& order) {
  return with_origins(
      c,
      Outcome::found("CUDA_DEVICE_ORDER=\"" + order.value +
                     "\" is not a word that the driver knows, and it refuses to start"),
      order);
}

Outcome check_devices(const Case& c, const Variable& variable) {
  const auto& value = variable.value;
  const auto shown = "CUDA_VISIBLE_DEVICES=\"" + value + "\"";
  if (hides_on_purpose(value)) return Outcome::clear(shown + " is no mistake: it hides all");
  if (begins_with_nonsense(value)) {
    return with_origins(
        c,
        Outcome::found(shown +
                       " does not begin with the number or the UUID of a GPU: no GPU is visible"),
        variable);
  }
  const auto devices = devices_of(c);
  if (!devices)
    return Outcome::unknown("whether the GPUs in " + shown +
                            " exist: the driver could not be asked");
  if (devices->empty()) return Outcome::not_applicable(); // there is nothing to name
  const auto visible = visible_devices(value, *devices);
  const auto count = std::to_string(devices->size()) + (devices->size() == 1 ? " GPU" : " GPUs");
  if (visible.error == 101) {
    return with_origins(c, Outcome::found(shown + " names a GPU twice, which the driver refuses"),
                        variable);
  }
  if (visible.ordinals.empty()) {
    const bool open = !visible.complete || (divided(c) && contains(value, "MIG-"));
    const auto* with = c.facts.observed.cuda.get();
    const bool works = with != nullptr && with->init == 0 && with->count > 0;
    if (open && works)
      return Outcome::clear(shown + " leaves " + std::to_string(with->count) + " GPU(s) visible");
    if (open && (with == nullptr || !c.driver_answers()))
      return Outcome::unknown("the GPUs that " + shown + " names");
    return with_origins(
        c, Outcome::found(shown + " names a GPU that does not exist; this machine has " + count),
        variable);
  }
  auto text =
      shown + " leaves " + std::to_string(visible.ordinals.size()) + " of " + count + " visible";
  if (!visible.refused.empty())
    text += "; it is cut at \"" + visible.refused + "\", which does not exist";
  return Outcome::clear(std::move(text));
}

Outcome check(const Case& c) {
  if (!c.facts.environment.looked)
    return Outcome::unknown("the environment variables of the program");
  const auto* order = c.facts.environment.find("CUDA_DEVICE_ORDER");
  if (order != nullptr && order->value != "FASTEST_FIRST" && order->value != "PCI_BUS_ID") {
    return check_order(c, *order);
  }
  const auto* variable = c.facts.environment.find("CUDA_VISIBLE_DEVICES");
  if (variable == nullptr) return Outcome::clear("CUDA_VISIBLE_DEVICES is not set");
  return check_devices(c, *variable);
}

} // namespace

extern constexpr Rule E02{
    .id = "E02",
    .slug = "visible-devices-invalid",
    .title = "CUDA_VISIBLE_DEVICES or CUDA_DEVICE_ORDER has a value that the driver rejects",
    .since = "0.1",
    .gate = Gate::visibility,
    .explanation = R"(The driver reads `CUDA_VISIBLE_DEVICES` from left to right and stops at the
first entry that it cannot use, without a word. `1` on a machine with one GPU hides it, for they
are counted from 0; so do `all`, `none` and `[0]`. (`all` belongs to `NVIDIA_VISIBLE_DEVICES`,
which only containers read.) A GPU named twice makes the driver refuse to start, and so does a
`CUDA_DEVICE_ORDER` other than `FASTEST_FIRST` and `PCI_BUS_ID`.

The numbers need not be those of `nvidia-smi`: it counts by PCI address, CUDA puts the fastest
first unless `CUDA_DEVICE_ORDER=PCI_BUS_ID` is set.)",
    .fix = R"(Unset the variable, or name GPUs that exist: numbers from 0, or the UUIDs that
`nvidia-smi -L` prints.)",
    .references =
        R"(- [CUDA environment variables](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#env-vars))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
