#include "explain/judge.h"

#include "explain/suspect.h"
#include "explain/use_figures.h"
#include "knowledge/causes.h"
#include "verdict/gate.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace gpuwhy::explain {
namespace {

/// Where `cause` stands, `consequence` follows from it and is no cause of its own.
struct Follows {
  std::string_view cause;
  std::string_view consequence;
};
constexpr std::array kFollows = {
    Follows{"F08", "F01"}, Follows{"F08", "F07"}, Follows{"F09", "F01"}, Follows{"F09", "F08"},
    Follows{"F09", "F10"}, Follows{"H06", "H03"}, Follows{"H04", "H03"}, Follows{"H05", "H03"},
    Follows{"H05", "H18"}, Follows{"H05", "H09"}, Follows{"H07", "H03"}, Follows{"H07", "H18"},
    Follows{"H07", "R12"}, Follows{"H07", "E01"}, Follows{"H15", "H03"}, Follows{"H15", "E01"},
    Follows{"H15", "H07"}, Follows{"C07", "H03"}, Follows{"C01", "H03"}, Follows{"C02", "C01"},
    Follows{"C06", "H08"}, Follows{"C06", "H09"}, Follows{"H06", "H11"}, Follows{"E02", "P06"},
    Follows{"H12", "R11"}, Follows{"H11", "R11"}, Follows{"H12", "R12"}, Follows{"H11", "R12"},
    Follows{"L07", "L05"}, Follows{"L06", "L05"}, Follows{"L06", "R12"}, Follows{"H14", "H18"},
    Follows{"H17", "H18"}, Follows{"H17", "H05"}, Follows{"L08", "H18"}, Follows{"C03", "H03"},
    Follows{"H08", "H18"}, Follows{"H08", "H09"}, Follows{"R01", "R08"}, Follows{"F14", "F10"},
    Follows{"C05", "H07"}, Follows{"C07", "H07"}, Follows{"C01", "H07"}, Follows{"F12", "E06"},
    Follows{"P03", "E01"}, Follows{"H04", "H11"}, Follows{"H10", "H18"}, Follows{"H10", "H12"},
    Follows{"C02", "H08"}, Follows{"C03", "H05"}, Follows{"F06", "F02"}, Follows{"F03", "F02"},
    Follows{"H13", "P04"}, Follows{"H13", "P06"}, Follows{"H11", "H03"}, Follows{"P18", "R08"},
    Follows{"P18", "R07"}, Follows{"R07", "R08"}, Follows{"H16", "P06"}, Follows{"C06", "C01"},
    Follows{"C06", "C02"}, Follows{"L08", "C01"}, Follows{"L08", "C02"}, Follows{"L08", "H03"},
    Follows{"C03", "L05"}, Follows{"H15", "H06"}, Follows{"H15", "H01"}, Follows{"F06", "F10"}};

std::size_t place(std::string_view gate) {
  const auto found = std::find_if(kGates.begin(), kGates.end(),
                                  [&](const GateText& text) { return text.name == gate; });
  return static_cast<std::size_t>(found - kGates.begin());
}

std::size_t place(const Suspect& suspect) {
  const auto* cause = find_cause(suspect.id);
  return cause == nullptr ? kGates.size() : place(cause->gate);
}

std::uint64_t line_of(const Suspect& suspect) {
  return suspect.evidence.empty() || suspect.evidence.front() == nullptr
             ? 0
             : suspect.evidence.front()->first;
}

Suspects gather(const Scene& scene) {
  Suspects suspects;
  driver_suspects(scene, suspects);
  cuinit_suspects(scene, suspects);
  access_suspects(scene, suspects);
  choice_suspects(scene, suspects);
  run_suspects(scene, suspects);
  library_suspects(scene, suspects);
  package_suspects(scene, suspects);
  origin_suspects(scene, suspects);
  build_suspects(scene, suspects);
  architecture_suspects(scene, suspects);
  program_suspects(scene, suspects);
  runtime_suspects(scene, suspects);
  placement_suspects(scene, suspects);
  profile_suspects(scene, suspects);
  use_suspects(scene, suspects);
  pace_suspects(scene, suspects);
  application_suspects(scene, suspects);
  plain_suspects(scene, suspects);
  for (auto& suspect : suspects) std::erase(suspect.evidence, nullptr);
  drop_what_the_code_refutes(scene, suspects);
  drop_what_was_compared(scene, suspects);
  code_suspects(scene, suspects);
  return suspects;
}

/// A finding in code tells more of its line than the row for such lines does.
bool is_code(const Sighting& seen) {
  return seen.message->signal == kPastedCode;
}

/// One suspect an id: the weightier keeps its words, and gets the evidence of all.
void merge(Suspects& suspects) {
  Suspects merged;
  for (auto& suspect : suspects) {
    const auto same = std::find_if(merged.begin(), merged.end(),
                                   [&](const Suspect& other) { return other.id == suspect.id; });
    if (same == merged.end()) {
      merged.push_back(std::move(suspect));
      continue;
    }
    if (suspect.weight > same->weight) std::swap(*same, suspect);
    same->beside_success = same->beside_success || suspect.beside_success;
    for (const auto* seen : suspect.evidence) {
      const bool there =
          std::any_of(same->evidence.begin(), same->evidence.end(), [&](const Sighting* other) {
            return other == seen || (is_code(*other) && other->first == seen->first);
          });
      if (!there) same->evidence.push_back(seen);
    }
  }
  suspects = std::move(merged);
}

/// Once the GPU was in use, what was said before kept nobody from it: the cause can only come
/// later.
void drop_what_a_success_refutes(const Scene& scene, Suspects& suspects) {
  const auto& reading = scene.text.reading();
  const auto* found = scene.text.find("gpu-found");
  const auto refuted = [&](const Suspect& suspect, const Sighting* success, std::size_t until) {
    if (success == nullptr || suspect.evidence.empty()) return false;
    // What a service may not do, a shell may.
    if (suspect.evidence.front()->message->signal == "service-closed") return false;
    if (suspect.beside_success || suspect.id == "E08") return false;
    const auto* cause = find_cause(suspect.id);
    if (cause == nullptr || cause->effect != "hides") return false;
    const auto gate = place(cause->gate);
    if (gate > until && gate != place("visibility")) return false;
    if (gate == place("visibility") && until < place("libraries")) return false;
    return std::all_of(suspect.evidence.begin(), suspect.evidence.end(), [&](const Sighting* seen) {
      const auto& ours = seen->message->framework;
      const auto& theirs = success->message->framework;
      const bool other_framework = !ours.empty() && !theirs.empty() &&
                                   ours != theirs; // PyTorch's success says nothing of TensorFlow
      const bool other_place =
          reading.place_of(seen->last).id != reading.place_of(success->first).id;
      return !other_framework && !other_place && seen->last_run <= success->last_run &&
             seen->last <= success->last;
    });
  };
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return refuted(suspect, scene.succeeded, place("libraries")) ||
           refuted(suspect, found, place("libcuda"));
  });
}

