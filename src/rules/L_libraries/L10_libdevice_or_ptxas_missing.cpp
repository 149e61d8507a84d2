// XLA compiles each program for the GPU when it runs, and wants NVIDIA's libdevice for it. Truth:
// JAX no longer carries libdevice since 0.4.31 (its changelog); where it looks:
// jax/_src/lib/__init__.py, _cuda_path(), and the directories that XLA itself tries.
#include "base/text.h"
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr std::string_view kLibdevice = "/nvvm/libdevice/libdevice.10.bc";
const Version kFirstWithoutOwn{{0, 4, 31}};

/// Where XLA would look: the wheels beside it, or a toolkit in one of the usual places.
const std::string* libdevice(const Case& c, const std::vector<std::string>& tools) {
  const auto site = site_packages(*c.python, c.framework);
  const auto* root = c.facts.environment.find("CUDA_ROOT");
  for (const auto& tool : tools) {
    if (!tool.ends_with(kLibdevice)) continue;
    const bool named = root != nullptr && !root->value.empty() && tool.starts_with(root->value);
    const bool usual = tool.starts_with("/usr/local/cuda") || tool.starts_with("/opt/cuda");
    if (tool.starts_with(site + "/nvidia/") || usual || named) return &tool;
  }
  return nullptr;
}

Outcome check(const Case& c) {
  if (c.kind() != "jax" || asks_no_libraries(c)) return Outcome::not_applicable();
  const auto version = Version::parse(c.framework->version.value_or(""));
  if (!version) return Outcome::unknown("the version of JAX");
  if (*version < kFirstWithoutOwn)
    return Outcome::clear(framework_text(c) + " carries its own libdevice");
  const auto& tools = c.facts.libraries.cuda_tools;
  if (tools.state() == Fact<std::vector<std::string>>::State::not_looked)
    return Outcome::not_applicable();
  if (!tools.known()) return Outcome::unknown("where libdevice is: " + tools.reason());
  if (const auto* found = libdevice(c, tools.value())) return Outcome::clear(*found + " is there");
  const int cuda = cuda_major(c);
  const std::string wheel =
      cuda >= 13 ? "nvidia-nvvm" : "nvidia-cuda-nvcc-cu" + std::to_string(cuda);
  Edit edit;
  edit.words = "install " + wheel + ", which brings libdevice";
  edit.commands = {install_command(c, {wheel})};
  edit.apply = [path = site_packages(*c.python, c.framework) +
                       (cuda >= 13 ? "/nvidia/cu13" : "/nvidia/cuda_nvcc") +
                       std::string(kLibdevice)](Facts& facts) {
    if (auto* list = facts.libraries.cuda_tools.get()) list->push_back(path);
  };
  return Outcome::found("libdevice.10.bc is nowhere that XLA looks: compiling for the GPU fails")
      .because("no " + std::string(kLibdevice.substr(1)) +
                   " in the wheels, in /usr/local/cuda or in /opt/cuda",
               tools.source())
      .mend(std::move(edit));
}

} // namespace

extern constexpr Rule L10{
    .id = "L10",
    .slug = "libdevice-or-ptxas-missing",
    .title = "XLA lacks what it compiles with",
    .since = "0.1",
    .gate = Gate::libraries,
    .effect = Effect::breaks,
    .explanation =
        R"(JAX translates every function for the GPU when it is first called. For mathematical functions
it needs `libdevice.10.bc`, a file of the CUDA toolkit. Without it the GPU is listed, and the first function with an
exponential or a sine in it fails with "libdevice not found". The extra `jax[cuda12]` brings the file in
`nvidia-cuda-nvcc-cu12`, `jax[cuda13]` in `nvidia-nvvm`; `jax[cuda12-local]` leaves it to an installed toolkit.)",
    .fix =
        R"(Install the wheel, or the CUDA toolkit in `/usr/local/cuda`; `CUDA_ROOT` names another place.)",
    .references = R"(- [JAX change log, 0.4.31](https://docs.jax.dev/en/latest/changelog.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
