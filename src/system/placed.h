// Another place on this kernel: a process, a service, a notebook kernel.
#pragma once

#include "system/system.h"

namespace gpuwhy {

struct Placement {
  Environment environment;
  Identity identity;
  int process = 0; // what /proc/self means there; 0: this process
  /// Its control group lets devices through as ours does, so that opening one and asking the driver
  /// from here tells what would happen there.
  bool devices_as_ours = true;
};

/// `files` as a process with these properties would see it; /proc/self is that of `base`. Devices
/// and probes are answered only where we may speak for it: the permission bits of the NVIDIA nodes
/// must give that user what they give to us. Both systems must outlive it.
std::unique_ptr<System> make_placed_system(System& base, System& files, Placement placement);

/// What the permission bits give to this user for reading and writing; see path_resolution(7).
bool may_read_and_write(const FileStatus& status, const Identity& identity);

} // namespace gpuwhy
