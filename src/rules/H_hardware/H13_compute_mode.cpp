// The GPU's compute mode lets no program in, or only one, which is there already. Truth: CUDA
// driver API, CUcomputemode; a prohibited device is listed, and making a context on it fails.
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr int kProhibited = 2;
constexpr int kExclusiveThread = 1;
constexpr int kExclusiveProcess = 3;

Edit to_default() {
  return {"set the compute mode back to default, which needs root",
          {"sudo nvidia-smi --compute-mode=DEFAULT"},
          [](Facts& facts) {
            const auto normal = Fact<int>::known(0, {"edit", 0});
            if (auto* nvml = facts.observed.nvml.get()) {
              for (auto& device : nvml->devices) device.compute_mode = normal;
            }
            for (auto* probe : {facts.observed.cuda.get(), facts.observed.cuda_unhidden.get()}) {
              if (probe == nullptr) continue;
              for (auto& device : probe->devices) device.compute_mode = normal;
            }
          }};
}

Outcome check(const Case& c) {
  const auto* nvml = c.facts.observed.nvml.get();
  const auto* cuda = c.facts.observed.cuda.get();
  if (cuda != nullptr && cuda->init == 0 && !cuda->devices.empty()) {
    const auto& devices = cuda->devices;
    if (std::all_of(devices.begin(), devices.end(), [](const CudaDevice& device) {
          return device.compute_mode.value_or(0) == kProhibited;
        })) {
      return Outcome::found("the GPU's compute mode is Prohibited: no program may compute on it")
          .because(devices.front().name + ": compute mode 2, Prohibited",
                   c.facts.observed.cuda.source())
          .mend(to_default());
    }
  }
  if (nvml == nullptr || nvml->init != 0 || nvml->devices.empty()) {
    if (cuda != nullptr && cuda->init == 0 && !cuda->devices.empty() &&
        cuda->devices.front().compute_mode.known())
      return Outcome::clear("the compute mode lets programs in");
    return Outcome::not_applicable();
  }
  const auto closed = [](const NvmlDevice& device) {
    const int mode = device.compute_mode.value_or(0);
    const bool taken = !device.processes.value_or({}).empty();
    return mode == kProhibited ||
           ((mode == kExclusiveProcess || mode == kExclusiveThread) && taken);
  };
  const auto& devices = nvml->devices;
  if (!std::all_of(devices.begin(), devices.end(), closed))
    return Outcome::clear("the compute mode lets programs in");
  const bool prohibited = devices.front().compute_mode.value() == kProhibited;
  auto outcome = Outcome::found(
      prohibited ? "the GPU's compute mode is Prohibited: no program may compute on it"
                 : "the GPU is in exclusive mode, and a program has it already");
  outcome.evidence.push_back({devices.front().name + ": compute mode " +
                                  std::to_string(devices.front().compute_mode.value()),
                              c.facts.observed.nvml.source()});
  if (!prohibited) {
    const auto process = devices.front().processes.value().front();
    outcome.evidence.push_back(
        {"process " + std::to_string(process.pid) + " has it", c.facts.observed.nvml.source()});
  }
  return std::move(outcome).mend(to_default());
}

} // namespace

extern constexpr Rule H13{
    .id = "H13",
    .slug = "compute-mode",
    .title = "The GPU's compute mode keeps the program out",
    .since = "0.1",
    .gate = Gate::capacity,
    .effect = Effect::breaks,
    .explanation =
        R"(An administrator can set a GPU to Prohibited, so that no program may compute on it, or to
Exclusive Process, so that one may at a time. The GPU is listed in both cases, and the first use fails with
"all CUDA-capable devices are busy or unavailable".)",
    .fix = R"(`sudo nvidia-smi --compute-mode=DEFAULT`, or end the program that has the GPU.)",
    .references =
        R"(- [nvidia-smi: compute mode](https://docs.nvidia.com/deploy/nvidia-smi/index.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
