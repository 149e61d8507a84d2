// The verdict for a person: one screen, the answer first. What a word means is said where it is
// used; what nobody needs is not printed.
#pragma once

#include "render/style.h"
#include "verdict/verdict.h"

#include <string>

namespace gpuwhy {

enum class Detail {
  brief, // one screen
  full,  // all evidence, what was ruled out, and what could not be looked at
};

std::string verdict_text(const Verdict& verdict, const Style& style, Detail detail);

} // namespace gpuwhy
