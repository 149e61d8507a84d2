// A systemd service: what its processes get as variables, which Python they run, as whom, and which
// devices they may open. Truth: systemd.exec(5), systemd.service(5), systemd.resource-control(5).
#pragma once

#include "base/result.h"
#include "places/found_place.h"

namespace gpuwhy::places {

/// System units first, then the user's. Errors are one line: unknown (with the nearest name),
/// masked, or starting nothing.
Result<FoundPlace> find_service(const Here& here, const std::string& name);

} // namespace gpuwhy::places
