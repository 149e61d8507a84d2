// The kernel's messages, where this user may read them.
#pragma once

#include "system/system.h"

namespace gpuwhy {

/// From the kernel itself (syslog(2)), else the end of the file that a log daemon keeps of it.
Answer<std::string> read_kernel_log(System& files);

/// Lines as the kernel keeps them, without the "<6>" in front of each.
std::string strip_priorities(std::string_view text);

} // namespace gpuwhy
