// What is wrong in the code that stands in the text, as the rules about programs found it.
#include "explain/suspect.h"
#include "explain/use_figures.h"
#include "knowledge/causes.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

constexpr double kIdle = 60; // percent up to which something holds the GPU back

/// Judges the program together with the machine.
constexpr std::string_view kJudge = "gpuwhy check train.py";

std::string_view effect_of(std::string_view id) {
  const auto* cause = find_cause(id);
  return cause == nullptr ? std::string_view() : cause->effect;
}

/// Something in the log keeps the program from the GPU, or ends it.
bool stopped(const Suspects& suspects) {
  return std::any_of(suspects.begin(), suspects.end(), [](const Suspect& suspect) {
    return suspect.weight != Weight::hint && effect_of(suspect.id) != "slows";
  });
}

/// No GPU is shown, and nothing tells why.
bool fails(const Scene& scene) {
  if (scene.no_gpu != nullptr) return true;
  const auto all = scene.text.all();
  return std::any_of(all.begin(), all.end(), [&](const Sighting* seen) {
    return seen->message->kind == Kind::consequence &&
           (scene.in_use == nullptr || seen->last > scene.in_use->last);
  });
}

/// The text complains of speed, of memory, or of a GPU that has little to do.
bool complains(const Scene& scene) {
  const auto& text = scene.text;
  const UseFigures figures(text);
  return figures.low_or_said(kIdle) || figures.slower_than_cpu || figures.memory_grows ||
         text.has("use-low") || text.has("use-none") || text.has("speed-words") ||
         text.has("slower-words") || text.has("slows-down");
}

/// The log shows a failure that only a program on the GPU can have: memory that is full, a device
/// that fails.
bool fails_on_gpu(const Suspects& suspects, bool slow_too) {
  return std::any_of(suspects.begin(), suspects.end(), [&](const Suspect& suspect) {
    const auto* cause = find_cause(suspect.id);
    return cause != nullptr && suspect.weight != Weight::hint &&
           (cause->gate == "capacity" || cause->gate == "use") &&
           (slow_too || cause->effect != "slows");
  });
}

bool hides_all(const CodeFinding& finding) {
  return finding.bearing == Bearing::hides &&
         (finding.id == "P02" || finding.id == "P03" || finding.id == "P04");
}

/// The framework that the code keeps from the GPU was seen to work on it: the log is of another
/// run, or of another state of the program.
bool refuted(const Scene& scene, const CodeSighting& code) {
  if (!hides_all(code.finding) || scene.in_use == nullptr) return false;
  const auto ours = code.seen.message->framework;
  const auto theirs = scene.in_use->message->framework;
  return scene.in_use->message->signal == "gpu-created" &&
         (ours.empty() || theirs.empty() || ours == theirs);
}

Suspect suspect_of(const Scene& scene, const CodeSighting& code, Weight weight) {
  const auto& finding = code.finding;
  Suspect suspect{finding.id, weight, finding.message, {&code.seen}, finding.fix, {}};
  if (effect_of(finding.id) == "slows")
    suspect.ask = kWatch;
  else if (weight != Weight::settled)
    suspect.ask = kJudge;
  if (scene.no_gpu != nullptr && finding.bearing == Bearing::hides)
    suspect.evidence.push_back(scene.no_gpu);
  return suspect;
}

} // namespace

void code_suspects(const Scene& scene, Suspects& out) {
  const bool loud = stopped(out);
  const bool failing = fails(scene);
  const bool asked = complains(scene);
  const bool on_gpu = fails_on_gpu(out, true);
  const bool broke_on_gpu = fails_on_gpu(out, false);
  Suspects found;
  for (const auto& code : scene.text.reading().code.findings) {
    const auto& finding = code.finding;
    const bool error = finding.severity == Severity::error;
    auto weight = Weight::probable;
    bool also = false;
    if (finding.bearing == Bearing::hides) {
      if (error) weight = Weight::settled;
      if (refuted(scene, code)) weight = Weight::hint;
      also = broke_on_gpu || (on_gpu && hides_all(finding));
    } else if (error) {
      also = !out.empty(); // it would have stopped the program with words of its own
      if (also || scene.in_use != nullptr) weight = Weight::hint;
    } else {
      if (loud || failing) continue;
      if (finding.severity != Severity::warning || !asked) weight = Weight::hint;
    }
    found.push_back(suspect_of(scene, code, weight));
    found.back().also = also;
  }
  out.insert(out.end(), found.begin(), found.end());
}

void drop_what_the_code_refutes(const Scene& scene, Suspects& suspects) {
  const auto& code = scene.text.reading().code;
  if (code.lines.empty()) return;
  std::erase_if(suspects, [&](const Suspect& suspect) {
    const bool of_code =
        !suspect.evidence.empty() &&
        std::all_of(suspect.evidence.begin(), suspect.evidence.end(),
                    [&](const Sighting* seen) { return code.judged(seen->first); });
    return of_code &&
           std::none_of(code.findings.begin(), code.findings.end(),
                        [&](const CodeSighting& each) { return each.finding.id == suspect.id; });
  });
}

} // namespace gpuwhy::explain
