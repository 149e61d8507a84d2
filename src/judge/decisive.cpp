#include "judge/decisive.h"

#include <algorithm>

namespace gpuwhy {
namespace {

bool works(const Facts& facts, const std::vector<Difference>& differences,
           std::string_view wanted) {
  Facts trial = facts;
  take_from_shell(trial, differences);
  return answer_of(trial, wanted) == Usable::gpu;
}

} // namespace

std::optional<Usable> answer_of(const Facts& facts, std::string_view wanted) {
  for (const auto& subject : cases_without_shell(facts)) {
    const bool selected = subject.python != nullptr && subject.python->selected;
    if (selected && subject.wanted == wanted) return usable(ask_rules(subject));
  }
  return std::nullopt;
}

std::optional<Usable> answer_of_shell(const Facts& facts, std::string_view wanted) {
  if (!facts.place.shell.known()) return std::nullopt;
  Facts shell = facts;
  take_from_shell(shell, differences_from_shell(facts));
  return answer_of(shell, wanted);
}

std::vector<Difference> find_decisive(const Facts& facts, std::string_view wanted) {
  auto kept = differences_from_shell(facts);
  if (kept.empty() || answer_of(facts, wanted) != Usable::no_gpu || !works(facts, kept, wanted))
    return {};
  // What can be left out goes, many at once first: most variables have no say.
  for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1);; size /= 2) {
    for (std::size_t at = 0; at < kept.size();) {
      auto fewer = kept;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(size, fewer.size() - at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      if (works(facts, fewer, wanted)) {
        kept = std::move(fewer);
      } else {
        at += size;
      }
    }
    if (size <= 1) break;
  }
  return kept;
}

} // namespace gpuwhy
