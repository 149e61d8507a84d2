#include "rules/L_libraries/library_faults.h"

#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

using Status = LibraryFile::Status;

bool under(std::string_view path, std::string_view directory) {
  if (directory.empty() || directory == "/" || directory == "/usr") return false;
  return path.starts_with(directory) && path.size() > directory.size() &&
         (directory.ends_with('/') || path[directory.size()] == '/');
}

/// libcudnn.so.9 for libcudnn.so.9 and libcudnn.so.9.1.0: the link's name may be gone, the file be
/// there.
bool is_soname(const LibraryFile& file, std::string_view soname) {
  const auto name = base_name(file.path);
  return name == soname || file.soname == soname ||
         (name.starts_with(soname) && name.size() > soname.size() && name[soname.size()] == '.');
}

/// "libcudnn.so." of "libcudnn.so.9".
std::string_view stem_of(std::string_view soname) {
  const auto end = soname.find(".so.");
  return end == std::string_view::npos ? soname : soname.substr(0, end + 4);
}

/// A directory that exists for other CUDA majors: site-packages/nvidia/cu13/lib.
bool of_other_cuda(const Case& c, std::string_view path) {
  const auto at = path.find("/nvidia/cu1");
  if (at == std::string_view::npos) return false;
  const auto end = path.find('/', at + 8);
  const auto major = to_number(path.substr(at + 10, end - at - 10));
  return major && *major != cuda_major(c);
}

class Finder {
public:
  explicit Finder(const Case& c) : c_(c), by_wheels_(providers_of(c).by_wheels()) {}

  LibraryFault of(const LibraryNeed& need) {
    LibraryFault fault;
    const auto& found = need.found;
    fault.need = &need;
    fault.in_use = !need.required;
    fault.soname = found.dependency.empty() ? need.soname : found.dependency;
    fault.product = std::string(product_of(fault.soname));
    if (found.outcome == loader::Outcome::unknown) {
      fault.detail = found.not_looked.empty() ? "something" : found.not_looked.front();
      return fault;
    }
    const bool by_path = found.step == loader::Step::library_path;
    if (by_path && found.outcome == loader::Outcome::dependency_missing &&
        loads_without(c_, need.soname, std::string(parent_path(found.path)))) {
      fault.fault = Fault::shadowed;
      fault.path = found.path;
      fault.step = found.step;
      fault.because = found.because;
      fault.detail = fault.soname + ": " + found.detail;
      return fault;
    }
    if (corrupt(found, fault) || elsewhere(fault) || other_major(fault)) return fault;
    fault.fault = Fault::missing;
    return fault;
  }

private:
  /// A file on the way that cannot be loaded: the search ends there, or goes on and finds nothing.
  bool corrupt(const loader::Found& found, LibraryFault& fault) const {
    const loader::Asked* blamed = nullptr;
    for (const auto& asked : found.trace) {
      if (asked.result == loader::Asked::Result::stopped) blamed = &asked;
      const bool passed_over =
          asked.result == loader::Asked::Result::skipped && blames(asked, fault);
      if (passed_over && blamed == nullptr) blamed = &asked;
    }
    if (blamed == nullptr) return false;
    fault.fault = Fault::corrupt;
    fault.path = blamed->place;
    fault.step = blamed->step;
    fault.because = blamed->because;
    fault.detail = blamed->detail.empty() ? "shorter than its header says" : blamed->detail;
    return true;
  }

  /// A directory that may not be read is to blame only if the library belongs there.
  bool blames(const loader::Asked& asked, const LibraryFault& fault) const {
    const auto& directories = c_.facts.libraries.directories;
    const std::string parent(parent_path(asked.place));
    const auto directory = directories.find(parent);
    const bool unreadable = directory != directories.end() &&
                            directory->second.status == LibraryDirectory::Status::unreadable;
    if (!unreadable) return c_.facts.libraries.files.contains(asked.place);
    return parent == wheel_directory(c_, fault.product) || providers_of(c_).wheels == 0;
  }

  /// On the disk under its right name. What other environments hold was never meant for this one.
  bool elsewhere(LibraryFault& fault) const {
    const LibraryFile* best = nullptr;
    for (const auto& [path, file] : c_.facts.libraries.files) {
      if (file.status != Status::good || !is_soname(file, fault.soname)) continue;
      if (of_other_cuda(c_, path) || contains(path, "/stubs/")) continue;
      const bool own = in_own_environment(c_, path);
      if (!own && (by_wheels_ || in_other_environment(c_, path))) continue;
      const bool better =
          best == nullptr || (own && !in_own_environment(c_, best->path)) ||
          (base_name(path) == fault.soname && base_name(best->path) != fault.soname);
      if (better) best = &file;
    }
    if (best == nullptr) return false;
    fault.fault = Fault::not_on_path;
    fault.path = best->path;
    return true;
  }

