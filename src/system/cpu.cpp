#include "system/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gpuwhy {

#if defined(__x86_64__)
namespace {

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
  Registers registers;
  __get_cpuid_count(leaf, 0, &registers.a, &registers.b, &registers.c, &registers.d);
  return registers;
}

/// Extended control register 0: which register files the kernel saves for us. AVX is usable only if
/// it does.
unsigned saved_state() {
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr bool all(unsigned value, unsigned bits) {
  return (value & bits) == bits;
}

} // namespace

std::vector<std::string> cpu_capabilities() {
  constexpr unsigned kAvxState = 0x06;    // SSE and AVX registers
  constexpr unsigned kAvx512State = 0xe6; // and opmask, upper halves, upper registers
  constexpr unsigned kLahf = 1U << 0U;    // of leaf 0x80000001, ECX: in 64-bit mode
  constexpr unsigned kLzcnt = 1U << 5U;
  const auto basic = cpuid(1);
  const auto extended = cpuid(7);
  const auto amd = cpuid(0x80000001U);

  std::vector<std::string> levels;
  if (!all(basic.c, bit_CMPXCHG16B | bit_POPCNT | bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2) ||
      !all(amd.c, kLahf)) {
    return levels;
  }
  levels.emplace_back("x86-64-v2");
  if (!all(basic.c, bit_OSXSAVE | bit_AVX | bit_F16C | bit_FMA | bit_MOVBE) ||
      !all(extended.b, bit_AVX2 | bit_BMI | bit_BMI2) || !all(amd.c, kLzcnt) ||
      !all(saved_state(), kAvxState)) {
    return levels;
  }
  levels.emplace(levels.begin(), "x86-64-v3");
  if (!all(extended.b, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL) ||
      !all(saved_state(), kAvx512State)) {
    return levels;
  }
  levels.emplace(levels.begin(), "x86-64-v4");
  return levels;
}
#else
std::vector<std::string> cpu_capabilities() {
  return {};
}
#endif

} // namespace gpuwhy
