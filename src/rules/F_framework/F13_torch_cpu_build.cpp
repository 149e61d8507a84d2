// The installed PyTorch was built without CUDA. Truth: torch/version.py of that very installation
// ("cuda = None"); the local tag of its version (+cpu) says the same.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"

namespace gpuwhy::rules {
namespace {

Outcome check(const Case& c) {
  if (c.framework == nullptr || c.kind() != "torch" || c.framework->build.absent())
    return Outcome::not_applicable();
  const auto* build = c.build();
  const auto version = c.framework->version.value_or("");
  const bool tagged = version.ends_with("+cpu");
  if (!tagged && (build == nullptr || build->cuda.open()))
    return Outcome::unknown("whether " + c.framework->directory + " was built with CUDA");
  if (!tagged && build->cuda.value_or(false)) {
    return Outcome::clear(framework_text(c) + " was built with CUDA " +
                          build->cuda_version.value_or("support"));
  }
  if (!tagged && build->rocm.value_or(false)) return Outcome::not_applicable(); // F14
  auto outcome =
      Outcome::found(framework_text(c) + " cannot use a GPU: it is a build without CUDA");
  if (build != nullptr && build->cuda.known())
    outcome.evidence.push_back({"it says cuda = None of itself", build->cuda.source()});
  if (tagged)
    outcome.evidence.push_back({"its version ends in +cpu", c.framework->version.source()});
  for (const auto& distribution : c.python->distributions) {
    const bool mutex = distribution.name == "pytorch-mutex" || distribution.name == "pytorch";
    if (mutex && contains(distribution.build, "cpu")) {
      outcome.evidence.push_back(
          {"conda's build " + distribution.build, {distribution.location, 0}});
    }
  }
  return std::move(outcome).mend(install_gpu_framework(c, "replace it by the CUDA build", {}));
}

} // namespace

extern constexpr Rule F13{
    .id = "F13",
    .slug = "torch-cpu-build",
    .title = "The installed PyTorch has no GPU support",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(PyTorch is published in several builds under one name and version: for the CPU, for
each of several CUDA releases, and for AMD's ROCm. The part of the version behind the plus tells which:
`2.6.0+cpu`, `2.6.0+cu124`. `torch.version.cuda` of the CPU build is `None`, and `torch.cuda.is_available()`
is `False` whatever driver there is.

It comes from the `cpu` index of PyTorch, from a requirements file that names `+cpu`, from conda's `cpuonly`, from the
packages of a Linux distribution, and on Windows, macOS and many ARM machines from a plain `pip install torch`.)",
    .fix =
        R"(`python -m pip install --force-reinstall torch` on Linux x86-64; elsewhere take the command that
pytorch.org shows for CUDA. pip keeps what is there if the version fits, hence `--force-reinstall`.)",
    .references = R"(- [PyTorch: get started](https://pytorch.org/get-started/locally/))",
    .explains = {},
    .check = check,
    .lint = lint_torch_cpu_build,
};

} // namespace gpuwhy::rules
