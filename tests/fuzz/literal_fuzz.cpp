// Any bytes in place of build_info.py and of conda's state.
#include "collect/python_literal.h"
#include "collect/tensorflow_build_info.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_literal(text);
  FrameworkBuild build;
  (void)read_build_info(text, "/build_info.py", build);
  return 0;
}
