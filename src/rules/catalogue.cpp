#include "rules/rule.h"

#include "base/text.h"

namespace gpuwhy {

const Rule* find_rule(std::string_view id_or_slug) {
  const auto wanted = lower(id_or_slug);
  for (const Rule* rule : all_rules()) {
    if (lower(rule->id) == wanted || rule->slug == wanted) return rule;
  }
  return nullptr;
}

} // namespace gpuwhy
