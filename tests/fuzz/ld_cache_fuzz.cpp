// Any bytes in place of /etc/ld.so.cache and, as text, of /etc/ld.so.conf.
#include "elf/ld_cache.h"
#include "elf/ld_conf.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  (void)parse_ld_cache(std::as_bytes(std::span(data, size)), "x86_64");
  OneFile system(data, size);
  (void)read_ld_conf(system);
  return 0;
}
