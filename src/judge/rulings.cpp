#include "judge/code.h"
#include "judge/judge.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace gpuwhy {
namespace {

Effect effect_of(const Ruling& ruling) {
  return ruling.outcome.effect.value_or(ruling.rule->effect);
}

void drop_consequences(std::vector<Ruling>& found) {
  std::set<std::string_view> explained;
  for (const auto& ruling : found) {
    explained.insert(ruling.rule->explains.begin(), ruling.rule->explains.end());
  }
  const auto named = [&](const Ruling& other) {
    return !other.rule->last_resort && effect_of(other) == Effect::hides;
  };
  std::set<Gate> named_gates;
  for (const auto& ruling : found) {
    if (named(ruling)) named_gates.insert(ruling.rule->gate);
  }
  std::erase_if(found, [&](const Ruling& ruling) {
    if (explained.contains(ruling.rule->id)) return true;
    return ruling.rule->last_resort && !named_gates.empty() &&
           *named_gates.begin() <= ruling.rule->gate;
  });
}

/// A rule that explains "*" has proven that all else comes of its cause. What would be the root
/// without it becomes its first evidence.
void keep_proven(Rulings& rulings) {
  auto& found = rulings.found;
  const auto proven = std::find_if(found.begin(), found.end(), [](const Ruling& ruling) {
    const auto& explains = ruling.rule->explains;
    return std::find(explains.begin(), explains.end(), "*") != explains.end();
  });
  if (proven == found.end()) return;
  const Rule* rule = proven->rule;
  const auto comes_of_it = [&](const Ruling& ruling) {
    return ruling.rule != rule && effect_of(ruling) == Effect::hides;
  };
  std::copy_if(found.begin(), found.end(), std::back_inserter(rulings.comes_of_it), comes_of_it);
  if (rulings.comes_of_it.empty()) return;
  const auto& first = rulings.comes_of_it.front();
  const Evidence evidence{"so there: " + std::string(first.rule->id) + ", " + first.outcome.text,
                          {}};
  proven->outcome.evidence.insert(proven->outcome.evidence.begin(), evidence);
  std::erase_if(found, comes_of_it);
}

/// What was found at a line of the program is that line's doing: the variable that it sets is no
/// other cause.
void drop_consequences_of_code(std::vector<Ruling>& found, const std::vector<Ruling>& code) {
  std::erase_if(found, [&](const Ruling& ruling) {
    return ruling.rule->gate == Gate::visibility &&
           std::any_of(code.begin(), code.end(), [&](const Ruling& in_code) {
             const auto& places = in_code.outcome.evidence;
             return std::any_of(places.begin(), places.end(), [&](const Evidence& place) {
               const auto& seen = ruling.outcome.evidence;
               return std::any_of(seen.begin(), seen.end(), [&](const Evidence& each) {
                 return each.source == place.source;
               });
             });
           });
  });
}

} // namespace

Rulings ask_rules(const Case& subject) {
  Rulings rulings;
  const bool driver_answers = subject.driver_answers() && !subject.management_fails();
  for (const Rule* rule : all_rules()) {
    if (rule->check == nullptr) continue;
    Outcome outcome = rule->settled_by_driver && driver_answers
                          ? Outcome::clear("the CUDA driver starts and reports a GPU")
                          : rule->check(subject);
    switch (outcome.state) {
    case Outcome::State::found: rulings.found.push_back({rule, std::move(outcome)}); break;
    case Outcome::State::clear: rulings.clear.push_back({rule, std::move(outcome)}); break;
    case Outcome::State::unknown: rulings.unknown.push_back({rule, std::move(outcome)}); break;
    case Outcome::State::not_applicable: break;
    }
  }
  auto code = code_rulings(subject);
  drop_consequences_of_code(rulings.found, code);
  std::move(code.begin(), code.end(), std::back_inserter(rulings.found));
  drop_consequences(rulings.found);
  // What hides the GPU comes before what breaks its use; then the order of the route; then of the
  // ids.
  std::stable_sort(rulings.found.begin(), rulings.found.end(),
                   [](const Ruling& a, const Ruling& b) {
                     if (effect_of(a) != effect_of(b)) return effect_of(a) < effect_of(b);
                     return a.rule->gate < b.rule->gate;
                   });
  keep_proven(rulings);
  return rulings;
}

Usable usable(const Rulings& rulings) {
  const auto any = [](const std::vector<Ruling>& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const Ruling& each) { return effect_of(each) == Effect::hides; });
  };
  if (any(rulings.found)) return Usable::no_gpu;
  return any(rulings.unknown) ? Usable::unknown : Usable::gpu;
}

} // namespace gpuwhy
