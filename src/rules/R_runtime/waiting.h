// The frame of all rules that read bottleneck.h: found, clear or unknown, and the figures they
// share.
#pragma once

#include "rules/R_runtime/bottleneck.h"
#include "rules/R_runtime/figures.h"
#include "rules/rule.h"

#include <initializer_list>

namespace gpuwhy::rules {

/// Clear or unknown where the run does not wait for one of `waits`; nothing where it does.
std::optional<Outcome> waits_for_else(const use::RunStatistics& run,
                                      std::initializer_list<Wait> waits);

/// "GPU 0 had a kernel 38 % of the time" and what bounds the gain.
Evidence busy_evidence(const use::GpuUse& gpu);
/// Where the time of the calling threads went; nothing where calls were not counted.
std::optional<Evidence> calls_evidence(const use::RunStatistics& run);

} // namespace gpuwhy::rules
