// A plan as `gpuwhy fix` shows it: who does which step. Plain values.
#pragma once

#include "verdict/verdict.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

struct MendStep {
  Fix fix;
  std::string by_hand; // why gpuwhy leaves it to a person; empty: --apply does it
};

struct Mending {
  FrameworkVerdict verdict;
  std::vector<MendStep> steps;
  std::size_t chosen = 1; // of the plan and its alternatives, from 1 on
  std::string file;       // where variables would be set; empty: no step sets one
};

/// What --apply did.
struct Applied {
  bool done = false;
  std::optional<bool> gpu;         // looked at again: the GPU is used now; empty: it was not done
  std::optional<bool> left_to_you; // a step is; empty: it was not done
  std::optional<std::string> problem;
};

} // namespace gpuwhy
