// Causes that lie in the program (room P) or its environment (E) and show when it runs. Their texts
// are with their rules; here is only how a run shows them.
#pragma once

#include "rules/rule.h"

#include <span>

namespace gpuwhy::rules {

struct SeenRunning {
  std::string_view id, slug, title; // as in causes.md
  Gate gate;
  Effect effect;
  Outcome (*check_run)(const use::RunStatistics&);
};

std::span<const SeenRunning> causes_seen_running();

} // namespace gpuwhy::rules