bool same_framework(const Sighting& a, const Sighting& b) {
  return a.message->framework.empty() || b.message->framework.empty() ||
         a.message->framework == b.message->framework;
}

/// What stopped an earlier run is mended where the last run comes further on the route before it
/// stops.
void drop_what_was_mended(const Scene& scene, Suspects& suspects) {
  const auto& reading = scene.text.reading();
  const auto past = [&](const Suspect& suspect) {
    return !suspect.evidence.empty() &&
           std::all_of(suspect.evidence.begin(), suspect.evidence.end(),
                       [&](const Sighting* seen) { return reading.is_past(*seen); });
  };
  const auto further = [&](const Suspect& suspect, const Suspect& other) {
    const auto gate = place(other);
    return other.weight != Weight::hint && !other.evidence.empty() && !past(other) &&
           gate > place(suspect) && gate >= place("libraries") && gate != place("code") &&
           same_framework(*suspect.evidence.front(), *other.evidence.front());
  };
  std::vector<std::string> gone;
  for (const auto& suspect : suspects) {
    const bool mended =
        past(suspect) && std::any_of(suspects.begin(), suspects.end(),
                                     [&](const Suspect& other) { return further(suspect, other); });
    if (mended) gone.push_back(suspect.id);
  }
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return std::find(gone.begin(), gone.end(), suspect.id) != gone.end();
  });
}

