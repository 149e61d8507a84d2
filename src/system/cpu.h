// What this processor can do, in the words of the dynamic loader.
#pragma once

#include <string>
#include <vector>

namespace gpuwhy {

/// Subdirectories of glibc-hwcaps that glibc would search here, best first. Levels are those of the
/// x86-64 psABI (its table "Micro-Architecture Levels"), which glibc tests through CPUID and
/// XGETBV. Not modelled: GLIBC_TUNABLES, with which a user can mask features.
std::vector<std::string> cpu_capabilities();

} // namespace gpuwhy
