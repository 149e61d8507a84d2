// Native Windows: no TensorFlow with GPU support since 2.11, and no JAX with it at all. Truth:
// release notes of TensorFlow 2.11; the platforms of JAX's CUDA plug-ins on PyPI.
#include "base/version.h"
#include "rules/F_framework/installation.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 4> kExplains = {"F02", "F05", "F12", "F01"};
const Version kFirstWithout{{2, 11}};

Outcome check(const Case& c) {
  if (c.facts.platform.system != "windows") return Outcome::not_applicable();
  if (c.kind() != "tensorflow" && c.kind() != "jax") return Outcome::not_applicable();
  const auto version =
      Version::parse(c.framework == nullptr ? "" : c.framework->version.value_or(""));
  if (c.kind() == "tensorflow" && c.framework != nullptr) {
    if (!version) return Outcome::unknown("the version of TensorFlow");
    if (*version < kFirstWithout)
      return Outcome::clear(framework_text(c) + " has a GPU build for Windows");
  }
  return Outcome::found(framework_text(c) + " has no GPU support on native Windows")
      .because("operating system: Windows")
      .mend({"run it in WSL 2, where the Linux build uses the GPU through the Windows driver",
             {"wsl --install"},
             {}})
      .mend({c.kind() == "tensorflow"
                 ? "use TensorFlow 2.10 with CUDA 11.2 and cuDNN 8.1, the last with a GPU build "
                   "for Windows"
                 : "let Keras run on PyTorch, which has CUDA builds for Windows",
             {},
             {}});
}

} // namespace

extern constexpr Rule F03{
    .id = "F03",
    .slug = "windows-native",
    .title = "There is no GPU build of this framework for native Windows",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(TensorFlow 2.10 was the last release with GPU support on native Windows. From 2.11 on `pip install
tensorflow` on Windows brings a CPU build, without saying so. JAX never had CUDA wheels for Windows. PyTorch has.)",
    .fix =
        R"(Use WSL 2: the Linux wheels work there, with NVIDIA's ordinary Windows driver and no driver inside WSL.)",
    .references =
        R"(- [TensorFlow on Windows](https://www.tensorflow.org/install/pip#windows-native)
- [CUDA on WSL](https://docs.nvidia.com/cuda/wsl-user-guide/))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
