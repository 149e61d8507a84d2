#include "judge/judge_run.h"

#include "judge/judge.h"
#include "rules/R_runtime/bottleneck.h"
#include "rules/R_runtime/figures.h"
#include "rules/rule.h"

#include <algorithm>

namespace gpuwhy {
namespace {

std::vector<Ruling> ask_all(const use::RunStatistics& run) {
  std::vector<Ruling> all;
  for (const Rule* rule : all_rules()) {
    if (rule->check_run != nullptr) all.push_back({rule, rule->check_run(run)});
  }
  return all;
}

/// What ended the run comes first, then what kept it off the GPU, then what slows it: the wait
/// before what lies in the program.
int rank(const Cause& cause) {
  constexpr std::string_view kOrder[] = {"R12", "R07", "R01", "R08", "E01",
                                         "P15", "R02", "R11", "R06"};
  const auto found = std::find(std::begin(kOrder), std::end(kOrder), cause.id);
  const auto place = static_cast<int>(found - std::begin(kOrder));
  if (cause.id == "P01" || cause.id == "P10") return place + 1;
  return cause.id == "R10" ? 100 : place;
}

Cause cause_of(Ruling& asked) {
  Cause cause;
  cause.id = asked.rule->id;
  cause.slug = asked.rule->slug;
  cause.gate = asked.rule->gate;
  cause.effect = asked.outcome.effect.value_or(asked.rule->effect);
  cause.title = asked.rule->title;
  cause.summary = std::move(asked.outcome.text);
  cause.evidence = std::move(asked.outcome.evidence);
  if (!asked.outcome.edits.empty()) {
    cause.fix = Fix{.words = asked.outcome.edits.front().words,
                    .commands = asked.outcome.edits.front().commands,
                    .verified = false};
  }
  return cause;
}

bool slows(const Cause& cause) {
  return cause.effect == Effect::slows && cause.id != "R10" && cause.id != "R11";
}

/// CUDA needs libcuda in the process that uses it, ROCm its runtime. A framework that was seen
/// loaded shows that we could look.
bool nothing_opened_driver(const use::RunStatistics& run) {
  bool looked = false;
  for (const auto& [pid, process] : run.processes) {
    if (process.opens_gpu) return false;
    looked = looked || !process.libraries.empty();
  }
  return looked && !run.maps("libcuda.so") && !run.maps("libamdhip64");
}

void answer(const use::RunStatistics& run, RunVerdict& verdict) {
  const bool nvml = run.start.nvml.works;
  const bool calls = run.end.cuda.works;
  const auto* gpu = run.main_gpu();
  if (gpu == nullptr) {
    if (!nvml && !calls && nothing_opened_driver(run)) {
      verdict.answer = Used::not_used;
      verdict.sentence = "the GPU was not used: no process loaded the driver's libcuda";
      return;
    }
    if (!nvml && !calls) {
      verdict.sentence = "could not tell whether the GPU was used: " + run.start.nvml.problem;
      return;
    }
    verdict.answer = Used::not_used;
    verdict.sentence = run.any_held() ? "the GPU was not used: memory was taken, and no kernels ran"
                                      : "the GPU was not used";
    return;
  }
  const bool poor = std::any_of(verdict.causes.begin(), verdict.causes.end(), slows);
  verdict.answer = poor ? Used::poorly_used : Used::used;
  const auto busy = rules::gpu_name(*gpu) +
                    (gpu->identity.name.empty() ? "" : " (" + gpu->identity.name + ")") +
                    ": a kernel ran " + rules::percent(gpu->busy) + " of the time";
  verdict.sentence = (poor ? "the GPU was used, but poorly; " : "the GPU was used; ") + busy;
  const auto wait = rules::bottleneck_of(run).wait;
  const bool waits = wait != rules::Wait::nothing && wait != rules::Wait::unknown &&
                     wait != rules::Wait::small_kernels && wait != rules::Wait::late_rank;
  if (waits && gpu->busy > 0.1) verdict.at_most_faster = 100 / gpu->busy;
}

} // namespace

RunVerdict judge_run(const use::RunStatistics& run) {
  RunVerdict verdict;
  for (auto& asked : ask_all(run)) {
    const auto name = std::string(asked.rule->id) + " " + std::string(asked.rule->slug) + ": ";
    switch (asked.outcome.state) {
    case Outcome::State::found: verdict.causes.push_back(cause_of(asked)); break;
    case Outcome::State::clear: verdict.ruled_out.push_back(name + asked.outcome.text); break;
    case Outcome::State::unknown:
      if (std::find(verdict.unknown.begin(), verdict.unknown.end(), asked.outcome.text) ==
          verdict.unknown.end())
        verdict.unknown.push_back(asked.outcome.text);
      break;
    case Outcome::State::not_applicable: break;
    }
  }
  std::stable_sort(verdict.causes.begin(), verdict.causes.end(),
                   [](const Cause& a, const Cause& b) { return rank(a) < rank(b); });
  verdict.notes = run.end.notes;
  answer(run, verdict);
  return verdict;
}

} // namespace gpuwhy
