// Which CUDA and framework libraries the loader looked for in a run, and which it took, as the
// loader itself said (probes/loader_audit.c).
#pragma once

#include <string>
#include <vector>

namespace gpuwhy::use {

/// One file that the loader tried.
struct LibraryTry {
  std::string path;
  std::string rule;      // "LD_LIBRARY_PATH", "ld.so.cache", "default directory", "path", ...
  bool present = false;  // it was there
  bool readable = false; // and could be read

  bool operator==(const LibraryTry&) const = default;
};

/// One search, from the name that was asked for to its end.
struct LibrarySearch {
  int pid = 0;
  std::string name; // as it was asked for: "libcudnn.so.9", or a path
  std::vector<LibraryTry> tried;
  std::string took; // empty: nothing new was loaded

  /// A file was there, and nothing came of it: it cannot be loaded, or is in the process already
  /// under another name.
  bool left_lying() const;
  /// No file that was tried is there.
  bool missing() const { return took.empty() && !left_lying(); }
  bool operator==(const LibrarySearch&) const = default;
};

inline bool LibrarySearch::left_lying() const {
  if (!took.empty()) return false;
  for (const auto& each : tried) {
    if (each.present) return true;
  }
  return false;
}

} // namespace gpuwhy::use
