// What would be, were something changed: two verdicts and what was supposed. Plain values.
#pragma once

#include "verdict/verdict.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct Supposed {
  std::string change;  // as it was typed
  std::string outcome; // what it would do, or why nobody can tell
  bool told = true;    // false: what it brings is in no table, and the answer is open
};

struct WhatIf {
  std::vector<Supposed> changes;
  Verdict before;
  Verdict after;
};

} // namespace gpuwhy
