// JAX is there, its CUDA plug-in is not, or only half of it, or the parts are of different
// versions. Truth: jax/_src/lib/__init__.py (jaxlib at least the minimum and not newer than jax),
// jaxlib/plugin_support.py (kernels of another version are dropped with a warning; nobody compares
// the version of the PJRT package), jax_plugins/xla_cuda12/__init__.py.
#include "base/text.h"
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 2> kExplains = {"F10", "F05"};

/// jax-cuda12-plugin, or jax-cuda13-pjrt, whichever CUDA.
const Distribution* part(const Case& c, std::string_view end) {
  for (const auto& distribution : c.python->distributions) {
    if (distribution.name.starts_with("jax-cuda") && distribution.name.ends_with(end))
      return &distribution;
  }
  return nullptr;
}

bool same_number(const std::string& a, const std::string& b) {
  const auto left = Version::parse(a);
  const auto right = Version::parse(b);
  return left && right && *left == *right;
}

Outcome with(Outcome outcome, std::initializer_list<const Distribution*> all) {
  for (const auto* distribution : all) {
    if (distribution == nullptr) continue;
    outcome.evidence.push_back({distribution->name + " " + distribution->version + " is installed",
                                {distribution->location, 0}});
  }
  return outcome;
}

Edit again(const Case& c, std::string words) {
  return install_gpu_framework(c, std::move(words), {}, "--upgrade");
}

/// The jaxlib that jax accepts; the import fails with any other.
Outcome check_jaxlib(const Case& c) {
  const auto* jax = find_distribution(*c.python, "jax");
  const auto* jaxlib = find_distribution(*c.python, "jaxlib");
  if (jax == nullptr || jaxlib == nullptr) return Outcome::not_applicable();
  std::string range;
  for (const auto& pin : jax->cuda_pins) {
    if (pin.starts_with("jaxlib") && !pin.starts_with("jaxlib-")) range = pin.substr(6);
  }
  const auto fits = satisfies(jaxlib->version, range);
  const auto newest = Version::parse(jax->version);
  const auto have = Version::parse(jaxlib->version);
  const bool newer = newest && have && *have > *newest;
  if (fits.value_or(true) && !newer) return Outcome::not_applicable();
  return with(Outcome::found("jaxlib " + jaxlib->version + " does not go with jax " + jax->version +
                             ": importing jax fails"),
              {jax, jaxlib})
      .because("jaxlib" + range + " is asked for", {jax->location, 0})
      .mend(again(c, "install the jaxlib and the CUDA plug-in of this JAX"));
}

Outcome without_plugin(const Case& c) {
  const auto* plugin = part(c, "-plugin");
  const auto* pjrt = part(c, "-pjrt");
  const auto* jaxlib = find_distribution(*c.python, "jaxlib");
  if (plugin == nullptr && pjrt == nullptr) {
    return with(
               Outcome::found(framework_text(c) +
                              " is installed without its CUDA plug-in, so it has a CPU only")
                   .because("neither jax_cuda12_plugin nor jax_cuda13_plugin is in the environment",
                            {std::string(parent_path(c.framework->directory)), 0}),
               {jaxlib})
        .mend(again(c, "install JAX's CUDA plug-in with its CUDA libraries"));
  }
  const auto there = plugin != nullptr ? plugin : pjrt;
  const std::string lacks = plugin == nullptr ? "jax-cuda-plugin, its kernels"
                            : pjrt == nullptr ? "its PJRT library"
                                              : "its native library";
  return with(Outcome::found("JAX's CUDA plug-in is not whole: " + there->name + " is there, " +
                             lacks + " is not"),
              {plugin, pjrt})
      .mend(again(c, "install JAX's CUDA plug-in again"));
}

Outcome check(const Case& c) {
  if (c.framework == nullptr || c.kind() != "jax" || c.framework->build.absent())
    return Outcome::not_applicable();
  const auto* build = c.build();
  if (build == nullptr) return Outcome::unknown("the native code of " + framework_text(c));
  if (auto jaxlib = check_jaxlib(c); jaxlib.state == Outcome::State::found) return jaxlib;
  if (build->rocm.value_or(false)) return Outcome::not_applicable(); // F14
  if (build->cuda.open())
    return Outcome::unknown("whether " + framework_text(c) + " has a CUDA plug-in");
  if (!build->cuda.value_or(false)) return without_plugin(c);
  const auto* jaxlib = find_distribution(*c.python, "jaxlib");
  // A PJRT library of another version registers and starts: 0.5.3 to 0.9.2 were tried with 0.10.2.
  const auto* other = part(c, "-plugin");
  const bool comparable = other != nullptr && jaxlib != nullptr && Version::parse(other->version) &&
                          Version::parse(jaxlib->version);
  if (comparable && !same_number(other->version, jaxlib->version)) {
    return with(Outcome::found(other->name + " " + other->version +
                               " is not of the version of jaxlib " + jaxlib->version +
                               ": its kernels are left out"),
                {jaxlib, other})
        .mend(again(c, "bring JAX, jaxlib and the plug-in to one version"))
        .with_effect(Effect::breaks);
  }
  return Outcome::clear("JAX's CUDA plug-in is there, in the version of jaxlib");
}

} // namespace

extern constexpr Rule F12{
    .id = "F12",
    .slug = "jax-without-cuda-plugin",
    .title = "JAX has no CUDA plug-in, or one of another version",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(`pip install jax` brings a JAX for the CPU. The GPU comes with two more packages,
`jax-cuda12-plugin` and `jax-cuda12-pjrt` (or `13`), which the extras `jax[cuda12]` and `jax[cuda13]` install.
The kernels and `jaxlib` must have one version. An upgrade of `jax` alone leaves the plug-in behind: JAX then warns
that it "is not compatible with the installed jaxlib version" and leaves its kernels out. A `jaxlib` newer than `jax`,
or older than its minimum, makes `import jax` itself fail.)",
    .fix =
        R"(`python -m pip install --upgrade 'jax[cuda13]'`, or `jax[cuda12]` with a driver older than 580 or a
GPU older than Turing.)",
    .references = R"(- [Installing JAX](https://docs.jax.dev/en/latest/installation.html))",
    .explains = kExplains,
    .check = check,
    .lint = lint_jax_without_cuda_plugin,
};

} // namespace gpuwhy::rules
