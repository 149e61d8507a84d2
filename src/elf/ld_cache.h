// /etc/ld.so.cache, as ldconfig writes and the loader reads it (glibc, sysdeps/generic/dl-cache.h).
#pragma once

#include "base/result.h"
#include "facts/libraries.h"

#include <cstddef>
#include <functional>
#include <span>

namespace gpuwhy {

/// Entries for the ABI of `machine` (uname -m) whose soname is `wanted`, in the cache's order. An
/// entry of a glibc-hwcaps subdirectory carries its name; one with a mask of the older scheme
/// carries "legacy:MASK", which names no capability and is thus never chosen. Fails if the loader,
/// too, would not use the cache. Entries that point outside it are left out.
Result<std::vector<CacheEntry>>
parse_ld_cache(std::span<const std::byte> bytes, std::string_view machine,
               const std::function<bool(std::string_view)>& wanted = {});

} // namespace gpuwhy
