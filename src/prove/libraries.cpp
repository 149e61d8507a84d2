#include "prove/libraries.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace gpuwhy {
namespace {

/// A library's files by soname: those that the framework's process would have.
using Loaded = std::map<std::string, std::string, std::less<>>;

std::string soname_of(const Libraries& libraries, const std::string& path) {
  const auto file = libraries.files.find(path);
  return file != libraries.files.end() && !file->second.soname.empty()
             ? file->second.soname
             : std::string(base_name(path));
}

/// What `path` needs and `loaded` has, deepest first, then `path` itself.
void add_with_needs(const Libraries& libraries, const Loaded& loaded, const std::string& path,
                    std::set<std::string>& seen, std::vector<std::string>& order) {
  if (!seen.insert(path).second) return;
  if (const auto file = libraries.files.find(path); file != libraries.files.end()) {
    for (const auto& needed : file->second.needed) {
      if (const auto found = loaded.find(needed); found != loaded.end()) {
        add_with_needs(libraries, loaded, found->second, seen, order);
      }
    }
  }
  order.push_back(path);
}

std::vector<std::string> opening_order(const Libraries& libraries, const Loaded& loaded,
                                       const std::string& path) {
  std::set<std::string> seen;
  std::vector<std::string> order;
  add_with_needs(libraries, loaded, path, seen, order);
  return order;
}

std::string why_missing(const LibraryNeed& need) {
  const auto& found = need.found;
  if (found.outcome == loader::Outcome::dependency_missing) {
    return need.soname + " needs " + found.dependency + ", which is not found";
  }
  std::size_t places = 0;
  for (const auto& asked : found.trace)
    places += asked.result == loader::Asked::Result::missing ? 1U : 0U;
  return need.soname + " is not in any of the " + std::to_string(places) +
         " places where the framework's loader looks";
}

/// `here`: what the environment has; of a library that was in the process before, what brought it
/// is not told, nor where what it needs came from.
LibraryChoice choice_for(const Case& subject, const Loaded& loaded, const Loaded& here,
                         const LibraryNeed& need) {
  LibraryChoice choice;
  choice.soname = need.soname;
  switch (need.found.outcome) {
  case loader::Outcome::missing:
    if (need.required)
      choice.missing = why_missing(need);
    else
      choice.not_asked = need.soname + " is not there; the framework opens it only in use";
    break;
  case loader::Outcome::unknown: // the loader itself will tell
    choice.files = {need.found.path.empty() ? need.soname : need.found.path};
    break;
  default: {
    auto reach = loaded;
    auto path = need.found.path;
    if (need.found.step == loader::Step::already_loaded) {
      reach.insert(here.begin(), here.end());
      const auto found = here.find(need.soname);
      if (path.empty()) path = found != here.end() ? found->second : need.soname;
    }
    choice.files = opening_order(subject.facts.libraries, reach, path);
  }
  }
  return choice;
}

/// "libcublas.so.12" for "cublas": the part after ".so." is a number, so that no other name passes.
bool is_library_of(std::string_view name, std::string_view product) {
  const auto stem = "lib" + std::string(product) + ".so.";
  if (!name.starts_with(stem)) return false;
  const auto rest = name.substr(stem.size());
  return !rest.empty() && rest.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// The libraries that wheels put into this environment, by the name under which the loader opens
/// them.
Loaded wheel_libraries(const Case& subject) {
  Loaded found;
  if (subject.python == nullptr) return found;
  for (const auto& [path, file] : subject.facts.libraries.files) {
    if (file.status != LibraryFile::Status::good) continue;
    const auto& sites = subject.python->site_directories;
    if (std::any_of(sites.begin(), sites.end(),
                    [&](const std::string& site) { return path.starts_with(site + "/"); })) {
      found.try_emplace(std::string(base_name(path)), path);
    }
  }
  return found;
}

/// What any program would get by these names: LD_LIBRARY_PATH first, then the loader's cache.
void add_system_libraries(const Case& subject, Loaded& found) {
  const auto& facts = subject.facts;
  if (const auto* path = facts.environment.find("LD_LIBRARY_PATH")) {
    for (const auto& element : loader::split_library_path(path->value)) {
      for (const auto& [name, file] : facts.libraries.files) {
        if (file.status == LibraryFile::Status::good && parent_path(name) == element) {
          found.try_emplace(std::string(base_name(name)), name);
        }
      }
    }
  }
  for (const auto& entry : facts.libraries.cache.value_or({}))
    found.try_emplace(entry.soname, entry.path);
}

const std::string* find_product(const Loaded& loaded, std::string_view product) {
  const std::string* best = nullptr;
  for (const auto& [soname, path] : loaded) {
    if (is_library_of(soname, product))
      best = &path; // of several majors the last, which is the newest
  }
  return best;
}

} // namespace

std::map<Layer, LibraryChoice> libraries_to_prove(const Case& subject) {
  std::map<Layer, LibraryChoice> choices;
  const auto& libraries = subject.facts.libraries;
  Loaded loaded;
  for (const auto& need : subject.libraries) {
    for (const auto& path : need.found.loaded) loaded.try_emplace(soname_of(libraries, path), path);
    if (need.found.outcome == loader::Outcome::found && !need.found.path.empty())
      loaded.try_emplace(need.soname, need.found.path);
  }
  const bool of_framework = !subject.libraries.empty();
  Loaded here = wheel_libraries(subject);
  add_system_libraries(subject, here);
  for (const auto& each : kLayers) {
    if (!is_library(each.layer)) continue;
    auto& choice = choices[each.layer];
    // TensorFlow carries NCCL inside; whether the GPUs can work together is worth knowing all the
    // same.
    const bool brought = of_framework && each.layer != Layer::nccl;
    if (const auto* need = subject.library(each.name)) {
      choice = choice_for(subject, loaded, here, *need);
    } else if (brought) {
      choice.not_asked = "the framework opens no library of that name";
    } else if (const auto* path = find_product(here, each.name)) {
      choice.soname = soname_of(libraries, *path);
      choice.files = opening_order(libraries, here, *path);
    } else {
      choice.not_asked = "not installed here";
    }
  }
  return choices;
}

} // namespace gpuwhy
