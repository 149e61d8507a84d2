// What a log adds to the verdict on a machine: one block.
#pragma once

#include "render/style.h"
#include "verdict/log_report.h"

#include <string>

namespace gpuwhy {

std::string log_text(const LogReport& log, const Style& style);

} // namespace gpuwhy
