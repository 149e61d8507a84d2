// This machine with the stub driver in front: probes run for real and get libcuda from
// tests/stub_driver.
#pragma once

#include "support/memory_system.h"
#include "system/probe_images.h"
#include "system/subprocess.h"

namespace gpuwhy {

class StubMachine : public MemorySystem {
public:
  explicit StubMachine(const Environment& extra = {}) {
    Environment environment{{"LD_LIBRARY_PATH", GPUWHY_STUB_DRIVER}};
    for (const auto& [name, value] : extra) environment[name] = value;
    set_environment(std::move(environment));
  }

  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds deadline) override {
    for (const auto& image : probe_images()) {
      if (image.name == name)
        return run_image(name, image.bytes, {{"gpuwhy-" + name}, environment, deadline});
    }
    return MemorySystem::run_probe(name, environment, deadline);
  }
};

} // namespace gpuwhy
