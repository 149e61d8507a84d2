// A variable of the framework's own turns the GPU off. Truth: jax/_src/xla_bridge.py of 0.10.2:
// with JAX_PLATFORMS only the platforms in the list are started, and the first of them is where
// work goes; JAX_PLATFORM_NAME picks the default among all. The option jax_cuda_visible_devices is
// read from no variable, in no release from 0.4.14 to 0.11.0: its default there is the word "all".
#include "base/text.h"
#include "rules/C_container/project_files.h"
#include "rules/E_environment/unset.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_path.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

bool is_gpu_platform(std::string_view name) {
  return name == "cuda" || name == "gpu";
}

Outcome turned_off(const Case& c, const Variable& variable, std::string summary) {
  auto outcome = Outcome::found(std::move(summary));
  outcome.evidence.push_back({variable.name + "=" + variable.value, source_of(c, variable.name)});
  return std::move(outcome).mend(unset_variable(c, variable.name));
}

/// What stands first gets the work. JAX reads the names as written, blanks included, when it starts
/// them.
std::string_view first_of(std::string_view list) {
  return list.substr(0, list.find(','));
}

Outcome check(const Case& c) {
  if (c.framework == nullptr || c.kind() != "jax") return Outcome::not_applicable();
  const auto& environment = c.facts.environment;
  if (!environment.looked) return Outcome::unknown("the environment variables of the program");
  const auto* platforms = environment.find("JAX_PLATFORMS");
  if (platforms != nullptr && !platforms->value.empty()) {
    const auto first = lower(first_of(platforms->value));
    if (!is_gpu_platform(first)) {
      return turned_off(c, *platforms,
                        "JAX_PLATFORMS=" + platforms->value + " sends JAX's work to \"" + first +
                            "\"" + set_where(c, "JAX_PLATFORMS"));
    }
  }
  const auto* name = environment.find("JAX_PLATFORM_NAME");
  if (name != nullptr && !name->value.empty() && !is_gpu_platform(lower(name->value))) {
    return turned_off(c, *name,
                      "JAX_PLATFORM_NAME=" + name->value + " makes that platform the default" +
                          set_where(c, "JAX_PLATFORM_NAME"));
  }
  if (platforms != nullptr && !platforms->value.empty())
    return Outcome::clear("JAX_PLATFORMS=" + platforms->value + " puts the GPU first");
  return Outcome::clear("no variable of JAX's own turns the GPU off");
}

} // namespace

extern constexpr Rule E06{
    .id = "E06",
    .slug = "platform-variable",
    .title = "A variable of the framework turns the GPU off",
    .since = "0.1",
    .gate = Gate::visibility,
    .explanation =
        R"(`JAX_PLATFORMS=cpu` keeps JAX off the GPU, and so does a list that begins with something else
(`cpu,cuda`): the first platform of the list gets the work. It is often a leftover of a test, or of a machine
where the GPU's start-up messages were in the way. `JAX_PLATFORM_NAME` is the older form.

`JAX_CUDA_VISIBLE_DEVICES` has no effect: JAX has an option of that name, but reads it from its configuration alone
(`jax.config.update("jax_cuda_visible_devices", "0")`).)",
    .fix = R"(`unset JAX_PLATFORMS`, and remove the line that sets it.)",
    .references =
        R"(- [JAX: configuration options](https://docs.jax.dev/en/latest/config_options.html))",
    .explains = {},
    .check = check,
    .lint = lint_platform_variable,
};

} // namespace gpuwhy::rules
