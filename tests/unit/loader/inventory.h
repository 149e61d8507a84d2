// Few-line inventories for the loader's tests.
#pragma once

#include "base/text.h"
#include "loader/search.h"

namespace gpuwhy::loader {

/// A library in a directory; both are entered.
inline LibraryFile& add_library(Libraries& libraries, const std::string& path,
                                std::vector<std::string> needed = {}) {
  const std::string directory(parent_path(path));
  libraries.directories[directory].path = directory;
  libraries.directories[directory].names.emplace_back(base_name(path));
  auto& file = libraries.files[path];
  file.path = file.real_path = file.identity = path;
  file.soname = base_name(path);
  file.needed = std::move(needed);
  return file;
}

inline void add_empty(Libraries& libraries, const std::string& directory) {
  libraries.directories[directory].path = directory;
}

/// A machine with the program /bin/python, a cache without entries and one default directory.
inline Libraries machine() {
  Libraries libraries;
  libraries.default_directories = {"/usr/lib"};
  libraries.hardware_capabilities = {"x86-64-v3", "x86-64-v2"};
  libraries.lib_token = "lib64";
  libraries.platform_token = "x86_64";
  libraries.cache = Fact<std::vector<CacheEntry>>::known({});
  add_empty(libraries, "/usr/lib");
  libraries.files["/bin/python"].path = libraries.files["/bin/python"].real_path = "/bin/python";
  return libraries;
}

inline Setting setting(std::string library_path = {}) {
  return {std::move(library_path), "/bin/python", "/work", false, false};
}

} // namespace gpuwhy::loader