void drop_consequences(Suspects& suspects) {
  const auto there = [&](std::string_view id) {
    return std::any_of(suspects.begin(), suspects.end(),
                       [&](const Suspect& suspect) { return suspect.id == id; });
  };
  std::vector<std::string> gone;
  for (const auto& suspect : suspects) {
    const bool follows = std::any_of(kFollows.begin(), kFollows.end(), [&](const Follows& rule) {
      return rule.consequence == suspect.id && there(rule.cause);
    });
    // A program that asks for a GPU when none could be registered is not to blame.
    const bool asks_in_vain =
        suspect.id == "P06" &&
        std::any_of(suspects.begin(), suspects.end(), [&](const Suspect& other) {
          const auto* cause = find_cause(other.id);
          return cause != nullptr && cause->effect == "hides" && place(other) < place("code");
        });
    if (follows || asks_in_vain) gone.push_back(suspect.id);
  }
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return std::find(gone.begin(), gone.end(), suspect.id) != gone.end();
  });
}

/// A hint about the machine or the build is no less true for what the program does to itself.
bool stands_beside_code(const Suspect& hint) {
  constexpr std::array<std::string_view, 5> kGates = {"hardware", "driver", "libcuda", "build",
                                                      "architecture"};
  const auto* cause = find_cause(hint.id);
  return cause != nullptr && cause->effect == "hides" &&
         std::find(kGates.begin(), kGates.end(), cause->gate) != kGates.end();
}

void keep_hints_only_alone(Suspects& suspects) {
  bool better = false;    // something else than a hint
  bool elsewhere = false; // and it is not in code
  for (const auto& suspect : suspects) {
    if (suspect.weight == Weight::hint) continue;
    better = true;
    elsewhere = elsewhere || suspect.evidence.empty() || !is_code(*suspect.evidence.front());
  }
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return suspect.weight == Weight::hint && better && (elsewhere || !stands_beside_code(suspect));
  });
}

Quote quote(const Sighting& seen) {
  return {seen.first, seen.count, seen.text, std::string(seen.message->says)};
}

NamedCause named(const Suspect& suspect) {
  NamedCause named;
  named.id = suspect.id;
  named.summary = suspect.summary;
  named.fix = suspect.fix;
  if (suspect.weight != Weight::settled || !suspect.instead.empty()) named.confirm = suspect.ask;
  for (const auto& other : suspect.instead) {
    const auto* cause = find_cause(other.id);
    named.alternatives.push_back(
        {std::string(other.id), std::string(cause == nullptr ? "" : cause->slug), other.when});
  }
  if (const auto* cause = find_cause(suspect.id)) {
    named.slug = cause->slug;
    named.gate = cause->gate;
    named.effect = cause->effect;
    named.title = cause->title;
    if (named.fix.empty()) named.fix = cause->fix;
  }
  for (const auto* seen : suspect.evidence) {
    if (named.evidence.size() < 8) named.evidence.push_back(quote(*seen));
  }
  return named;
}

/// A GPU is there and little used, as the text says.
bool complains(const Scene& scene) {
  constexpr double kLittle = 30; // per cent
  const UseFigures figures(scene.text);
  return figures.low_or_said(kLittle) || figures.slower_than_cpu;
}

