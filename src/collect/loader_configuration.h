// What the dynamic loader of this machine knows before it opens anything: its default directories,
// its expansions of $LIB and $PLATFORM, the C library, ld.so.cache and ld.so.conf.
#pragma once

#include "collect/collector.h"
#include "facts/libraries.h"
#include "system/system.h"

#include <vector>

namespace gpuwhy {

/// Fills default_directories, configured_directories, hardware_capabilities, the tokens and libc.
void read_loader_configuration(System& system, Libraries& libraries);

/// All entries for this machine's ABI; the facts keep those of interest.
Fact<std::vector<CacheEntry>> read_loader_cache(System& system);

/// The default directories as the text of a loader's file has them; empty if they were not found.
/// glibc keeps them as one row of strings that end in "/" and in NUL.
std::vector<std::string> default_directories_in(std::string_view loader);

} // namespace gpuwhy
