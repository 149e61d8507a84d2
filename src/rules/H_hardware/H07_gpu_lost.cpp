// The GPU is on the bus, and does not answer any more, or never started. Truth: nvmlReturn_t 15
// (GPU is lost); the driver's lines in the kernel log: "has fallen off the bus" (Xid 79),
// "RmInitAdapter failed".
#include "rules/H_hardware/gpus.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 3> kExplains{"H18", "H08", "H09"};
constexpr int kGpuIsLost = 15;
constexpr std::array<std::string_view, 4> kSigns{"fallen off the bus", "RmInitAdapter failed",
                                                 "GPU is lost", "Uncorrectable ECC"};

/// What the driver said at any time; it counts only while the driver does not work.
std::optional<Evidence> sign_of_loss(const Facts& facts) {
  if (const auto* nvml = facts.observed.nvml.get()) {
    if (nvml->init == kGpuIsLost)
      return Evidence{"NVML answers 15, GPU is lost", facts.observed.nvml.source()};
    for (const auto& device : nvml->devices) {
      if (device.error.value_or(0) == kGpuIsLost)
        return Evidence{"NVML answers 15, GPU is lost, for GPU " + std::to_string(device.index),
                        facts.observed.nvml.source()};
    }
  }
  for (const auto sign : kSigns) {
    if (auto line = kernel_log_line(facts, sign)) return line;
  }
  return std::nullopt;
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts) || facts.driver.module.absent())
    return Outcome::not_applicable();
  const auto result = cuinit_result(facts);
  if (!result) return Outcome::not_applicable(); // the driver was not asked
  if (*result == 0 && c.driver_answers())
    return Outcome::clear("the CUDA driver starts and reports a GPU");
  const auto sign = sign_of_loss(facts);
  if (!sign) {
    if (facts.driver.kernel_log.open() && facts.observed.nvml.open())
      return Outcome::unknown(missing_text("the kernel log", facts.driver.kernel_log));
    return Outcome::clear("neither NVML nor the kernel log tells of a lost GPU");
  }
  auto outcome = Outcome::found("the driver has lost the GPU, or could not start it");
  outcome.evidence.push_back(*sign);
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  return std::move(outcome).mend({"shut the machine down, wait, and start it again; if it comes "
                                  "back, look at power supply, cooling, the slot and the card",
                                  {"sudo nvidia-bug-report.sh", "sudo poweroff"},
                                  {}});
}

} // namespace

extern constexpr Rule H07{
    .id = "H07",
    .slug = "gpu-lost",
    .title = "The GPU does not answer any more",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(The driver is loaded and the GPU is on the bus, but it does not answer. "GPU has fallen off the bus"
(Xid 79) comes from too little power, heat, a loose card or riser, or a hardware fault. "RmInitAdapter failed" means
that the driver could not start it at all: a wrong driver flavour for this GPU, a virtual machine that passes it on badly, or
a fault. No program can use it until the machine has been started anew.)",
    .fix =
        R"(Power the machine off and on; a restart alone may not reset the card. Look at `sudo dmesg | grep -i NVRM` and at the
Xid number in NVIDIA's list.)",
    .references = R"(- [Xid errors](https://docs.nvidia.com/deploy/xid-errors/index.html))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
