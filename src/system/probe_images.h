// The small programs carried inside this binary. The table is written by the build.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gpuwhy {

struct ProbeImage {
  std::string_view name;
  std::span<const std::byte> bytes; // an ELF executable; empty where this build carries none
};

std::span<const ProbeImage> probe_images();

} // namespace gpuwhy
