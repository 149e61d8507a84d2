// A pip wheel of NVIDIA's is installed in a version that this TensorFlow cannot use.
// Truth: the requirements in TensorFlow's METADATA against the installed versions. Most deviations
// are harmless; only those that keep a library from loading count. A cuDNN of an older minor is
// L04.
#include "base/text.h"
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/wheels.h"

#include <array>

namespace gpuwhy::rules {
namespace {

Outcome report(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& first = faults.front();
  const auto* wheel = installed_wheel(c, first.product);
  auto outcome = Outcome::found(wheel->name + " " + wheel->version + " does not contain " +
                                first.soname + ", which " + framework_text(c) + " needs");
  std::vector<std::string> sonames;
  for (const auto& fault : faults) {
    const auto* installed = installed_wheel(c, fault.product);
    sonames.push_back(fault.soname);
    outcome.evidence.push_back({installed->name + " " + installed->version + " is installed; " +
                                    requirement_of(c, fault.product) + " is asked for",
                                {installed->location, 0}});
    outcome.evidence.push_back(
        {"it brings " + std::string(base_name(fault.path)), {fault.path, 0}});
  }
  return std::move(outcome).mend(install_wheels(c, sonames, false));
}

/// cuSPARSE and cuSOLVER call nvJitLink by names that carry its minor version
/// (__nvJitLinkCreate_12_5), and TensorFlow opens libraries with all symbols resolved: an older
/// nvJitLink does not have them.
const Distribution* older_jitlink(const Case& c) {
  const auto* jitlink = installed_wheel(c, "nvJitLink");
  const auto wanted = Version::parse(lowest_version(pin_of(c, "nvJitLink")));
  if (jitlink == nullptr || !wanted) return nullptr;
  const auto installed = Version::parse(jitlink->version);
  const bool older =
      installed && installed->major() == wanted->major() && installed->minor() < wanted->minor();
  if (!older) return nullptr;
  for (const std::string_view product : {"cusparse", "cusolver"}) {
    const auto* need = c.library(product);
    const auto* wheel = installed_wheel(c, product);
    const auto pinned = Version::parse(lowest_version(pin_of(c, product)));
    if (need == nullptr || wheel == nullptr || !pinned || !in_own_wheel(c, need->found.path))
      continue;
    const auto version = Version::parse(wheel->version);
    if (version && *version >= *pinned) return jitlink;
  }
  return nullptr;
}

Outcome report_jitlink(const Case& c, const Distribution& jitlink) {
  return Outcome::found(jitlink.name + " " + jitlink.version +
                        " is older than the cuSPARSE beside it, which cannot be loaded with it")
      .because(requirement_of(c, "nvJitLink") + " is asked for", {jitlink.location, 0})
      .mend(install_wheels(c, {"libnvJitLink.so." + std::to_string(cuda_major(c))}, false));
}

std::string harmless(const Case& c) {
  std::vector<std::string> other;
  for (const auto& need : c.libraries) {
    const auto* wheel = installed_wheel(c, need.product);
    if (wheel == nullptr || satisfies(wheel->version, pin_of(c, need.product)).value_or(true))
      continue;
    other.push_back(wheel->name + " " + wheel->version);
  }
  if (other.empty())
    return "no NVIDIA wheel is at a version that " + name_text(c) + " does not accept";
  return listing(other) + (other.size() == 1 ? " is" : " are") +
         " not at the pinned version, but loads";
}

Outcome check(const Case& c) {
  auto outcome = judge_faults(
      c, "", [](const LibraryFault& fault) { return fault.fault == Fault::wrong_wheel; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
  if (outcome.state != Outcome::State::clear) return outcome;
  if (const auto* jitlink = older_jitlink(c)) return report_jitlink(c, *jitlink);
  return Outcome::clear(harmless(c));
}

} // namespace

extern constexpr Rule L11{
    .id = "L11",
    .slug = "pip-nvidia-pins",
    .title = "An NVIDIA pip wheel is at a version that the framework cannot use",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(The CUDA libraries come as pip packages named `nvidia-...-cu12`.
TensorFlow's `and-cuda` extra states which versions it accepts. pip keeps one version of each in
an environment: installing another framework later, or upgrading by hand, can replace it with one
that has another major version (cuDNN 8 in place of 9), and then the file that TensorFlow opens
is gone.

A version that differs a little is mostly harmless. An exception is `nvidia-nvjitlink`: it must
be at least as new as the cuSPARSE and cuSOLVER wheels beside it.)",
    .fix = R"(Install the versions that TensorFlow asks for: `python -m pip install
'tensorflow[and-cuda]==VERSION'` with the version that you have. If another framework wants other
versions, give each its own environment.)",
    .references =
        R"(- [undefined symbol __nvJitLinkAddData_12_1 (pytorch#111469)](https://github.com/pytorch/pytorch/issues/111469)
- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
