// Another root directory: an unpacked image, a mounted disk.
#pragma once

#include "system/system.h"

namespace gpuwhy {

/// `base` as seen by a process whose root directory is `root` and whose variables are
/// `environment`. Every path, ".." and link target is resolved inside `root`; relative paths start
/// at its top. `base` must outlive it.
///
/// An image carries no kernel: where /proc, /sys or /dev is an empty mount point in it, questions
/// about what is below are `not_looked` and not `absent`, as are probes, devices and the kernel
/// log.
///
/// A program that swaps directories for links while we look could lead us outside; do not point
/// this at a tree that somebody hostile is changing.
enum class KernelTrees {
  as_found, // empty mount points: not looked at; else what is below them counts
  never,    // an image, whatever somebody left below /proc, /sys and /dev
};
std::unique_ptr<System> make_rooted_system(System& base, std::string root, Environment environment,
                                           KernelTrees trees = KernelTrees::as_found);

} // namespace gpuwhy
