// What would be, were something changed: before and after on one screen.
#pragma once

#include "render/style.h"
#include "render/verdict_text.h"
#include "verdict/what_if.h"

#include <string>

namespace gpuwhy {

std::string what_if_text(const WhatIf& what_if, const Style& style, Detail detail);

} // namespace gpuwhy
