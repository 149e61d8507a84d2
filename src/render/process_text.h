// What `gpuwhy pid` tells of the process itself, beside how it uses the GPU.
#pragma once

#include "render/style.h"
#include "use/process.h"

#include <string>

namespace gpuwhy {

std::string process_text(const use::ProcessFacts& process, const Style& style, bool full);

} // namespace gpuwhy
