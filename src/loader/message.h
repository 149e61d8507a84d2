// What dlerror() would say of an outcome: the line that users paste and log files hold.
#pragma once

#include "loader/search.h"

namespace gpuwhy::loader {

/// "libcudnn.so.9: cannot open shared object file: No such file or directory"; empty where the
/// loader says nothing: found, unknown, or the process dies.
std::string message(const Found& found);

} // namespace gpuwhy::loader
