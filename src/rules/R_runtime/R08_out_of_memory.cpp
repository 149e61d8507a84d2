// An allocation on the GPU failed.
#include "rules/R_runtime/waiting.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace gpuwhy::rules {
namespace {

/// The size that begins `text`: "1.50 GiB", "1024 bytes"; 0: none.
double size_at(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"bytes", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
  const auto end = text.find_first_not_of("0123456789.");
  double amount = 0;
  if (end == std::string_view::npos ||
      std::from_chars(text.data(), text.data() + end, amount).ec != std::errc())
    return 0;
  for (const auto& [unit, factor] : kUnits) {
    if (trim(text.substr(end)).starts_with(unit)) return amount * factor;
  }
  return 0;
}

/// Bytes that the allocation wanted, where the message tells: PyTorch's "Tried to allocate 1.50
/// GiB", XLA's "trying to allocate 1024 bytes"; 0: it does not tell.
double asked_for(std::string_view text) {
  for (const std::string_view words : {"Tried to allocate ", "trying to allocate "}) {
    if (const auto at = text.find(words); at != std::string_view::npos)
      return size_at(text.substr(at + words.size()));
  }
  return 0;
}

/// Bytes that PyTorch had taken and could not use: "and 3.20 GiB is reserved by PyTorch but
/// unallocated".
double in_pieces(std::string_view text) {
  const auto end = text.find(" is reserved by PyTorch but unallocated");
  if (end == std::string_view::npos) return 0;
  const auto start = text.rfind("and ", end);
  return start == std::string_view::npos ? 0 : size_at(text.substr(start + 4));
}

Outcome check_run(const use::RunStatistics& run) {
  const auto sign =
      std::find_if(run.end.signs.begin(), run.end.signs.end(), [](const use::Sign& each) {
        return each.kind == use::Sign::Kind::out_of_memory;
      });
  const bool said = sign != run.end.signs.end();
  // Allocators try a smaller block when one fails: that alone is no fault.
  const bool refused =
      run.calls.sums.failed_allocations + run.calls_early.sums.failed_allocations > 0;
  if (!said && !(refused && run.ended_badly()))
    return Outcome::clear(refused ? "an allocation was refused, and the program went on"
                                  : "no allocation failed");
  const auto most =
      std::max_element(run.gpus.begin(), run.gpus.end(),
                       [](const auto& a, const auto& b) { return a.own_peak < b.own_peak; });
  auto outcome = Outcome::found(run.ended_badly() ? "the program ended because GPU memory ran out"
                                                  : "GPU memory ran out, and the program went on");
  if (said) outcome.evidence.push_back({sign->text, {sign->where, 0}});
  if (most != run.gpus.end() && most->own_peak > 0) {
    const double total = static_cast<double>(most->identity.memory_total.value_or(0));
    const double others = static_cast<double>(most->memory_before);
    std::string text = "it held at most " + bytes(static_cast<double>(most->own_peak));
    if (total > 0)
      text += " of the " + bytes(total) + " of " + gpu_name(*most) + "; what fits is " +
              bytes(total - others) + " less the driver's share";
    if (const double asked = said ? asked_for(sign->text) : 0; asked > 0)
      text += "; it asked for " + bytes(asked) + " more";
    outcome.evidence.push_back({std::move(text), {"NVML", 0}});
  }
  const double pieces = said ? in_pieces(sign->text) : 0;
  if (pieces > 0 && pieces >= asked_for(sign->text)) {
    outcome.text += ", though enough of it was free in pieces";
    outcome.evidence.push_back(
        {bytes(pieces) + " were reserved and unused, no piece of them large enough: fragmentation",
         {sign->where, 0}});
    return std::move(outcome).mend(
        {"let PyTorch's allocator join its pieces, and keep the sizes of "
         "batches the same from step to step",
         {"export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"},
         {}});
  }
  return std::move(outcome).mend({"a smaller batch (with gradient accumulation for the same "
                                  "result), mixed precision, or gradient checkpointing",
                                  {},
                                  {}});
}

} // namespace

extern constexpr Rule R08{
    .id = "R08",
    .slug = "out-of-memory",
    .title = "GPU memory ran out",
    .since = "0.1",
    .gate = Gate::capacity,
    .effect = Effect::breaks,
    .explanation =
        R"(Weights, their gradients, the optimizer's state and above all the activations of one batch must fit into the GPU's memory at once. If they
do not, the framework gives up at the first allocation that fails; if memory has been growing, that is the end of a leak.)",
    .fix =
        R"(Activations grow with the batch: halve it, and accumulate gradients where the result must stay the same. Mixed precision halves most of them,
gradient checkpointing trades them for time. Look whether another program holds memory.)",
    .references =
        R"(- [PyTorch: understanding CUDA memory usage](https://docs.pytorch.org/docs/stable/torch_cuda_memory.html))",
    .explains = {},
    .check = nullptr,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
