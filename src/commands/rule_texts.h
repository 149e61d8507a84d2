// What renderers see of the rules.
#pragma once

#include "render/rule_text.h"
#include "rules/rule.h"

#include <vector>

namespace gpuwhy {

inline RuleText text_of(const Rule& rule) {
  return {rule.id,     rule.slug,        rule.title, rule.since,     rule.gate,
          rule.effect, rule.explanation, rule.fix,   rule.references};
}

inline std::vector<RuleText> all_rule_texts() {
  std::vector<RuleText> texts;
  for (const Rule* rule : all_rules()) texts.push_back(text_of(*rule));
  return texts;
}

} // namespace gpuwhy
