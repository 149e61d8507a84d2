// The build opens libcudnn, and the loader finds none; or cuDNN is there without one of its parts.
// Truth: the loader's search; cuDNN opens its parts by name at first use (cudnn_parts.h).
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/cudnn_parts.h"
#include "rules/L_libraries/missing_library.h"
#include "rules/L_libraries/seen_searching.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

Outcome missing_parts(const Case& c, const std::vector<std::string>& parts) {
  const auto& cudnn = c.library("cudnn")->found;
  const std::string directory(parent_path(cudnn.path));
  const bool again = installed_wheel(c, "cudnn") != nullptr;
  const bool at_once = std::any_of(
      parts.begin(), parts.end(), [&](const std::string& part) { return needed_to_list(c, part); });
  return Outcome::found("cuDNN lacks its part" + std::string(parts.size() == 1 ? " " : "s ") +
                        listing(parts) +
                        (at_once ? ": asked for its version, it ends the program"
                                 : ": the GPU is listed, the first convolution ends the program"))
      .because("cuDNN itself is " + cudnn.path, {cudnn.path, 0})
      .because(listing(parts) + " is not in " + directory + " nor anywhere else that cuDNN looks",
               {directory, 0})
      .mend(install_wheels(c, {c.library("cudnn")->soname}, again))
      .with_effect(at_once ? Effect::hides : Effect::breaks);
}

Outcome check(const Case& c) {
  auto outcome = judge_faults(
      c, "cuDNN is found, with its parts",
      [](const LibraryFault& fault) {
        return fault.fault == Fault::missing && fault.product == "cudnn";
      },
      [&](const std::vector<LibraryFault>& faults) { return missing_library(c, faults); });
  if (outcome.state != Outcome::State::clear) return outcome;
  std::vector<std::string> missing;
  for (const auto& part : cudnn_parts(c)) {
    if (part.state == CudnnPart::State::missing) missing.push_back(part.soname);
  }
  return missing.empty() ? outcome : missing_parts(c, missing);
}

Outcome check_run(const use::RunStatistics& run) {
  static constexpr std::array<std::string_view, 1> kNames{"libcudnn.so"};
  return not_found_in_run(run, kNames);
}

} // namespace

extern constexpr Rule L03{
    .id = "L03",
    .slug = "cudnn-missing",
    .title = "cuDNN is missing",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(cuDNN is NVIDIA's library for neural networks. It is not part of the CUDA
toolkit: having CUDA does not mean having cuDNN. TensorFlow opens it by its exact name
(`libcudnn.so.8`, `libcudnn.so.9`) and lists no GPU without it, also for programs that never use
a convolution.

cuDNN is itself made of several libraries, which it opens at its first use. If one of those is
missing, the GPU is listed and the program dies at the first layer that needs it.)",
    .fix = R"(Install the cuDNN wheel into the same environment as TensorFlow
(`nvidia-cudnn-cu12` in the version that TensorFlow pins), or all libraries at once with
`tensorflow[and-cuda]`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [Installing cuDNN on Linux](https://docs.nvidia.com/deeplearning/cudnn/installation/latest/linux.html))",
    .explains = {},
    .check = check,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
