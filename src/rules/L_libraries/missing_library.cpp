#include "rules/L_libraries/missing_library.h"

#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <set>

namespace gpuwhy::rules {
namespace {

/// NVML is the driver's: no wheel brings it.
Edit install_driver_library(const Case& c, const std::string& soname) {
  Edit edit;
  edit.words = "install the driver's " + soname +
               " (in a container: NVIDIA_DRIVER_CAPABILITIES=compute,utility)";
  edit.apply = [directory = std::string(parent_path(c.libcuda.path)), soname](Facts& facts) {
    LibraryFile file;
    file.path = file.real_path = file.identity = directory + "/" + soname;
    file.soname = soname;
    edit::add_library(facts, directory, file);
    CacheEntry entry{soname, file.path, {}};
    if (auto* cache = facts.libraries.cache.get()) cache->push_back(entry);
  };
  return edit;
}

/// A copy that is on the disk for another purpose, worth a word.
std::string copy_elsewhere(const Case& c, const std::string& soname) {
  for (const auto& [path, file] : c.facts.libraries.files) {
    const bool match = file.status == LibraryFile::Status::good && base_name(path) == soname;
    if (match && !in_own_environment(c, path) && !contains(path, "/stubs/")) return path;
  }
  return {};
}

} // namespace

Outcome missing_library(const Case& c, const std::vector<LibraryFault>& faults) {
  std::vector<std::string> sonames;
  for (const auto& fault : faults) sonames.push_back(fault.soname);
  const auto& first = faults.front();
  const bool one = sonames.size() == 1;
  std::string summary =
      listing(sonames) + (one ? " is" : " are") + " nowhere that " + framework_text(c) + " looks";
  if (first.soname != first.need->soname)
    summary += ", and its " + first.need->soname + " needs " + (one ? "it" : "them");
  auto outcome = Outcome::found(std::move(summary));
  const auto* build = c.build();
  outcome.evidence.push_back(
      {first.soname + ": " + places_asked(first.need->found), {build->opener, 0}});
  bool again = false;
  std::vector<std::string> elsewhere; // directories with copies
  bool all_elsewhere = true;
  std::set<std::string> told; // wheels that are not installed; cuBLAS comes in one with cuBLASLt
  for (const auto& fault : faults) {
    const auto name = wheel_distribution(c, fault.product);
    if (name.empty()) continue;
    const auto directory = wheel_directory(c, fault.product);
    if (const auto* wheel = installed_wheel(c, fault.product)) {
      again = true;
      outcome.evidence.push_back({name + " " + wheel->version + " is installed, but its " +
                                      fault.soname + " is gone from " + directory,
                                  {wheel->location, 0}});
    } else if (told.insert(name).second) {
      outcome.evidence.push_back(
          {name + ", the pip wheel that brings " + fault.soname + ", is not installed",
           {directory, 0}});
    }
    const auto copy = copy_elsewhere(c, fault.soname);
    // What belongs to another Python environment comes and goes with that.
    all_elsewhere = all_elsewhere && !copy.empty() && !contains(copy, "-packages/");
    if (copy.empty()) continue;
    outcome.evidence.push_back(
        {"another copy is on this disk, where this program does not look", {copy, 0}});
    const std::string beside(parent_path(copy));
    if (std::find(elsewhere.begin(), elsewhere.end(), beside) == elsewhere.end())
      elsewhere.push_back(beside);
  }
  if (first.product == "nvidia-ml")
    return std::move(outcome).mend(install_driver_library(c, first.soname));
  outcome.edits.push_back(install_wheels(c, sonames, again));
  if (all_elsewhere) outcome.edits.push_back(extend_library_path(c, elsewhere));
  return outcome;
}

} // namespace gpuwhy::rules
