// Any bytes in place of a distribution's metadata, of its name, of a .pth file and of pyvenv.cfg.
#include "base/text.h"
#include "collect/software.h"
#include "support/memory_system.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string site = "/venv/lib/python3.11/site-packages";
  MemorySystem system;
  system.set_variable("PATH", "/venv/bin");
  system.add_file("/venv/bin/python3", "\x7f"
                                       "ELF");
  system.details("/venv/bin/python3").mode = 0755;
  system.add_file("/venv/pyvenv.cfg", text);
  system.add_directory(site);
  system.add_file(site + "/x.pth", text);
  system.add_file(site + "/tensorflow-2.18.0.dist-info/METADATA", text);
  system.add_file(site + "/tensorflow/python/platform/build_info.py", text);
  auto name = replace_all(replace_all(text.substr(0, 100), "/", "_"), std::string(1, '\0'), "_");
  if (!name.empty() && name != "." && name != "..") {
    system.add_directory(site + "/" + name + ".dist-info");
    system.add_file("/venv/conda-meta/" + name + ".json", "{}");
  }
  Facts facts;
  for (const auto* collector : {&kInterpreters, &kDistributions, &kFrameworkBuild})
    collector->collect(system, {}, facts);
  return 0;
}
