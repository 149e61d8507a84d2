// The loaded kernel module and the libcuda.so.1 that the loader finds come from different drivers.
// Truth: both version numbers (loader.md 3.2), or the driver's own words: cuInit 803, nvmlInit 18.
// A forward-compatibility libcuda differs on purpose; where that fails it is H17.
#include "base/text.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains{"H18"};
constexpr int kSystemDriverMismatch = 803; // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
constexpr int kLibRmVersionMismatch = 18;  // NVML_ERROR_LIB_RM_VERSION_MISMATCH

/// The libcuda.so.1 in question: the one that answered, or that the loader will find.
std::string library_path(const Case& c) {
  const auto* probe = c.facts.observed.cuda_unhidden.get();
  if (probe != nullptr && !probe->library.empty()) return probe->library;
  if (c.libcuda.outcome == loader::Outcome::found) return c.libcuda.path;
  const auto* libraries = c.facts.driver.libcuda.get();
  if (libraries == nullptr) return {};
  const auto found = std::find_if(libraries->begin(), libraries->end(), is_driver_library);
  return found == libraries->end() ? std::string() : found->path;
}

/// Another libcuda on disk with the module's version: the one found hides it.
const DriverLibrary* matching_library(const Facts& facts, const Version& module) {
  const auto* libraries = facts.driver.libcuda.get();
  if (libraries == nullptr) return nullptr;
  for (const auto& library : *libraries) {
    const auto version = Version::parse(library.version.value_or(""));
    if (is_driver_library(library) && version && *version == module) return &library;
  }
  return nullptr;
}

/// The library is left over somewhere on LD_LIBRARY_PATH, and the right one stands behind it.
Edit shorten_path(const std::string& directory, const Version& module) {
  Edit edit;
  edit.words = "remove " + directory + " from LD_LIBRARY_PATH";
  edit.apply = [directory, module](Facts& after) {
    edit::remove_from_library_path(after, directory);
    edit::driver_works(after, driver_text(module), cuda_number(module));
  };
  return edit;
}

/// After an update the old module runs on until the next start.
Edit restart(const Facts& facts, const Version& library) {
  Edit edit;
  if (in_container(facts)) {
    edit.words = "start the container again: it holds the libraries of a driver that the host no "
                 "longer runs";
  } else {
    edit.words = "restart the machine, so that the module of the installed driver is loaded";
    edit.commands = {"sudo reboot"};
  }
  edit.apply = [library](Facts& after) { put_driver(after, library); };
  return edit;
}

Edit reload(const Version& library) {
  return {"stop the programs that use the GPU, then reload the module",
          {"sudo rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia", "sudo modprobe nvidia"},
          [library](Facts& after) { put_driver(after, library); }};
}

/// Left over from another installation: only removing it, or installing the driver anew, helps.
Edit reinstall(const Facts& facts, const Version& module, const std::string& path) {
  auto edit = install_driver(facts, "install the driver's libraries in the module's version, " +
                                        driver_text(module) + ": " + path + " is left over");
  edit.commands.clear();
  edit.apply = [module](Facts& after) { put_driver(after, module); };
  return edit;
}

Outcome mismatch(const Case& c, const std::optional<Version>& module,
                 const std::optional<Version>& library, const std::string& path) {
  const auto& facts = c.facts;
  auto outcome = Outcome::found(
      module && library ? "the two halves of the driver differ: its kernel module is " +
                              driver_text(*module) + ", its library is " + driver_text(*library)
                        : "the driver says that its kernel module and its library do not match");
  if (module)
    outcome.evidence.push_back(
        {"nvidia module " + driver_text(*module), facts.driver.module.source()});
  if (!path.empty()) {
    const auto version =
        library ? " is " + driver_text(*library) : std::string(" is what is loaded");
    outcome.evidence.push_back({path + version, {path, 0}});
  }
  if (const auto line = cuinit_evidence(facts)) outcome.evidence.push_back(*line);
  if (facts.observed.nvml.known() && facts.observed.nvml.value().init == kLibRmVersionMismatch) {
    outcome.evidence.push_back(
        {"nvmlInit answers 18, NVML_ERROR_LIB_RM_VERSION_MISMATCH", facts.observed.nvml.source()});
  }
  if (!module || !library) {
    return std::move(outcome).mend({"restart the machine, so that module and libraries of the "
                                    "installed driver meet again",
                                    {"sudo reboot"},
                                    {}});
  }
  if (matching_library(facts, *module) != nullptr && c.libcuda.step == loader::Step::library_path) {
    return std::move(outcome).mend(shorten_path(std::string(parent_path(path)), *module));
  }
  if (*library < *module && matching_library(facts, *module) == nullptr && !in_container(facts)) {
    return std::move(outcome).mend(reinstall(facts, *module, path));
  }
  outcome.edits.push_back(restart(facts, *library));
  if (!in_container(facts)) outcome.edits.push_back(reload(*library));
  return outcome;
}

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (in_wsl(facts) || on_tegra(facts)) return Outcome::not_applicable();
  const auto path = library_path(c);
  if (is_compat_libcuda(facts, path)) {
    return Outcome::clear(path + " is a forward-compatibility library: it may differ");
  }
  const auto& loaded = facts.driver.module;
  const auto module = Version::parse(loaded.known() ? loaded.value().version : "");
  const auto library = Version::parse(libcuda_version(facts, path).value_or(""));
  if (module && library && *module == *library) {
    return Outcome::clear("module and library are both " + driver_text(*module));
  }
  const bool told =
      cuinit_result(facts) == kSystemDriverMismatch ||
      (facts.observed.nvml.known() && facts.observed.nvml.value().init == kLibRmVersionMismatch);
  if (told || (module && library)) return mismatch(c, module, library, path);
  if (loaded.absent()) return Outcome::not_applicable();
  if (!module) return Outcome::unknown(missing_text("the nvidia module's version", loaded));
  if (facts.driver.libcuda.known() && path.empty()) return Outcome::not_applicable();
  return Outcome::unknown("the version of the driver's libcuda.so.1");
}

} // namespace

extern constexpr Rule H05{
    .id = "H05",
    .slug = "driver-library-mismatch",
    .title = "The driver's kernel module and its library have different versions",
    .since = "0.1",
    .gate = Gate::driver,
    .settled_by_driver = true,
    .explanation =
        R"(The two halves of the driver, the module in the kernel and the libraries for programs, must have exactly the same version. When
the driver is updated (often by automatic updates at night) the files change at once, but the kernel keeps the module that it
loaded at the last start. From then on `nvidia-smi` says "Driver/library version mismatch" and CUDA programs get
error 803.

The same happens when libraries of an earlier installation are left behind, or stand first on `LD_LIBRARY_PATH`; and in
containers that were started before the host's driver was updated.)",
    .fix =
        R"(Restart the machine (or only the container). Without a restart: stop every program that uses the GPU, the display included, then
`sudo rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia` and `sudo modprobe nvidia`. If it is still there afterwards, two
drivers are installed: remove one of them.)",
    .references =
        R"(- [CUDA driver API: error codes](https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html)
- [NVML: return values](https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
