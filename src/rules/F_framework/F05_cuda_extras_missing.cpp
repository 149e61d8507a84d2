// A GPU build, and most of the CUDA libraries that it opens are nowhere: they were never installed.
// Truth: the loader's search; `pip install tensorflow` without the extra brings none of them.
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 4> kExplains = {"L01", "L02", "L03", "L09"};

Outcome check(const Case& c) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  std::size_t wanted = 0; // to list GPUs, or to use them
  for (const auto& need : c.libraries)
    if (find_wheel(need.product) != nullptr) ++wanted;
  bool hides = false;
  std::vector<std::string> missing;
  std::string open;
  const LibraryNeed* first = nullptr;
  for (const auto& fault : library_faults(c)) {
    if (fault.fault == Fault::open && !fault.in_use) open = fault.detail;
    if (fault.fault != Fault::missing || find_wheel(fault.product) == nullptr) continue;
    if (first == nullptr) first = fault.need;
    hides = hides || !fault.in_use;
    missing.push_back(fault.soname);
  }
  if (missing.size() * 2 <= wanted) {
    if (!open.empty())
      return Outcome::unknown("where the CUDA libraries are: " + open + " was not looked at");
    return Outcome::clear("CUDA libraries for " + name_text(c) + " are installed");
  }
  std::vector<std::string> wheels;
  for (const auto& need : c.libraries) {
    const auto* wheel = installed_wheel(c, need.product);
    if (wheel != nullptr && std::find(wheels.begin(), wheels.end(), wheel->name) == wheels.end()) {
      wheels.push_back(wheel->name);
    }
  }
  auto outcome =
      Outcome::found(
          framework_text(c) + " can use a GPU, but its CUDA libraries are not installed: " +
          std::to_string(missing.size()) + " of " + std::to_string(wanted) + " are missing")
          .because("missing: " + listing(missing), {c.build()->opener, 0})
          .because(first->soname + ": " + places_asked(first->found), {c.build()->opener, 0});
  const std::string site = site_packages(*c.python, c.framework);
  outcome.evidence.push_back(
      {wheels.empty()
           ? "no NVIDIA wheel for this " + name_text(c) + " is installed in the environment"
           : "of NVIDIA's wheels only " + listing(wheels) + " installed",
       {site, 0}});
  for (const auto& need : c.libraries) {
    if (need.required && need.found.outcome == loader::Outcome::found) {
      outcome.evidence.push_back({need.soname + " is found", {need.found.path, 0}});
    }
  }
  if (!hides) outcome.effect = Effect::breaks;
  return std::move(outcome).mend(install_all_wheels(c));
}

} // namespace

extern constexpr Rule F05{
    .id = "F05",
    .slug = "cuda-extras-missing",
    .title = "The framework is installed without its CUDA libraries",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(`pip install tensorflow` on Linux brings a TensorFlow that can use GPUs,
but none of the CUDA libraries that it needs for that. They come with an extra,
`tensorflow[and-cuda]`, or from an installed CUDA toolkit **and** cuDNN of the right versions.
The driver, and `nvidia-smi`, do not contain them: having a driver is not having CUDA.

TensorFlow says "Could not find cuda drivers on your machine" or "Cannot dlopen some GPU
libraries", and runs on the CPU. JAX's plug-in package alone brings none either: they come with
`jax[cuda12]` or `jax[cuda13]`. PyTorch's wheels require them, unless pip was told `--no-deps`.)",
    .fix = R"(`python -m pip install 'tensorflow[and-cuda]'` in the environment that runs the
program (`jax[cuda12]`, or `torch` again). Nothing else is needed: no CUDA toolkit and no `LD_LIBRARY_PATH`. TensorFlow before 2.14
has no such extra: install the wheels by name and set `LD_LIBRARY_PATH`, or take a newer
TensorFlow.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [pip's CUDA libraries are not found (tensorflow#63362)](https://github.com/tensorflow/tensorflow/issues/63362))",
    .explains = kExplains,
    .check = check,
    .lint = lint_cuda_extras_missing,
};

} // namespace gpuwhy::rules
