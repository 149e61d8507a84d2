// The library is on the disk under its right name, in a directory where the loader does not look.
// Truth: the inventory and the trace of the loader's search.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <set>

namespace gpuwhy::rules {
namespace {

/// ldconfig writes the directory's libraries into the cache.
Edit run_ldconfig(const std::string& directory) {
  Edit edit;
  edit.words = "run ldconfig: " + directory +
               " is configured, but the cache does not know its libraries yet";
  edit.commands = {"sudo ldconfig"};
  edit.apply = [directory](Facts& facts) {
    if (!facts.libraries.cache.known()) {
      facts.libraries.cache = Fact<std::vector<CacheEntry>>::known({}, {"/etc/ld.so.cache", 0});
    }
    auto& cache = facts.libraries.cache.value();
    for (const auto& [path, file] : facts.libraries.files) {
      if (parent_path(path) != directory || file.status != LibraryFile::Status::good) continue;
      cache.push_back({file.soname.empty() ? std::string(base_name(path)) : file.soname, path, {}});
    }
  };
  return edit;
}

/// The file is there under its long name only; the link that the loader asks for is gone.
Edit restore_link(const LibraryFault& fault) {
  const auto link = join_path(parent_path(fault.path), fault.soname);
  Edit edit;
  edit.words = "make the link " + link + " again";
  edit.commands = {"ln -s " + shell_word(base_name(fault.path)) + " " + shell_word(link)};
  edit.apply = [from = fault.path, link, soname = fault.soname](Facts& facts) {
    const auto file = facts.libraries.files.find(from);
    if (file == facts.libraries.files.end()) return;
    LibraryFile copy = file->second;
    copy.path = link;
    copy.soname = soname;
    edit::add_library(facts, std::string(parent_path(link)), copy);
  };
  return edit;
}

Outcome report(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& first = faults.front();
  std::vector<std::string> sonames;
  std::vector<std::string> directories;
  std::set<std::string> asked;
  auto outcome = Outcome::found(first.soname + " is in " + std::string(parent_path(first.path)) +
                                ", where " + framework_text(c) + " does not look");
  for (const auto& fault : faults) {
    outcome.evidence.push_back({fault.soname + " is on the disk", {fault.path, 0}});
    sonames.push_back(fault.soname);
    const std::string directory(parent_path(fault.path));
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(directory);
    }
    for (const auto& step : fault.need->found.trace) asked.emplace(parent_path(step.place));
  }
  outcome.evidence.push_back(
      {first.soname + ": " + places_asked(first.need->found), {c.build()->opener, 0}});
  if (base_name(first.path) != first.soname &&
      asked.contains(std::string(parent_path(first.path)))) {
    outcome.text = std::string(base_name(first.path)) + " is there, but the name " + first.soname +
                   " that " + framework_text(c) + " asks for is not";
    return std::move(outcome).mend(restore_link(first));
  }
  const auto& configured = c.facts.libraries.configured_directories;
  const bool all_configured =
      std::all_of(directories.begin(), directories.end(), [&](const std::string& directory) {
        return std::find(configured.begin(), configured.end(), directory) != configured.end();
      });
  if (all_configured && directories.size() == 1)
    outcome.edits.push_back(run_ldconfig(directories.front()));
  outcome.edits.push_back(extend_library_path(c, directories));
  const bool by_wheels = std::all_of(faults.begin(), faults.end(), [&](const LibraryFault& fault) {
    return !wheel_distribution(c, fault.product).empty() &&
           installed_wheel(c, fault.product) == nullptr;
  });
  if (by_wheels && reaches_wheels(c)) outcome.edits.push_back(install_wheels(c, sonames, false));
  return outcome;
}

/// The driver's own library, where no search for it leads; nullptr: found, or not on the disk at
/// all.
const DriverLibrary* stranded_driver(const Case& c) {
  if (c.libcuda.outcome != loader::Outcome::missing || in_wsl(c.facts)) return nullptr; // WSL: C03
  const auto* libraries = c.facts.driver.libcuda.get();
  if (libraries == nullptr) return nullptr;
  const auto found = std::find_if(libraries->begin(), libraries->end(), is_driver_library);
  return found == libraries->end() ? nullptr : &*found;
}

Outcome report_driver(const Case& c, const DriverLibrary& driver) {
  const std::string directory(parent_path(driver.path));
  const auto& configured = c.facts.libraries.configured_directories;
  const bool known = std::find(configured.begin(), configured.end(), directory) != configured.end();
  auto edit = known ? run_ldconfig(directory) : extend_library_path(c, {directory});
  edit.apply = [first = edit.apply](Facts& facts) {
    first(facts);
    ask_driver(facts);
  };
  return Outcome::found("the driver's libcuda.so.1 is in " + directory + ", where no program looks")
      .because("libcuda.so.1 is on the disk", {driver.path, 0})
      .because("libcuda.so.1: " + places_asked(c.libcuda), {c.build()->opener, 0})
      .mend(std::move(edit));
}

Outcome check(const Case& c) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  if (const auto* driver = stranded_driver(c)) return report_driver(c, *driver);
  return judge_faults(
      c, "no library that is needed lies off the loader's path",
      [](const LibraryFault& fault) { return fault.fault == Fault::not_on_path; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
}

} // namespace

extern constexpr Rule L05{
    .id = "L05",
    .slug = "library-not-on-path",
    .title = "A library is installed where the loader does not look",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(The file is there and it is the right one, yet TensorFlow does not get it.
Linux does not search the disk for a library. It looks, in this order, in the directories of
`LD_LIBRARY_PATH`, in those that TensorFlow itself names (its RUNPATH), in the cache that
`ldconfig` writes, and in a few default directories.

Typical: CUDA unpacked into `/usr/local` without `ldconfig`; `LD_LIBRARY_PATH` set in
`~/.bashrc`, which notebooks, services and IDEs do not read; pip wheels beside a TensorFlow that
does not look for them (all releases before 2.14; 2.16.1 and 2.21.0 miss some of them); wheels in
`~/.local` while TensorFlow is in another site-packages.)",
    .fix = R"(If the directory is configured in `/etc/ld.so.conf.d`, run `sudo ldconfig`.
Otherwise add it to `LD_LIBRARY_PATH` before Python starts: setting it inside the program is too
late.)",
    .references = R"(- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html)
- [pip's CUDA libraries are not found (tensorflow#63362)](https://github.com/tensorflow/tensorflow/issues/63362))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
