// The order in which a machine is looked at.
#include "collect/machine.h"
#include "collect/software.h"

namespace gpuwhy {

const std::vector<Collector>& all_collectors() {
  static const std::vector<Collector> kCollectors{
      kPlatform,     kPci,           kKernelModules,    kModulePolicy, kDriverPackage,
      kKernelLog,    kDeviceNodes,   kContainer,        kScheduler,    kEnvironmentVariables,
      kInterpreters, kDistributions, kFrameworkBuild,   kJaxBuild,     kTorchBuild,
      kKerasBackend, kUserDriver,    kLibraryInventory, kDriverProbes};
  return kCollectors;
}

} // namespace gpuwhy
