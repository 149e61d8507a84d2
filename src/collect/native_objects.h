// The objects of a framework's native code, as the dynamic loader sees them: what loads what, and
// what is bad.
#pragma once

#include "elf/fatbin.h"
#include "facts/facts.h"
#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy {

class NativeObjects {
public:
  NativeObjects(System& system, Facts& facts) : system_(system), facts_(facts) {}

  /// Examines the file, once, and keeps it in the facts.
  const LibraryFile& classify(const std::string& path);
  /// Tells a missing or bad file in `framework.broken`.
  void check(Framework& framework, const std::string& path);
  /// What loads an extension module is the interpreter's code: in libpython, where that is a
  /// library. Adds it to the loader chain.
  void add_interpreter(const PythonEnvironment& python, FrameworkBuild& build);
  /// Architectures for which `library` has code, into sass and ptx.
  void read_code(const std::string& library, FrameworkBuild& build, const FatbinLimits& limits);

private:
  System& system_;
  Facts& facts_;
};

/// Version of a package: that of the one distribution which provides it.
const Distribution* owner_of(const PythonEnvironment& python, const std::string& site,
                             std::string_view name);

} // namespace gpuwhy
