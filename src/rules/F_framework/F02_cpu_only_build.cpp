// The installed TensorFlow was built without CUDA: no library and no driver makes it use a GPU.
// Truth: tensorflow/python/platform/build_info.py of that very installation; names only where it is
// not readable.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

bool cpu_name(const std::string& name) {
  return name == "tensorflow-cpu" || name == "tensorflow-intel" || name == "intel-tensorflow" ||
         name == "tensorflow-cpu-aws" || name == "tensorflow-aarch64" || name == "tf-nightly-cpu";
}

bool cpu_build_string(const Distribution& distribution) {
  const auto& build = distribution.build;
  return build.starts_with("mkl") || build.starts_with("eigen") || build.starts_with("cpu");
}

/// Why there is no CUDA in it.
std::string kind_of(const Case& c) {
  for (const auto& distribution : c.python->distributions) {
    if (cpu_name(distribution.name))
      return distribution.name + " " + distribution.version + ", which never has GPU support";
    const bool conda = distribution.name == "tensorflow" || distribution.name == "tensorflow-base";
    if (conda && cpu_build_string(distribution)) {
      return "conda's build " + distribution.build + ", one without CUDA";
    }
  }
  if (c.facts.platform.machine == "aarch64")
    return "the wheel for ARM, which PyPI has without CUDA only";
  return "a build without CUDA";
}

Edit replace(const Case& c) {
  if (c.facts.platform.machine == "aarch64") {
    return {"PyPI has no GPU build for ARM: use NVIDIA's TensorFlow container, or its wheels for "
            "Jetson",
            {"docker run --gpus all -it nvcr.io/nvidia/tensorflow:25.02-tf2-py3"},
            {}};
  }
  return install_gpu_framework(c, "replace it with the GPU build and its CUDA libraries",
                               tensorflow_distributions(*c.python));
}

Outcome check(const Case& c) {
  if (c.framework == nullptr || c.kind() != "tensorflow")
    return Outcome::not_applicable(); // F12, F13
  if (c.framework->build.absent())
    return Outcome::not_applicable(); // F10: there is no native library
  const auto* build = c.build();
  const bool told = build != nullptr && !build->cuda.open();
  if (!told) {
    const auto& names = c.framework->distributions;
    const bool only_cpu = !names.empty() && std::all_of(names.begin(), names.end(), cpu_name);
    if (!only_cpu) {
      return Outcome::unknown(
          "whether " + c.framework->directory + " was built with CUDA" +
          (c.framework->build.reason().empty() ? "" : ": " + c.framework->build.reason()));
    }
  } else if (build->cuda.value_or(false)) {
    return Outcome::clear(framework_text(c) + " was built with CUDA " +
                          build->cuda_version.value_or("support"));
  } else if (build->rocm.value_or(false)) {
    return Outcome::clear(framework_text(c) + " was built for AMD GPUs");
  }
  auto outcome = Outcome::found(framework_text(c) + " cannot use a GPU: it is " + kind_of(c));
  if (told)
    outcome.evidence.push_back(
        {"its build information says that it has no CUDA", build->cuda.source()});
  for (const auto& name : c.framework->distributions) {
    const auto* distribution = find_distribution(*c.python, name);
    if (distribution == nullptr) continue;
    outcome.evidence.push_back(
        {"installed by " + name + " " + distribution->version +
             (distribution->build.empty() ? "" : " (" + distribution->build + ")"),
         {distribution->location, 0}});
  }
  return std::move(outcome).mend(replace(c));
}

} // namespace

extern constexpr Rule F02{
    .id = "F02",
    .slug = "cpu-only-build",
    .title = "The installed TensorFlow has no GPU support",
    .since = "0.1",
    .gate = Gate::build,
    .explanation = R"(There are builds of TensorFlow that contain no GPU code at all:
`tensorflow-cpu`, conda's `mkl`, `eigen` and `cpu` builds, the wheels for ARM on PyPI, and many
builds from source. They do not look for a GPU and say nothing about it. No driver, CUDA or
variable changes that.)",
    .fix = R"(Remove it and install the GPU build: `python -m pip uninstall -y tensorflow-cpu`,
then `python -m pip install 'tensorflow[and-cuda]'`. With conda, ask for a CUDA build by name:
`conda install -c conda-forge 'tensorflow=*=cuda*'`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [NVIDIA's TensorFlow container](https://catalog.ngc.nvidia.com/orgs/nvidia/containers/tensorflow))",
    .explains = {},
    .check = check,
    .lint = lint_cpu_only_build,
};

} // namespace gpuwhy::rules
