// What applications are told and say of themselves: switches and settings that choose the
// processor, and a model that does not fit into the GPU's memory and runs all the same.
#include "base/text.h"
#include "explain/pace.h"
#include "explain/runs.h"
#include "explain/suspect.h"
#include "explain/use_figures.h"

#include <algorithm>
#include <cstdlib>
#include <re2/re2.h>
#include <string_view>

namespace gpuwhy::explain {
namespace {

constexpr double kUsualShared = 1.2; // GB that Windows shares with a GPU that has room left
constexpr double kSlowStep = 4;      // seconds, of one step of a picture

/// The framework has the GPU, whatever the program makes of it.
const Sighting* within_reach(const Scene& scene) {
  if (scene.succeeded != nullptr) return scene.succeeded;
  return scene.text.find("gpu-found");
}

/// A value that stands in a file: what a program prints can be what it found out.
bool of_a_file(const Sighting& seen) {
  const auto& line = seen.text;
  if (contains(line, "use_gpu") || contains(line, "enable_gpu")) return true;
  const bool listed = !line.empty() && line.front() >= '0' && line.front() <= '9'; // grep -n
  return listed || contains(line, "\"") || contains(line, ".y") || contains(line, ".json");
}

/// Of a help text, or advice: nobody typed it.
bool only_told_of(std::string_view line) {
  static const re2::RE2 kProse(
      R"re((?i:^--?\w|^usage\b|\[-|\b(?:use|add|try|with|pass|passing|using|via|the|or|and|set|specify|option|flag|argument|without)\s+['"`]?--?\w))re");
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), kProse);
}

/// Something had failed on the GPU before: the processor was a way round it.
bool way_round(const Scene& scene, const Sighting& told) {
  const auto all = scene.text.all();
  return std::any_of(all.begin(), all.end(), [&](const Sighting* seen) {
    return seen->message->kind == Kind::cause && seen->last < told.first;
  });
}

void told(const Scene& scene, Suspects& out) {
  for (const auto* seen : scene.text.all("told-cpu")) {
    if (scene.text.reading().is_past(*seen) || for_comparison(scene.text, *seen)) continue;
    const bool setting = seen->message->name == "told-cpu/config";
    if (!setting && only_told_of(seen->text)) continue;
    const auto* there = within_reach(scene);
    if (setting && there == nullptr && !of_a_file(*seen)) continue;
    // Told both ways, it was tried both ways; what is offloaded lies there on purpose.
    if (setting ? scene.text.has("offload-config") : scene.text.has("told-gpu")) continue;
    const bool alone = !setting && scene.in_use == nullptr && !way_round(scene, *seen);
    out.push_back({"P01",
                   alone ? Weight::probable : Weight::hint,
                   setting ? "a setting of the program chooses the processor"
                           : "the program is started with a switch that chooses the processor",
                   {seen, scene.in_use},
                   setting
                       ? "change that setting, and look at the program's own words for it"
                       : "leave that switch out, or give it the GPU (the program's --help tells "
                         "how)",
                   kLook});
    if (setting && there == nullptr)
      out.back().instead = {{"F13", "the program found that value out: its framework has no GPU"}};
    return;
  }
}

bool slow(const Scene& scene) {
  const auto& text = scene.text;
  if (text.has("speed-words") || text.has("slower-words") || text.has("slows-down")) return true;
  const auto steps = text.all("step-series");
  return std::any_of(steps.begin(), steps.end(), [](const Sighting* step) {
    const auto unit = step->value("step_unit");
    return (unit == "s" || unit.starts_with("sec")) &&
           std::strtod(std::string(step->value("step_time")).c_str(), nullptr) >= kSlowStep;
  });
}

/// The GPU's memory is full, and Windows' driver or the program puts the rest into the machine's.
void spills(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const Sighting* seen = text.find("memory-spilled");
  for (const auto* shared : text.all("shared-memory")) {
    const auto value = std::strtod(std::string(shared->value("shared_gb")).c_str(), nullptr);
    if (value > kUsualShared) seen = shared;
  }
  if (seen == nullptr && text.has("offloaded-part")) seen = text.find("offloaded-part");
  const bool falls = Pace(text).steps_rise() || UseFigures(text).memory_full;
  if (seen == nullptr || !(slow(scene) || falls)) return;
  out.push_back({"R08",
                 Weight::hint,
                 "the GPU's memory is full: the rest lies in the machine's memory and crosses the "
                 "bus for every use",
                 {seen},
                 "a smaller batch, picture or model, a quantised one; NVIDIA's Control Panel: CUDA "
                 "Sysmem Fallback Policy = Prefer No Sysmem Fallback",
                 "nvidia-smi, while it is slow"});
}

/// R's call for results that can be repeated empties the variable, and says so.
void seeded(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("seed-hides");
  if (seen == nullptr || (scene.in_use != nullptr && scene.in_use->last > seen->last)) return;
  out.push_back({"P03",
                 Weight::settled,
                 "the call that sets the seed hides the GPUs from this session",
                 {seen, scene.no_gpu},
                 "start R anew, and call it with disable_gpu = FALSE",
                 {}});
}

} // namespace

void application_suspects(const Scene& scene, Suspects& out) {
  seeded(scene, out);
  told(scene, out);
  spills(scene, out);
}

void drop_what_was_compared(const Scene& scene, Suspects& suspects) {
  // The GPU is busy: what is slow between the batches does not keep it waiting.
  constexpr double kBusy = 70; // percent
  const auto told = scene.text.all("told-cpu");
  // A program that is told to use the processor says that it found no GPU.
  const auto asked = [&](const Sighting& seen) {
    const auto signal = seen.message->signal;
    if (signal != "jax-no-gpu" && signal != "torch-false" && signal != "app-on-cpu") return false;
    return std::any_of(told.begin(), told.end(), [&](const Sighting* each) {
      return each->message->name != "told-cpu/config" && each->first <= seen.first &&
             each->last_run == seen.last_run;
    });
  };
  const UseFigures figures(scene.text);
  const bool busy = figures.lowest_use.value_or(0) >= kBusy;
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return !suspect.evidence.empty() &&
           std::all_of(suspect.evidence.begin(), suspect.evidence.end(), [&](const Sighting* seen) {
             return for_comparison(scene.text, *seen) || asked(*seen) ||
                    (busy && seen->message->signal == "slow-callback");
           });
  });
}

} // namespace gpuwhy::explain
