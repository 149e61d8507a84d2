// The driver is older than the CUDA that the framework was built with needs.
// Truth: CUDA release notes. From CUDA 11 on a driver that meets the minimum of the MAJOR release
// runs every minor of it: CUDA 12.5 runs on driver 525, which came with 12.0. Older CUDA needs its
// own driver exactly.
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/architectures.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr int kFirstCompatibleMajor = 11;

struct DriverInUse {
  std::optional<Version> version; // "535.183.01"
  std::optional<int> cuda;        // 12020
  Source source;
};

/// A compatibility libcuda raises the CUDA version above what the module's number says.
bool compat_in_use(const Facts& facts) {
  const auto* probe = facts.observed.cuda_unhidden.get();
  return probe != nullptr && probe->init == 0 && is_compat_libcuda(facts, probe->library);
}

DriverInUse driver_in_use(const Case& c) {
  const auto& facts = c.facts;
  DriverInUse driver;
  driver.cuda = driver_cuda(facts);
  const auto* nvml = facts.observed.nvml.get();
  const auto* module = facts.driver.module.get();
  if (module != nullptr) {
    driver.version = Version::parse(module->version);
    driver.source = facts.driver.module.source();
  } else if (nvml != nullptr && nvml->init == 0) {
    driver.version = Version::parse(nvml->driver_version);
    driver.source = facts.observed.nvml.source();
  } else if (facts.observed.cuda_unhidden.known()) {
    driver.source = facts.observed.cuda_unhidden.source();
  }
  return driver;
}

/// By number where it is Linux's own; Windows counts drivers otherwise, so in WSL the CUDA version
/// decides.
std::optional<bool> too_old(const Case& c, const DriverInUse& driver, const Version& cuda,
                            const std::optional<Version>& minimum) {
  if (driver.version && minimum && !in_wsl(c.facts) && !compat_in_use(c.facts)) {
    return *driver.version < *minimum;
  }
  if (!driver.cuda) return std::nullopt;
  const int needed = cuda.major() >= kFirstCompatibleMajor
                         ? cuda.major() * 1000
                         : cuda.major() * 1000 + cuda.minor() * 10;
  return *driver.cuda < needed;
}

std::string cuda_text(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

Edit update(const Case& c, const std::optional<Version>& minimum) {
  const auto& facts = c.facts;
  const auto newest = suitable_driver(facts);
  const std::string needed = minimum ? driver_text(*minimum) + " or newer" : "a newer one";
  if (minimum && newest < *minimum) {
    auto edit = install_newest(c, "runs with driver " + std::to_string(newest.major()),
                               [&](const Release& release) {
                                 const auto needed_then = minimum_driver(release.cuda);
                                 return needed_then && *needed_then <= newest;
                               });
    edit.words = "this GPU gets no driver after branch " + std::to_string(newest.major()) + ": " +
                 edit.words;
    return edit;
  }
  if (in_wsl(facts)) return {"update NVIDIA's driver in Windows", {"wsl --shutdown"}, {}};
  if (in_container(facts)) {
    Edit edit{"update the driver of the host to " + needed, {}, {}};
    edit.apply = [newest](Facts& after) { put_driver(after, newest); };
    return edit;
  }
  return install_driver(facts, "update the NVIDIA driver to " + needed + ", then restart");
}

Edit older_cuda(const Case& c, const DriverInUse& driver) {
  return install_newest(c, "runs with this driver", [&](const Release& release) {
    return too_old(c, driver, release.cuda, minimum_driver(release.cuda)) == false;
  });
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto* build = c.build();
  if (build == nullptr || on_tegra(facts)) return Outcome::not_applicable();
  if (build->cuda.known() && !build->cuda.value()) return Outcome::not_applicable();
  const auto cuda = Version::parse(build->cuda_version.value_or(""));
  if (!cuda) {
    return Outcome::unknown(missing_text("CUDA version of the build", build->cuda_version));
  }
  const auto minimum = minimum_driver(*cuda);
  const auto driver = driver_in_use(c);
  const auto old = too_old(c, driver, *cuda, minimum);
  if (!old) {
    if (facts.driver.module.absent() && !in_wsl(facts)) return Outcome::not_applicable();
    return Outcome::unknown("version of the NVIDIA driver");
  }
  const std::string has =
      (driver.version ? "driver " + driver_text(*driver.version) : "the driver") +
      (driver.cuda ? " (CUDA " + cuda_text(*driver.cuda) + ")" : "");
  const std::string needs = "CUDA " + cuda->str() +
                            (minimum ? " needs " + driver_text(*minimum) + " or newer"
                                     : " needs a driver of its major release");
  if (!*old) return Outcome::clear(has + ": " + needs);
  auto outcome = Outcome::found(has + " is too old for " + framework_text(c) + ": its " + needs)
                     .because(has, driver.source)
                     .because(framework_text(c) + " is built with CUDA " + cuda->str(),
                              build->cuda_version.source());
  // A build with an older CUDA needs no root.
  if (auto other = older_cuda(c, driver); other.apply) outcome.edits.push_back(std::move(other));
  outcome.edits.push_back(update(c, minimum));
  if (c.kind() != "tensorflow") outcome.effect = Effect::hides; // JAX and PyTorch find no GPU then
  return outcome;
}

} // namespace

extern constexpr Rule H10{
    .id = "H10",
    .slug = "driver-too-old",
    .title = "The NVIDIA driver is too old for this framework build",
    .since = "0.1",
    .gate = Gate::libcuda,
    .effect = Effect::breaks,
    .explanation =
        R"(Each CUDA release needs a driver of a certain age. TensorFlow's wheels are built with one CUDA release, so they need that driver.
PyTorch and JAX then find no GPU; TensorFlow still lists it, and fails with "CUDA driver version is insufficient for CUDA runtime version" (35).

The number in `nvidia-smi` ("CUDA Version: 12.2") is the newest CUDA that the driver knows by itself. It need not reach the
build's: since CUDA 11 a driver runs **all minor releases of its major one**. A build with CUDA 12.5 works with every driver from
525.60.13 on. Only the major number counts: CUDA 12 programs do not run on a driver of CUDA 11.)",
    .fix =
        R"(Update the driver through your distribution and restart; in a container update the host's, in WSL the one of Windows. Where that is
not possible, install a TensorFlow release built with an older major release of CUDA: those from 2.4 to 2.14 use CUDA 11. On data-centre
GPUs NVIDIA's forward-compatibility package is another way.)",
    .references = R"(- [CUDA compatibility](https://docs.nvidia.com/deploy/cuda-compatibility/)
- [CUDA release notes: driver versions](https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/)
- [TensorFlow: tested build configurations](https://www.tensorflow.org/install/source#gpu))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
