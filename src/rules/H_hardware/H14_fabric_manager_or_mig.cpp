// The driver waits for something before it lets CUDA start: the fabric manager of an NVSwitch
// machine, or an instance of a GPU that is divided by MIG. Truth: CUDA_ERROR_SYSTEM_NOT_READY
// (802); with MIG on and no instance NVML lists the GPU and CUDA answers 100 (loader.md 3.3).
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};
constexpr int kNotReady = 802;
constexpr int kNoDevice = 100;

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto result = cuinit_result(facts);
  if (!result) return Outcome::not_applicable();
  if (*result == kNotReady) {
    auto outcome = Outcome::found(
        "the system is not ready: the fabric manager of this NVSwitch machine does not run");
    if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
    return std::move(outcome).mend(
        {"start the fabric manager, in exactly the version of the driver",
         {"sudo systemctl enable --now nvidia-fabricmanager"},
         {}});
  }
  const auto* nvml = facts.observed.nvml.get();
  const bool divided =
      nvml != nullptr && nvml->init == 0 && !nvml->devices.empty() &&
      std::all_of(nvml->devices.begin(), nvml->devices.end(),
                  [](const NvmlDevice& device) { return device.mig.value_or(false); });
  const auto* probe = facts.observed.cuda_unhidden.get();
  const bool none = *result == kNoDevice || (*result == 0 && probe != nullptr && probe->count == 0);
  if (!divided || !none)
    return Outcome::clear("neither a fabric manager nor a MIG instance is waited for");
  auto outcome = Outcome::found(
      "MIG is on, and no instance was made: the divided GPU has no part to compute on");
  outcome.evidence.push_back(
      {nvml->devices.front().name + ": MIG is on", facts.observed.nvml.source()});
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  return std::move(outcome)
      .mend({"make an instance of the whole GPU",
             {"sudo nvidia-smi mig --create-gpu-instance 0 --default-compute-instance"},
             {}})
      .mend({"turn MIG off", {"sudo nvidia-smi --multi-instance-gpu 0"}, {}});
}

} // namespace

extern constexpr Rule H14{
    .id = "H14",
    .slug = "fabric-manager-or-mig",
    .title = "The fabric manager or a MIG instance is missing",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(Servers with NVSwitch (HGX, DGX) need the service `nvidia-fabricmanager`. Until it has set up the
links, `nvidia-smi` works and `cuInit` answers 802, "system not yet initialized". Its version must be the driver's, to the last number.

A data-centre GPU with MIG turned on is divided into instances. Until somebody makes one, `nvidia-smi` shows the GPU and
CUDA finds none.)",
    .fix =
        R"(`sudo systemctl enable --now nvidia-fabricmanager`. For MIG: `sudo nvidia-smi mig -cgi 0 -C`, or `sudo nvidia-smi -mig 0`.)",
    .references =
        R"(- [Fabric manager](https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/index.html)
- [MIG user guide](https://docs.nvidia.com/datacenter/tesla/mig-user-guide/))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
