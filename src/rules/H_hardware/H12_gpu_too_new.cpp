// The build has neither machine code for this GPU nor PTX that the driver could compile for it.
// With PTX the GPU works, after a slow first start: that is R11, not this.
// Truth: loader.md 2.6; the driver compiles PTX of its own CUDA release and older (else error 222).
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/architectures.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

namespace gpuwhy::rules {
namespace {

bool no_code(const std::vector<Image>& images, const ComputeCapability& gpu) {
  return coverage(images, gpu) == Coverage::none && !older_than_all(images, gpu);
}

bool ptx_only(const std::vector<Image>& images, const ComputeCapability& gpu) {
  return coverage(images, gpu) == Coverage::ptx;
}

Outcome report(const Case& c, const Target& gpu, const std::vector<Image>& images,
               std::string summary) {
  auto outcome = Outcome::found(std::move(summary));
  outcome.evidence.push_back(
      {gpu.name + ": compute capability " + gpu.capability.str(), gpu.source});
  outcome.evidence.push_back({"the build has " + code_text(images), c.framework->build.source()});
  return outcome;
}

/// CUDA of the build beyond the driver's: its PTX is in a language that the driver does not know.
bool driver_reads_ptx(const Case& c) {
  const auto driver = driver_cuda(c.facts);
  const auto build = Version::parse(c.build()->cuda_version.value_or(""));
  return !driver || !build || *driver >= build->major() * 1000 + build->minor() * 10;
}

Outcome check(const Case& c) {
  const auto* build = c.build();
  if (build == nullptr || (build->cuda.known() && !build->cuda.value()))
    return Outcome::not_applicable();
  const auto all = targets(c.facts);
  if (all.gpus.empty()) {
    const bool none = c.facts.hardware.gpus.known() && nvidia_gpus(c.facts).empty();
    return none && !in_wsl(c.facts) ? Outcome::not_applicable() : Outcome::unknown(all.missing);
  }
  const auto images = code_of(*build);
  if (images.empty()) return Outcome::unknown("the GPUs for which the build has code");
  const auto taken = taken_from(c);
  if (const auto gpu = counting_gpu(all, taken, no_code, images)) {
    return report(c, *gpu, images,
                  framework_text(c) + " has no code that runs on the " + gpu->name + " (" +
                      gpu->capability.sm() + ")")
        .mend(install_release_for(c, *gpu));
  }
  const auto gpu = counting_gpu(all, taken, ptx_only, images);
  if (!gpu)
    return Outcome::clear("the build has machine code for " + all.gpus.front().capability.sm());
  if (driver_reads_ptx(c)) {
    return Outcome::clear("no machine code for " + gpu->capability.sm() +
                          ", but PTX that the driver compiles at the first start");
  }
  auto outcome = report(c, *gpu, images,
                        framework_text(c) + " has only PTX for the " + gpu->name + " (" +
                            gpu->capability.sm() + "), of CUDA " + build->cuda_version.value() +
                            ", newer than the driver can compile");
  if (auto other = install_machine_code_for(c, *gpu); other.apply)
    outcome.edits.push_back(std::move(other));
  return std::move(outcome).mend(
      install_driver(c.facts, "update the NVIDIA driver to one of CUDA " +
                                  build->cuda_version.value() + " or later, then restart"));
}

} // namespace

extern constexpr Rule H12{
    .id = "H12",
    .slug = "gpu-too-new",
    .title = "The GPU is too new for this framework build",
    .since = "0.1",
    .gate = Gate::architecture,
    .effect = Effect::breaks,
    .explanation =
        R"(TensorFlow contains machine code for certain GPU architectures. Machine code for `sm_86` also runs on `sm_89`: the first digit
must be equal, the second may be higher. For a GPU of a later generation the driver can compile a portable form, PTX, when
the program starts; that takes minutes, once. If the build has no PTX old enough, or the driver is older than the CUDA release that
wrote it, the GPU is listed and the first operation fails with "no kernel image is available for execution on the device".)",
    .fix =
        R"(Install a newer TensorFlow. If its PTX is what the GPU needs, update the driver to the CUDA release of the build. NVIDIA's own
container images (`nvcr.io/nvidia/tensorflow`) often support a new GPU first.)",
    .references = R"(- [Compute capability of each GPU](https://developer.nvidia.com/cuda-gpus)
- [CUDA programming guide: binary and PTX compatibility](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#binary-compatibility)
- [New cards and old builds (tensorflow#89272)](https://github.com/tensorflow/tensorflow/issues/89272))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
