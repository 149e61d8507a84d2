// The versions of CUDA's libraries that JAX itself refuses while it lists devices, each with the
// words that it logs. Truth: _check_cuda_versions() in jax/_src/xla_bridge.py (0.4.26 to 0.6.0) and
// jax_plugins/cuda/__init__.py (0.6.1 to 0.11.0). Its checks of cuDNN and cuFFT against the build
// compare a rounded number with a whole one, and never fail.
#pragma once

#include "base/version.h"
#include "rules/rule.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

struct JaxRefusal {
  const LibraryNeed* need = nullptr;
  std::string version; // of the library that would be loaded
  std::string asked;   // "12.1 or later"
  std::string says;    // JAX's own words, without its numbers
};

/// Empty where it does not check, and where the versions are not known.
std::vector<JaxRefusal> jax_refusals(const Case& c);

/// The version of the library file at `path`: its own, or that of the wheel it came with.
std::optional<Version> library_version(const Case& c, std::string_view product,
                                       const std::string& path);

} // namespace gpuwhy::rules
