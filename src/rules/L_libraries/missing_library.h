// What the three rules about a library that is not there (L01, L03, L09) say in common.
#pragma once

#include "rules/L_libraries/library_faults.h"

namespace gpuwhy::rules {

Outcome missing_library(const Case& c, const std::vector<LibraryFault>& faults);

} // namespace gpuwhy::rules
