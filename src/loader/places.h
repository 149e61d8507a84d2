// Where the loader will look for a name, in order: RPATH, LD_LIBRARY_PATH, RUNPATH, cache, default
// directories (ld.so(8); glibc, _dl_map_object in elf/dl-load.c; musl, load_library in
// ldso/dynlink.c).
#pragma once

#include "loader/search.h"

namespace gpuwhy::loader {

struct Place {
  Step step = Step::default_directory;
  std::string directory; // empty for the cache
  std::string because;
  std::size_t list =
      1; // of one RPATH, RUNPATH or variable; the loader can abandon a list as a whole
};

struct Places {
  std::vector<Place> places;
  bool no_default_lib = false; // of the opener: the cache's entries in default directories are void
  std::vector<std::string> not_looked; // objects whose RPATH or RUNPATH would count
};

Places places_for(const Libraries& libraries, const Setting& setting, const Request& request);

/// Without "//", "/./" and trailing slashes. ".." stays: across a link to a directory only the
/// kernel knows what it means.
std::string tidy_path(std::string_view path);
/// As seen from the working directory of the process.
std::string absolute_path(const Setting& setting, std::string_view path);

} // namespace gpuwhy::loader
