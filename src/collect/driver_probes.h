// The single questions of the collector of driver_probes.cpp, for who needs only one of them.
#pragma once

#include "facts/observed.h"
#include "system/system.h"

namespace gpuwhy {

/// cuInit in the environment as it is.
Fact<CudaProbe> ask_cuda(System& system);
Fact<NvmlProbe> ask_nvml(System& system);

} // namespace gpuwhy
