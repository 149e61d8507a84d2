// A running process, as /proc tells: proc(5), namespaces(7), cgroups(7).
#pragma once

#include "base/result.h"
#include "places/found_place.h"

namespace gpuwhy::places {

/// Errors are one line: no such process, one that has ended, or the permission that is missing.
Result<FoundPlace> find_process(const Here& here, int pid);

} // namespace gpuwhy::places
