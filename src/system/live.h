// This machine.
#pragma once

#include "system/system.h"

namespace gpuwhy {

/// Environment and identity are taken when it is made. May be asked from several threads.
///
/// Whatever it reads is treated as hostile: a FIFO or device in place of a file, endless files,
/// loops. One thing is out of reach: a file system that does not answer (a dead NFS server) holds
/// the asking thread in the kernel, where no flag or timeout of ours applies. Only probes have a
/// deadline.
std::unique_ptr<System> make_live_system();

} // namespace gpuwhy
