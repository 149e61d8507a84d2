// What is wrong in the code that stands in the text, as the rules about programs found it.
#include "explain/suspect.h"
#include "explain/use_figures.h"
#include "knowledge/causes.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

constexpr double kIdle = 60; // percent up to which something holds the GPU back

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

/// The framework that the code keeps from the GPU was seen to work on it.
bool refuted(const Scene& scene, const CodeSighting& code) {
  if (code.finding.bearing != Bearing::hides || scene.in_use == nullptr) return false;
  const auto ours = code.seen.message->framework;
  const auto theirs = scene.in_use->message->framework;
  const bool hides_all =
      code.finding.id == "P02" || code.finding.id == "P03" || code.finding.id == "P04";
  return hides_all && scene.in_use->message->signal == "gpu-created" &&
         (ours.empty() || theirs.empty() || ours == theirs);
}

Suspect suspect_of(const Scene& scene, const CodeSighting& code, Weight weight) {
  const auto& finding = code.finding;
  Suspect suspect{finding.id, weight, finding.message, {&code.seen}, finding.fix, {}};
  if (effect_of(finding.id) == "slows")
    suspect.ask = kWatch;
  else if (weight != Weight::settled)
    suspect.ask = kLook;
  if (scene.no_gpu != nullptr && finding.bearing == Bearing::hides)
    suspect.evidence.push_back(scene.no_gpu);
  return suspect;
}

} // namespace

void code_suspects(const Scene& scene, Suspects& out) {
  const bool loud = stopped(out);
  const bool failing = fails(scene);
  const bool asked = complains(scene);
  Suspects found;
  for (const auto& code : scene.text.reading().code.findings) {
    const auto& finding = code.finding;
    const bool error = finding.severity == Severity::error;
    if (finding.bearing == Bearing::hides) {
      const auto weight = refuted(scene, code) ? Weight::hint
                          : error              ? Weight::settled
                                               : Weight::probable;
      found.push_back(suspect_of(scene, code, weight));
    } else if (error) {
      found.push_back(suspect_of(scene, code, Weight::probable));
    } else if (!loud && !failing) {
      const bool telling = finding.severity == Severity::warning && asked;
      found.push_back(suspect_of(scene, code, telling ? Weight::probable : Weight::hint));
    }
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
