#include "rules/R_runtime/waiting.h"

#include <algorithm>

namespace gpuwhy::rules {

std::optional<Outcome> waits_for_else(const use::RunStatistics& run,
                                      std::initializer_list<Wait> waits) {
  const auto* gpu = run.main_gpu();
  if (gpu == nullptr) return Outcome::not_applicable();
  const auto found = bottleneck_of(run);
  if (found.wait == Wait::unknown) return Outcome::unknown(found.missing);
  if (std::find(waits.begin(), waits.end(), found.wait) != waits.end()) return std::nullopt;
  if (found.wait == Wait::nothing)
    return Outcome::clear(gpu_name(*gpu) + " had a kernel " + percent(gpu->busy) + " of the time");
  return Outcome::clear("something else takes the time");
}

Evidence busy_evidence(const use::GpuUse& gpu) {
  std::string text = gpu_name(gpu) + " had a kernel " + percent(gpu.busy) + " of the time";
  if (gpu.sm) text += ", on " + percent(*gpu.sm) + " of its multiprocessors";
  return {text + ": " + bound(gpu.busy), {"NVML", 0}};
}

std::optional<Evidence> calls_evidence(const use::RunStatistics& run) {
  const auto& calls = run.calls;
  if (!calls.known()) return std::nullopt;
  const auto part = [](const char* name, double of_one) {
    return of_one < 0.005 ? std::string() : std::string(", ") + name + " " + share(of_one);
  };
  std::string text = "the program's time: pauses without a CUDA call " + share(calls.pause) +
                     part("copies", calls.copy) + part("waiting for the GPU", calls.sync) +
                     part("loading code", calls.load) + part("making calls", calls.issue);
  text += " (" + seconds(calls.window) + " observed)";
  return Evidence{std::move(text), {"CUPTI", 0}};
}

} // namespace gpuwhy::rules
