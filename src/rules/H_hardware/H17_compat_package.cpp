// A forward-compatibility libcuda is loaded where it cannot work: 804 on a GPU or a driver that it
// does not support, 803 where it is older than the kernel module. Truth: tried with driver 580
// (loader.md 3.11); CUDA compatibility guide.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"
#include "rules/L_libraries/library_path.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 2> kExplains{"H18", "H05"};
constexpr int kUnsupported = 804; // CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
constexpr int kMismatch = 803;    // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  const auto result = cuinit_result(facts);
  if (!result) return Outcome::not_applicable();
  const auto* probe = facts.observed.cuda_unhidden.get();
  const std::string path = probe != nullptr ? probe->library : std::string();
  const bool compat = !path.empty() && is_compat_libcuda(facts, path);
  if (*result != kUnsupported && !(*result == kMismatch && compat))
    return Outcome::clear("no forward-compatibility library is in the way");
  auto outcome =
      Outcome::found((path.empty() ? std::string("a forward-compatibility libcuda") : path) +
                     ", of a forward-compatibility package, does not work with this " +
                     (*result == kUnsupported ? "GPU" : "driver"));
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  if (!path.empty()) outcome.evidence.push_back({"libcuda.so.1 that was loaded", {path, 0}});
  // The probe tells the real file; LD_LIBRARY_PATH names the directory by which it was found.
  std::string directory(parent_path(path));
  for (const auto& library : facts.driver.libcuda.value_or({})) {
    if (library.real_path == path && library.compat) directory = parent_path(library.path);
  }
  const auto* variable = facts.environment.find("LD_LIBRARY_PATH");
  const bool by_variable =
      variable != nullptr && !directory.empty() && contains(variable->value, directory);
  auto edit =
      by_variable
          ? shorten_library_path(c, directory)
          : Edit{"remove the package cuda-compat", {"sudo apt-get remove 'cuda-compat-*'"}, {}};
  const auto* module = facts.driver.module.get();
  if (const auto version = Version::parse(module == nullptr ? "" : module->version)) {
    edit.apply = [first = edit.apply, driver = *version](Facts& after) {
      if (first) first(after);
      put_driver(after, driver);
    };
  }
  return std::move(outcome).mend(std::move(edit));
}

} // namespace

extern constexpr Rule H17{
    .id = "H17",
    .slug = "compat-package",
    .title = "The forward-compatibility library does not work here",
    .since = "0.1",
    .gate = Gate::libcuda,
    .settled_by_driver = true,
    .explanation =
        R"(NVIDIA's `cuda-compat` packages bring a newer `libcuda.so.1` for an older kernel driver. That is made for
data-centre GPUs only: on a GeForce `cuInit` answers 804, "forward compatibility was attempted on non supported HW". It
also fails, with 803, if the kernel driver is *newer* than the package. CUDA's container images contain it in
`/usr/local/cuda/compat`.)",
    .fix =
        R"(Take `/usr/local/cuda/compat` out of `LD_LIBRARY_PATH` and of `/etc/ld.so.conf.d`, or remove the package; update the
driver if the newer CUDA is needed.)",
    .references =
        R"(- [CUDA forward compatibility](https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
