// The cure of a variable that should not be set.
#pragma once

#include "rules/rule.h"

#include <string_view>

namespace gpuwhy::rules {

/// Unset it; where the program itself sets it, the line goes.
Edit unset_variable(const Case& c, std::string_view name);

} // namespace gpuwhy::rules
