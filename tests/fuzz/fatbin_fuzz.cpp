// Any bytes in place of a library with device code.
#include "elf/fatbin.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gpuwhy::OneFile system(data, size);
  (void)gpuwhy::read_fatbin(system, "/x");
  return 0;
}
