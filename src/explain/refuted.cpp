// What the text itself shows to be otherwise, in the place where a cause is said to act, is no
// cause there, nor one that it could be instead.
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace gpuwhy::explain {
namespace {

struct Refutation {
  std::string_view cause;
  bool by_list;      // nvidia-smi lists a GPU
  bool by_framework; // any framework shows one
};

/// The machine's causes are refuted by what answers on that machine. Those by which nvidia-smi
/// works and CUDA does not (H05, H09, H10, C02, C03) are not in this table, nor those of one
/// framework.
constexpr std::array kRefutations = {
    Refutation{"H01", true, true},  // no GPU
    Refutation{"H02", true, true},  // of another maker
    Refutation{"H03", false, true}, // no driver: its libcuda may be missing alone
    Refutation{"H04", true, true},  // nouveau
    Refutation{"H06", true, true},  // the module is not loaded
    Refutation{"H15", true, true},  // switched off
    Refutation{"C01", true, true},  // the container was started without it
    Refutation{"C04", true, true},  // the notebook's runtime has none
    Refutation{"C05", true, true},  // none was passed in
    Refutation{"C07", false, true}, // the job got none: nvidia-smi may show those of others
    Refutation{"H18", false, true}, // no driver that answers
};

const Refutation* refutation_of(std::string_view cause) {
  const auto found = std::find_if(kRefutations.begin(), kRefutations.end(),
                                  [&](const Refutation& each) { return each.cause == cause; });
  return found == kRefutations.end() ? nullptr : &*found;
}

/// A host lists what a container that it starts may not get, and nothing tells the two apart where
/// the text shows no way in.
bool needs_known_place(std::string_view cause) {
  return cause == "C01";
}

/// In the same place, or in another session on the same machine. A line that names the failure
/// itself and comes later in the same session tells of a change: it worked before.
bool holds_against(const Reading& reading, const Sighting& proof, const Sighting& seen,
                   bool known_only) {
  const auto& place = reading.place_of(seen.first);
  if (seen.first == proof.first || (known_only && place.command.empty() && place.host.empty()))
    return false;
  const bool later = seen.message->kind == Kind::cause && seen.last > proof.last;
  const auto& first = reading.place_of(proof.first);
  const bool here = first.id == place.id || reading.place_of(proof.last).id == place.id;
  return (here && !later) || other_session(first, place);
}

std::vector<const Sighting*> proofs(const Scene& scene, const Refutation& refutation) {
  std::vector<const Sighting*> all;
  const auto add = [&](std::initializer_list<std::string_view> signals) {
    for (const auto signal : signals) {
      const auto seen = scene.text.all(signal);
      all.insert(all.end(), seen.begin(), seen.end());
    }
  };
  if (refutation.by_list) add({"smi-gpu"});
  if (refutation.by_framework) add({"gpu-listed", "gpu-created"});
  return all;
}

bool is_refuted(const Scene& scene, std::string_view cause,
                const std::vector<const Sighting*>& evidence) {
  const auto* refutation = refutation_of(cause);
  if (refutation == nullptr || evidence.empty()) return false;
  const auto all = proofs(scene, *refutation);
  return std::any_of(all.begin(), all.end(), [&](const Sighting* proof) {
    return std::all_of(evidence.begin(), evidence.end(), [&](const Sighting* seen) {
      return seen->message->kind == Kind::context ||
             holds_against(scene.text.reading(), *proof, *seen, needs_known_place(cause));
    });
  });
}

} // namespace

void drop_what_the_place_refutes(const Scene& scene, Suspects& suspects) {
  std::erase_if(suspects, [&](const Suspect& suspect) {
    return !suspect.beside_success && is_refuted(scene, suspect.id, suspect.evidence);
  });
  for (auto& suspect : suspects) {
    std::erase_if(suspect.instead, [&](const Instead& other) {
      return is_refuted(scene, other.id, suspect.evidence);
    });
  }
}

} // namespace gpuwhy::explain
