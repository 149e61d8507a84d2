// macOS has no NVIDIA GPUs; what is there is Apple's, through a plug-in. Truth: tensorflow-metal on
// PyPI, and that no CUDA exists for macOS since 10.13.
#include "rules/F_framework/installation.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 7> kExplains = {"H01", "H02", "H03", "F02",
                                                       "F05", "F12", "H18"};

Outcome check(const Case& c) {
  if (c.facts.platform.system != "macos" || c.python == nullptr) return Outcome::not_applicable();
  if (c.kind() != "tensorflow" && c.kind() != "jax")
    return Outcome::not_applicable(); // PyTorch brings MPS itself
  const std::string plugin = c.kind() == "jax" ? "jax-metal" : "tensorflow-metal";
  if (!c.python->problem.empty())
    return Outcome::unknown("what is installed for " + c.python->interpreter);
  if (const auto* found = find_distribution(*c.python, plugin)) {
    return Outcome::clear(plugin + " " + found->version + " is installed");
  }
  return Outcome::found("on macOS " + name_text(c) + " uses the GPU only through " + plugin +
                        ", which is not installed")
      .because("operating system: macOS")
      .mend({"install Apple's plug-in", {install_command(c, {plugin})}, {}});
}

} // namespace

extern constexpr Rule F04{
    .id = "F04",
    .slug = "macos-no-metal",
    .title = "On macOS the plug-in for Apple's GPU is missing",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(Apple's computers have no NVIDIA GPU and macOS has no CUDA. TensorFlow reaches Apple's GPU through
the plug-in `tensorflow-metal`, JAX through the experimental `jax-metal`. PyTorch has its support, MPS, built in.)",
    .fix = R"(`python -m pip install tensorflow-metal`, on a Mac with Apple silicon.)",
    .references =
        R"(- [TensorFlow plug-in for Metal](https://developer.apple.com/metal/tensorflow-plugin/))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
