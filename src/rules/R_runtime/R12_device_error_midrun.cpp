// The GPU reported a fault while the program ran.
#include "rules/R_runtime/waiting.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

Edit remedy(const use::RunStatistics& run) {
  const auto says = [&](std::string_view words) {
    return std::any_of(run.end.signs.begin(), run.end.signs.end(),
                       [&](const use::Sign& sign) { return contains(lower(sign.text), words); });
  };
  const bool hardware =
      says("ecc") || says("off the bus") ||
      std::any_of(run.gpus.begin(), run.gpus.end(), [](const auto& gpu) { return gpu.lost; });
  if (hardware)
    return {"the card itself: look at 'dmesg | grep Xid' and nvidia-smi -q -d ECC, test it, and "
            "have it replaced if it comes again",
            {},
            {}};
  if (says("assert"))
    return {"an index or label out of range reached the GPU: run the step on the processor, or "
            "with CUDA_LAUNCH_BLOCKING=1, to see which",
            {"export CUDA_LAUNCH_BLOCKING=1"},
            {}};
  return {"run with CUDA_LAUNCH_BLOCKING=1 to see which operation faults; then compute-sanitizer",
          {"export CUDA_LAUNCH_BLOCKING=1"},
          {}};
}

Outcome check_run(const use::RunStatistics& run) {
  const auto sign =
      std::find_if(run.end.signs.begin(), run.end.signs.end(), [](const use::Sign& each) {
        return each.kind == use::Sign::Kind::device_error;
      });
  const int error = std::max(run.calls.sums.error, run.calls_early.sums.error);
  const auto lost =
      std::find_if(run.gpus.begin(), run.gpus.end(), [](const auto& gpu) { return gpu.lost; });
  if (sign == run.end.signs.end() && error == 0 && lost == run.gpus.end())
    return Outcome::clear("no fault was reported");
  auto outcome =
      Outcome::found(lost != run.gpus.end()
                         ? gpu_name(*lost) + " disappeared while the program ran"
                         : "the GPU reported a fault " + seconds(run.end.time) + " into the run");
  if (sign != run.end.signs.end()) outcome.evidence.push_back({sign->text, {sign->where, 0}});
  if (error != 0)
    outcome.evidence.push_back(
        {"a CUDA call returned error " + std::to_string(error), {"CUPTI", 0}});
  return std::move(outcome).mend(remedy(run));
}

} // namespace

extern constexpr Rule R12{
    .id = "R12",
    .slug = "device-error-midrun",
    .title = "The GPU reported a fault in the middle of the run",
    .since = "0.1",
    .gate = Gate::use,
    .effect = Effect::breaks,
    .explanation =
        R"(After a fault on the GPU every further call of the process fails, often with the message of a place that has nothing to do with it, as
kernels run later than they are called. Causes are an index out of range, a kernel with a bug, or the card: memory errors that
cannot be corrected, or a card that fell off the bus.)",
    .fix =
        R"(`CUDA_LAUNCH_BLOCKING=1` makes the message name the right operation. The kernel's log (`dmesg | grep Xid`) tells whether it was the card.)",
    .references = R"(- [NVIDIA: Xid errors](https://docs.nvidia.com/deploy/xid-errors/))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
