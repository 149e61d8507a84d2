// An unpacked image, or another disk.
#pragma once

#include "base/result.h"
#include "places/found_place.h"

namespace gpuwhy::places {

/// `directory` is absolute. Its variables are those of a config.json beside it (OCI's image or
/// runtime specification); without one they are not known.
Result<FoundPlace> find_image(System& system, const std::string& directory);

} // namespace gpuwhy::places
