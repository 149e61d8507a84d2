// Any bytes in place of a shared library, and a search that meets it.
#include "elf/library.h"
#include "loader/search.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  OneFile system(data, size);
  Libraries libraries;
  auto& file = libraries.files["/a/libx.so.1"] = classify_library(system, "/a/libx.so.1");
  libraries.directories["/a"].names = file.needed;
  libraries.directories["/a"].names.emplace_back("libx.so.1");
  for (const auto& name : file.needed) libraries.files["/a/" + name] = file;
  loader::Process process(libraries, {"/a:$ORIGIN", "/a/libx.so.1", "/", false, false});
  (void)process.open({"libx.so.1", "/a/libx.so.1", {}});
  return 0;
}