  bool other_major(LibraryFault& fault) const {
    const auto stem = stem_of(fault.soname);
    for (const auto& [path, file] : c_.facts.libraries.files) {
      const auto name = base_name(path);
      if (file.status != Status::good || !name.starts_with(stem) || is_soname(file, fault.soname))
        continue;
      if (contains(path, "/stubs/")) continue;
      if (in_own_wheel(c_, path) && parent_path(path) == wheel_directory(c_, fault.product)) {
        if (installed_wheel(c_, fault.product) == nullptr) continue;
        fault.fault = Fault::wrong_wheel;
      } else if (!by_wheels_ && !of_other_cuda(c_, path) && !in_other_environment(c_, path)) {
        fault.fault = Fault::wrong_major;
      } else {
        continue;
      }
      fault.path = path;
      return true;
    }
    return false;
  }

  const Case& c_;
  bool by_wheels_;
};

} // namespace

bool asks_no_libraries(const Case& c) {
  return c.framework == nullptr || c.libraries.empty();
}

std::string listing(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (index > 0) text += index + 1 == words.size() ? " and " : ", ";
    text += words[index];
  }
  return text;
}

Providers providers_of(const Case& c) {
  Providers providers;
  for (const auto& need : c.libraries) {
    if (!need.required || need.found.outcome != loader::Outcome::found) continue;
    ++(in_own_wheel(c, need.found.path) ? providers.wheels : providers.others);
  }
  return providers;
}

bool in_own_environment(const Case& c, std::string_view path) {
  if (c.python == nullptr) return false;
  if (c.python->kind != "system" && under(path, c.python->prefix)) return true;
  return std::any_of(c.python->site_directories.begin(), c.python->site_directories.end(),
                     [&](const std::string& site) { return under(path, site); });
}

bool in_other_environment(const Case& c, std::string_view path) {
  if (in_own_environment(c, path)) return false;
  for (const auto& python : c.facts.pythons) {
    if (python.kind != "system" && under(path, python.prefix)) return true;
  }
  return contains(path, "/site-packages/") || contains(path, "/dist-packages/") ||
         contains(path, "/envs/");
}

Outcome with_their_effect(Outcome outcome, const std::vector<LibraryFault>& faults) {
  const bool in_use = std::all_of(faults.begin(), faults.end(),
                                  [](const LibraryFault& fault) { return fault.in_use; });
  if (!in_use || outcome.state != Outcome::State::found) return outcome;
  outcome.text += ": the GPU is listed, and what uses " +
                  std::string(faults.size() == 1 ? faults.front().need->soname : "them") + " fails";
  return std::move(outcome).with_effect(Effect::breaks);
}

std::vector<LibraryFault> library_faults(const Case& c) {
  Finder finder(c);
  std::vector<LibraryFault> faults;
  const auto named = [&](const std::string& soname) {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const LibraryFault& fault) { return fault.soname == soname; });
  };
  const auto opened_itself = [&](const std::string& soname) {
    return std::any_of(c.libraries.begin(), c.libraries.end(),
                       [&](const LibraryNeed& need) { return need.soname == soname; });
  };
  std::vector<const LibraryNeed*> failed;
  for (const auto& need : c.libraries) {
    if (need.found.outcome != loader::Outcome::found) failed.push_back(&need);
  }
  std::stable_partition(failed.begin(), failed.end(),
                        [](const LibraryNeed* need) { return need->required; });
  for (const auto* each : failed) {
    const auto& need = *each;
    // A library that fails for want of another one of the list is no fault of its own.
    const bool shadowed = need.found.step == loader::Step::library_path;
    if (!need.found.dependency.empty() && !shadowed && opened_itself(need.found.dependency))
      continue;
    auto fault = finder.of(need);
    if (fault.fault != Fault::shadowed && !need.found.dependency.empty() &&
        opened_itself(need.found.dependency))
      continue;
    if (!named(fault.soname)) faults.push_back(std::move(fault));
  }
  return faults;
}

} // namespace gpuwhy::rules
