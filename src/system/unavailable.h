// Makes the "there is no value" half of an Answer.
#pragma once

#include "system/system.h"

namespace gpuwhy {

using NoAnswer = tl::unexpected<Unavailable>;

NoAnswer unavailable(Unavailable::Kind kind, std::string reason, int error = 0);

/// `error` is an errno; the reason reads "OBJECT: No such file or directory".
NoAnswer unavailable(const std::string& object, int error);

} // namespace gpuwhy
