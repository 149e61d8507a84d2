// The GPU is older than everything that the framework build has code for.
// Truth: code in the build (architectures.h); TensorFlow itself refuses only GPUs below 3.5, lists
// the others and fails at the first kernel (tensorflow_loading.md 4).
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/architectures.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

Outcome too_old(const Case& c, const Target& gpu, const std::vector<Image>& images, bool hides) {
  const auto capability = gpu.capability.str();
  const auto taken = taken_from(c).str();
  auto outcome = Outcome::found(
      hides
          ? "the " + gpu.name + " (compute capability " + capability +
                ") is too old: " + framework_text(c) + " takes GPUs from " + taken + " on"
          : framework_text(c) + " has no code for the " + gpu.name + " (compute capability " +
                capability + "): it starts at " +
                std::min_element(images.begin(), images.end(), [](const Image& a, const Image& b) {
                  return a.target < b.target;
                })->target.str());
  outcome.evidence.push_back({gpu.name + ": compute capability " + capability, gpu.source});
  if (!images.empty()) {
    outcome.evidence.push_back({"the build has " + code_text(images), c.framework->build.source()});
  }
  if (hides) {
    return std::move(outcome)
        .mend({"use a newer GPU: this one is below what any release of TensorFlow takes", {}, {}})
        .with_effect(Effect::hides);
  }
  return std::move(outcome).mend(install_release_for(c, gpu));
}

Outcome check(const Case& c) {
  const auto* build = c.build();
  if (build == nullptr || (build->cuda.known() && !build->cuda.value()))
    return Outcome::not_applicable();
  const auto all = targets(c.facts);
  if (all.gpus.empty()) {
    const bool none = c.facts.hardware.gpus.known() && nvidia_gpus(c.facts).empty();
    if (none && !in_wsl(c.facts)) return Outcome::not_applicable();
    return Outcome::unknown(all.missing).with_effect(Effect::hides); // it may be refused
  }
  const auto taken = taken_from(c);
  const auto images = code_of(*build);
  const bool all_refused = std::all_of(all.gpus.begin(), all.gpus.end(),
                                       [&](const Target& gpu) { return gpu.capability < taken; });
  if (all_refused) return too_old(c, all.gpus.front(), images, true);
  if (images.empty()) return Outcome::unknown("the GPUs for which the build has code");
  if (const auto gpu = counting_gpu(all, taken, older_than_all, images)) {
    return too_old(c, *gpu, images, false);
  }
  return Outcome::clear(all.gpus.front().name + ", " + all.gpus.front().capability.sm() +
                        ", is not older than the build's code");
}

} // namespace

extern constexpr Rule H11{
    .id = "H11",
    .slug = "gpu-too-old",
    .title = "The GPU is too old for this framework build",
    .since = "0.1",
    .gate = Gate::architecture,
    .effect = Effect::breaks,
    .explanation =
        R"(Each GPU has a compute capability, the number of its architecture: 3.5 for a Tesla K40, 6.1 for a GTX 1080, 8.9 for an RTX 4090.
TensorFlow's wheels contain code for a list of them, and old ones are dropped from time to time: since 2.17 the list starts at
6.0. A GPU below the list is still shown by `tf.config.list_physical_devices`, then the first operation fails with "no kernel image is
available for execution on the device". GPUs below 3.5 are not listed at all.)",
    .fix =
        R"(Install a TensorFlow release that still has code for the GPU: up to 2.16 for 5.x, up to 2.14 for 3.5 and 3.7. It needs a Python of
its time. Or build TensorFlow from source for this GPU, or use a newer GPU.)",
    .references = R"(- [Compute capability of each GPU](https://developer.nvidia.com/cuda-gpus)
- [CUDA programming guide: binary compatibility](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#binary-compatibility)
- [TensorFlow: tested build configurations](https://www.tensorflow.org/install/source#gpu))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
