// Reads what /proc tells of one process.
#pragma once

#include "system/system.h"
#include "use/process.h"

namespace gpuwhy::watch {

/// `unavailable` where there is no such process.
Answer<use::ProcessFacts> read_process(System& system, int pid);

} // namespace gpuwhy::watch
