// For which GPUs does a library carry code? The fatbin containers in its section .nv_fatbin, of
// which only headers are read (layout: docs of none; measured against cuobjdump, see loader.md 2).
#pragma once

#include "system/system.h"

namespace gpuwhy {

/// Bounds of one look. libtensorflow_cc.so.2 (2.12 to 2.21) has 1,500 to 1,900 entries in 250 to
/// 280 containers, and names all its architectures in the first two. cuDNN and cuBLASLt have up to
/// 3,400, with a rare architecture after 2,100. One read an entry; a whole walk takes some 5 ms
/// once cached.
struct FatbinLimits {
  std::size_t reads = 256;
  std::size_t read_size =
      512; // an entry is far larger: a larger read seldom reaches the next header
  std::size_t entries = 100'000;
};

struct Fatbin {
  std::vector<std::string> sass; // machine code: "8.0", "9.0a", oldest first
  std::vector<std::string> ptx;  // code that the driver compiles: "9.0"
  std::size_t containers = 0;
  std::size_t entries = 0;
  std::size_t reads = 0;
  /// Why there may be more than was found: a bound, or damage; empty: all containers were walked.
  std::string stopped;
};

/// Fails if the file cannot be read or is not a good 64-bit ELF file. A library without device code
/// gives an empty Fatbin.
Answer<Fatbin> read_fatbin(System& system, const std::string& path,
                           const FatbinLimits& limits = {});

} // namespace gpuwhy