/// The command that the telling consequence asks for; where nothing was said about a GPU, one that
/// says it; where its use was, one that finds out what holds it back.
std::string needed(const Scene& scene) {
  for (const auto* seen : scene.text.all()) {
    const bool open =
        seen->message->kind == Kind::consequence || seen->message->kind == Kind::cause;
    if (open && !seen->message->ask.empty()) return std::string(seen->message->ask);
  }
  if (UseFigures(scene.text).stated) return std::string(kWatch);
  if (!scene.tensorflow && !scene.text.said("torch").empty())
    return "python -c \"import torch; print(torch.__version__, torch.version.cuda, "
           "torch.cuda.is_available())\"";
  const bool jax = !scene.text.said("jaxlib").empty() || !scene.text.said("jax").empty();
  if (!scene.tensorflow && jax)
    return "python -c \"import jax; print(jax.__version__, jax.devices())\"";
  return "python -c \"import tensorflow as tf; print(tf.__version__, "
         "tf.config.list_physical_devices('GPU'))\"";
}

bool unexplained_failure(const Scene& scene) {
  const auto all = scene.text.all();
  return std::any_of(all.begin(), all.end(), [&](const Sighting* seen) {
    return seen->message->kind == Kind::consequence && !seen->message->ask.empty() &&
           (scene.in_use == nullptr || seen->last > scene.in_use->last);
  });
}

Verdict verdict_of(const Scene& scene, const std::vector<NamedCause>& causes) {
  if (!causes.empty()) {
    const auto& root = causes.front();
    const bool reached = root.effect == "slows" || root.gate == "use" ||
                         (root.gate == "capacity" && root.effect == "breaks");
    return reached ? Verdict::gpu : Verdict::no_gpu;
  }
  return scene.in_use != nullptr && !unexplained_failure(scene) ? Verdict::gpu
                                                                : Verdict::cannot_tell;
}

bool alike(const Judgement& a, const Judgement& b) {
  if (a.verdict != b.verdict || a.causes.size() != b.causes.size()) return false;
  return std::equal(a.causes.begin(), a.causes.end(), b.causes.begin(),
                    [](const NamedCause& x, const NamedCause& y) { return x.id == y.id; });
}

} // namespace

Judgement judge(const Reading& reading, std::optional<std::string_view> rank) {
  const Scene scene{View(reading, rank)};
  auto suspects = gather(scene);
  merge(suspects);
  drop_what_a_success_refutes(scene, suspects);
  drop_what_the_place_refutes(scene, suspects);
  drop_what_was_mended(scene, suspects);
  keep_hints_only_alone(suspects);
  drop_consequences(suspects);
  std::stable_sort(suspects.begin(), suspects.end(), [](const Suspect& a, const Suspect& b) {
    return std::tuple(a.also, place(a), line_of(a)) < std::tuple(b.also, place(b), line_of(b));
  });
  Judgement judgement;
  for (const auto& suspect : suspects) judgement.causes.push_back(named(suspect));
  for (const auto* seen : scene.text.all()) {
    if (seen->message->kind == Kind::harmless) judgement.harmless.push_back(quote(*seen));
  }
  if (scene.in_use != nullptr) judgement.works = quote(*scene.in_use);
  judgement.verdict = verdict_of(scene, judgement.causes);
  if (judgement.verdict == Verdict::cannot_tell) judgement.needs = needed(scene);
  if (judgement.verdict == Verdict::gpu && judgement.causes.empty() && complains(scene))
    judgement.needs = kWatch;
  if (!judgement.causes.empty() && !judgement.causes.front().alternatives.empty())
    judgement.needs = judgement.causes.front().confirm;
  return judgement;
}

std::vector<Judgement> judge_ranks(const Reading& reading) {
  std::vector<Judgement> groups;
  if (reading.ranks.size() < 2) return groups;
  for (const auto& rank : reading.ranks) {
    auto judgement = judge(reading, rank);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const Judgement& group) { return alike(group, judgement); });
    if (same != groups.end()) {
      same->ranks.push_back(rank);
      continue;
    }
    judgement.ranks.push_back(rank);
    groups.push_back(std::move(judgement));
  }
  if (groups.size() < 2) groups.clear();
  return groups;
}

} // namespace gpuwhy::explain
