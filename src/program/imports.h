// Which frameworks a program brings into its process, in the order in which it imports them:
// itself, through modules that lie beside it, or through packages that import one.
#pragma once

#include "base/result.h"
#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy::program {

struct ImportedFramework {
  std::string name;   // "torch", "tensorflow", "jax", "keras"
  std::string module; // what the program's own statement names: "torchvision.transforms", "models"
  int line = 0;       // of that statement; in a notebook, of its joined cells
};

/// Each framework once. What runs on a condition is left out, and so is what happens in functions
/// that nothing calls. Fails if `path` cannot be read or is no Python.
Result<std::vector<ImportedFramework>> framework_imports(System& system, const std::string& path);

} // namespace gpuwhy::program
