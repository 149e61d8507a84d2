// Copies over the bus, or results asked for after every few kernels, keep the GPU from working.
#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

Outcome syncs(const use::RunStatistics& run) {
  const auto* gpu = run.main_gpu();
  const auto& calls = run.calls;
  const double asked = calls.per_second(std::max(calls.sums.syncs, calls.sums.to_host));
  auto outcome = Outcome::found("the program asks for a result " + count(asked) +
                                " times a second, and the GPU idles " + percent(100 - gpu->busy) +
                                " of the time for it");
  outcome.evidence.push_back(busy_evidence(*gpu));
  outcome.evidence.push_back({count(calls.per_second(calls.sums.launches) / std::max(asked, 1.0)) +
                                  " kernels between two of them; " +
                                  share(calls.sync + calls.copy) +
                                  " of the program's time is spent waiting",
                              {"CUPTI", 0}});
  return std::move(outcome).mend({"read results (.item(), float(loss), print, numpy()) once in a "
                                  "hundred steps, and keep sums on the GPU meanwhile",
                                  {},
                                  {}});
}

Outcome copies(const use::RunStatistics& run) {
  const auto* gpu = run.main_gpu();
  const auto& sums = run.calls.sums;
  const double to_device = run.calls.known() ? run.calls.per_second(sums.to_device_bytes)
                                             : gpu->pcie_rx.value_or(0) * 1024;
  const double to_host = run.calls.known() ? run.calls.per_second(sums.to_host_bytes)
                                           : gpu->pcie_tx.value_or(0) * 1024;
  const bool up = std::max(to_device, gpu->pcie_rx.value_or(0) * 1024) >=
                  std::max(to_host, gpu->pcie_tx.value_or(0) * 1024);
  auto outcome =
      Outcome::found(std::string("copies ") + (up ? "to" : "from") +
                     " the GPU take the time: it computes " + percent(gpu->busy) + " of it");
  outcome.evidence.push_back(busy_evidence(*gpu));
  if (run.calls.known()) {
    outcome.evidence.push_back({bytes(to_device) + "/s to the GPU, " + bytes(to_host) +
                                    "/s back; " + share(run.calls.copy) +
                                    " of the program's time is spent in copies",
                                {"CUPTI", 0}});
  }
  if (gpu->pcie_rx || gpu->pcie_tx) {
    outcome.evidence.push_back({"on the bus " + bytes(gpu->pcie_rx.value_or(0) * 1024) +
                                    "/s to the GPU, " + bytes(gpu->pcie_tx.value_or(0) * 1024) +
                                    "/s back",
                                {"NVML", 0}});
  }
  return std::move(outcome).mend(
      up ? Edit{"keep on the GPU what each step uses again; what must cross the bus, from pinned "
                "memory and ahead of its use (pin_memory=True, "
                "non_blocking=True, prefetch to the device)",
                {},
                {}}
         : Edit{"reduce on the GPU what is brought back (sums, arg max), and bring it back less "
                "often",
                {},
                {}});
}

Outcome check_run(const use::RunStatistics& run) {
  if (auto otherwise = waits_for_else(run, {Wait::sync, Wait::transfer}))
    return std::move(*otherwise);
  return bottleneck_of(run).wait == Wait::sync ? syncs(run) : copies(run);
}

} // namespace

extern constexpr Rule R05{
    .id = "R05",
    .slug = "transfer-or-sync-bound",
    .title = "Copies or waits between processor and GPU take the time",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::slows,
    .explanation =
        R"(The processor queues work for the GPU ahead of time. Each time the program asks for a value (`.item()`, `float(loss)`, `.numpy()`,
printing), it must wait until the queue is empty, and the GPU then idles until new work arrives. Copies over PCIe are ten to a
hundred times slower than the GPU's own memory, and from ordinary (pageable) memory they stop the program as well.)",
    .fix =
        R"(Ask for values rarely, keep what is used again on the GPU, copy from pinned memory while the GPU computes, and compute what is
brought back down to what is needed.)",
    .references =
        R"(- [PyTorch: performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
- [CUDA best practices: data transfer](https://docs.nvidia.com/cuda/cuda-c-best-practices-guide/#data-transfer-between-host-and-device))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
