// The search for libcuda.so.1 ends at the CUDA toolkit's stub: a file to link against, not a
// driver. Truth: the stub of CUDA 13.0 answers every call with 34 and is 70 kB small; real drivers
// have many MB.
#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/C_container/project_files.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/L_libraries/library_path.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr int kStubLibrary = 34; // CUDA_ERROR_STUB_LIBRARY
constexpr std::uint64_t kSmallestDriver = 1'000'000;

bool is_stub(const Case& c, const std::string& path) {
  if (contains(path, "/stubs/")) return true;
  const auto file = c.facts.libraries.files.find(path);
  if (file != c.facts.libraries.files.end()) {
    if (contains(file->second.real_path, "/stubs/")) return true;
    if (file->second.size > 0 && file->second.size < kSmallestDriver) return true;
  }
  const auto known = c.facts.driver.libcuda.value_or({});
  return std::any_of(known.begin(), known.end(), [&](const DriverLibrary& library) {
    return library.stub && (library.path == path || library.real_path == path);
  });
}

Edit remove_stub(const Case& c, const std::string& path, loader::Step step) {
  const std::string directory(parent_path(path));
  Edit edit;
  if (step == loader::Step::library_path) {
    edit = shorten_library_path(c, directory);
    edit.apply = [directory](Facts& facts) {
      edit::remove_from_library_path(facts, directory);
      ask_driver(facts);
    };
    return edit;
  }
  edit.words = "remove the stub " + path + " from the loader's path";
  edit.commands = {"sudo rm " + shell_word(path), "sudo ldconfig"};
  edit.apply = [path](Facts& facts) {
    edit::remove_library(facts, path);
    if (auto* cache = facts.libraries.cache.get()) {
      std::erase_if(*cache, [&](const CacheEntry& entry) { return entry.path == path; });
      // ldconfig lists every libcuda.so.1 of its directories: the driver's moves up.
      for (const auto& library : facts.driver.libcuda.value_or({})) {
        if (!library.stub && library.path != path)
          cache->push_back({"libcuda.so.1", library.path, {}});
      }
    }
    ask_driver(facts);
  };
  return edit;
}

Outcome check(const Case& c) {
  const auto* probe = c.facts.observed.cuda_unhidden.get();
  const bool answered_as_stub = probe != nullptr && probe->init == kStubLibrary;
  const auto& found = c.libcuda;
  const bool known = found.outcome == loader::Outcome::found;
  const bool stub = known && is_stub(c, found.path);
  if (!stub && !answered_as_stub) {
    if (known) return Outcome::clear(found.path + " is a driver, not the toolkit's stub");
    if (probe != nullptr) return Outcome::clear("cuInit was not answered by the toolkit's stub");
    if (c.framework == nullptr || found.outcome != loader::Outcome::unknown)
      return Outcome::not_applicable();
    return Outcome::unknown("which libcuda.so.1 will be loaded");
  }
  const std::string path = stub || probe->library.empty() ? found.path : probe->library;
  auto outcome = Outcome::found("the CUDA toolkit's stub " + path +
                                " is loaded in place of the driver's libcuda.so.1");
  if (stub) {
    outcome.evidence.push_back({"found through " + found.because, {path, 0}});
    if (found.step == loader::Step::library_path) {
      outcome.evidence.push_back(
          {"LD_LIBRARY_PATH leads there" + set_where(c, "LD_LIBRARY_PATH", parent_path(path)),
           source_of(c, "LD_LIBRARY_PATH", parent_path(path))});
    }
  }
  if (answered_as_stub) {
    outcome.evidence.push_back(
        {"cuInit answers 34, CUDA_ERROR_STUB_LIBRARY", c.facts.observed.cuda_unhidden.source()});
  }
  const auto step = stub ? found.step : loader::Step::cache;
  return std::move(outcome).mend(remove_stub(c, path, step));
}

} // namespace

extern constexpr Rule L08{
    .id = "L08",
    .slug = "libcuda-stub",
    .title = "The CUDA toolkit's stub is loaded instead of the driver's library",
    .since = "0.1",
    .gate = Gate::libcuda,
    .settled_by_driver = true,
    .explanation = R"(`libcuda.so.1` belongs to the driver. The CUDA toolkit contains a file of
the same name in `lib64/stubs`: an empty shell, made for linking programs on machines without a
GPU. Every call to it fails with `CUDA_ERROR_STUB_LIBRARY` (34). It gets in the way if `stubs` is
in `LD_LIBRARY_PATH`, or if `ldconfig` was run with that directory configured.)",
    .fix = R"(Take `stubs` out of `LD_LIBRARY_PATH` and out of `/etc/ld.so.conf.d`, then run
`sudo ldconfig`. It belongs on the linker's path (`LIBRARY_PATH`, `-L`) only.)",
    .references =
        R"(- [CUDA driver API: error codes](https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html))",
    .explains = {},
    .check = check,
    .lint = lint_libcuda_stub,
};

} // namespace gpuwhy::rules
