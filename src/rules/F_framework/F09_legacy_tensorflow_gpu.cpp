// tensorflow-gpu is a name of the past: its last release is an empty shell, and what came
// before 2.4 wants CUDA 10, for which there are no wheels and no current GPUs. Truth: PyPI's
// tensorflow-gpu 2.12.0; the CUDA of each release (knowledge).
#include "base/text.h"
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/wheels.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 7> kExplains = {"F01", "F05", "F15", "L01",
                                                       "L02", "L03", "L09"};
constexpr int kFirstCudaWithWheels = 11;

Edit modern(const Case& c) {
  return install_gpu_framework(c, "remove it and install tensorflow with its CUDA libraries",
                               tensorflow_distributions(*c.python));
}

Outcome check(const Case& c) {
  if (c.python == nullptr || c.kind() != "tensorflow") return Outcome::not_applicable();
  const auto* legacy = find_distribution(*c.python, "tensorflow-gpu");
  if (c.framework == nullptr) {
    if (legacy == nullptr) return Outcome::not_applicable();
    const auto version = Version::parse(legacy->version);
    if (!version || *version < Version{{2, 12}})
      return Outcome::not_applicable(); // F10: the package is gone
    return Outcome::found("tensorflow-gpu " + legacy->version +
                          " is an empty package: there is no TensorFlow in it")
        .because("the last release of that name only says so", {legacy->location, 0})
        .mend(modern(c));
  }
  const int cuda = cuda_major(c);
  bool fails = false;
  for (const auto& need : c.libraries) {
    const bool settled = need.found.outcome != loader::Outcome::found &&
                         need.found.outcome != loader::Outcome::unknown;
    fails = fails || (need.required && settled);
  }
  if (cuda == 0 || cuda >= kFirstCudaWithWheels || !fails) {
    return Outcome::clear(framework_text(c) + " is not one of those that only CUDA 10 serves");
  }
  return Outcome::found(framework_text(c) + " needs CUDA " + std::to_string(cuda) +
                        ", whose libraries are not here and come in no pip package")
      .because("built with CUDA " + c.build()->cuda_version.value_or(std::to_string(cuda)),
               c.build()->cuda_version.source())
      .mend(modern(c));
}

} // namespace

extern constexpr Rule F09{
    .id = "F09",
    .slug = "legacy-tensorflow-gpu",
    .title = "This TensorFlow package is long out of date",
    .since = "0.1",
    .gate = Gate::build,
    .explanation = R"(Up to 2020 the GPU build had a package of its own, `tensorflow-gpu`. Since
2.1 the package `tensorflow` contains GPU support, and `tensorflow-gpu` 2.12 is an empty package
that tells people so. Old tutorials and requirements files still name it.

Releases before 2.4 need CUDA 10. No pip package has its libraries, and they have no
code for GPUs from Ampere (2020) on.)",
    .fix = R"(Write `tensorflow[and-cuda]` where `tensorflow-gpu` stood. Code for TensorFlow 1
runs on a current release through `tensorflow.compat.v1`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [Migrate from TensorFlow 1](https://www.tensorflow.org/guide/migrate))",
    .explains = kExplains,
    .check = check,
    .lint = lint_legacy_tensorflow_gpu,
};

} // namespace gpuwhy::rules
