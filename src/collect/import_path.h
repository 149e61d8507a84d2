// What an import of a framework takes: the first file or folder of that name on sys.path. Python
// puts the program's own directory in front of all others (the working directory, if it is given
// code and no file), so that a torch.py of the user's own hides the real one. Truth: CPython's
// importlib (a folder with __init__.py wins over a module beside it, and over any folder without)
// and Modules/main.c (what sys.path begins with; PYTHONSAFEPATH turns it off).
#pragma once

#include "collect/collector.h"
#include "facts/python.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct ImportName {
  std::string_view module;                   // "torch"
  std::string_view title;                    // "PyTorch"
  std::span<const std::string_view> insides; // what the real package has in it, any of them
};

struct ImportedPackage {
  std::string site;     // the directory of sys.path that has it
  std::string path;     // ".../site-packages/torch", "/home/u/project/torch.py"
  bool foreign = false; // it has the framework's name and is something else
};

/// The directory that sys.path begins with; empty: none, or another environment than the program's.
std::string program_directory(System& system, const Scope& scope, const PythonEnvironment& python);
/// In the order of sys.path, up to the first that is the framework itself: an import takes the
/// first of them, and the next one when that is gone.
std::vector<ImportedPackage> packages_named(System& system, const Scope& scope,
                                            const PythonEnvironment& python,
                                            const ImportName& name);
/// What a foreign module is for the rules: a framework without a build.
Framework foreign_framework(const ImportName& name, const std::string& path);

/// The version that the metadata beside the package tell; fills framework.distributions too.
void take_owner(const PythonEnvironment& python, const ImportedPackage& package,
                std::string_view distribution, Framework& framework);
/// "9.1.0.70" of the requirement "nvidia-cudnn-cu12==9.1.0.70" of this distribution; `comparison`
/// is "==" or ">=". Nothing where it states none.
std::optional<Fact<std::string>> cudnn_pin(const Distribution& distribution,
                                           std::string_view comparison);

} // namespace gpuwhy
