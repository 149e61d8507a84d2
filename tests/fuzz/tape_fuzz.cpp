// Any bytes in place of a tape; a machine that can be read from it is looked at by every collector.
#include "collect/collector.h"
#include "system/tape.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  const auto system = read_tape({reinterpret_cast<const char*>(data), size});
  if (!system) return 0;
  Facts facts;
  for (const auto& collector : all_collectors()) collector.collect(**system, {}, facts);
  return 0;
}
