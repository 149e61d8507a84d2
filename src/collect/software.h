// The collectors that look at the software: environment variables, Python environments, the
// frameworks installed in them, and what the dynamic loader could meet. They run in this order:
// each may read what the ones above it wrote. The last one also reads Facts::platform.
#pragma once

#include "collect/collector.h"

namespace gpuwhy {

extern const Collector kEnvironmentVariables;
extern const Collector kInterpreters;
extern const Collector kDistributions;
extern const Collector kFrameworkBuild; // TensorFlow, first of all
extern const Collector kJaxBuild;
extern const Collector kTorchBuild;
extern const Collector kKerasBackend;
extern const Collector kLibraryInventory;

} // namespace gpuwhy
