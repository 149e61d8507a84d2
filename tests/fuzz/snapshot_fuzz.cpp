// Any bytes in place of a snapshot; what can be read is judged, and survives being written.
#include "facts/json.h"
#include "judge/judge.h"

#include "fuzz/target.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  const auto facts = read_snapshot({reinterpret_cast<const char*>(data), size});
  if (!facts) return 0;
  const auto text = write_snapshot(*facts);
  const auto again = read_snapshot(text);
  if (!again || write_snapshot(*again) != text) std::abort();
  (void)judge(*facts);
  return 0;
}
