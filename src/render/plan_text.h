// The plan of `gpuwhy fix` for a person and for programs.
#pragma once

#include "render/style.h"
#include "verdict/mending.h"

#include <string>

namespace gpuwhy {

std::string plan_text(const Mending& mending, const Style& style);

} // namespace gpuwhy
