// CUDA_VISIBLE_DEVICES is set to a value that hides every GPU.
// Truth: the driver, value by value (visible_devices.h).
#include "rules/C_container/project_files.h"
#include "rules/E_environment/unset.h"
#include "rules/E_environment/visible_devices.h"

#include "base/text.h"
#include "rules/L_libraries/library_path.h"
#include "rules/rule.h"
#include "use/statistics.h"

namespace gpuwhy::rules {
namespace {

Outcome check(const Case& c) {
  if (!c.facts.environment.looked)
    return Outcome::unknown("the environment variables of the program");
  const auto* variable = c.facts.environment.find("CUDA_VISIBLE_DEVICES");
  if (variable == nullptr) return Outcome::clear("CUDA_VISIBLE_DEVICES is not set");
  const auto shown = "CUDA_VISIBLE_DEVICES=\"" + variable->value + "\"";
  if (!hides_on_purpose(variable->value))
    return Outcome::clear(shown + " is not one of the values that hide all");
  auto outcome = Outcome::found(shown + " hides every GPU" + set_where(c, "CUDA_VISIBLE_DEVICES"));
  for (const auto& origin : variable->origins) {
    outcome.evidence.push_back({trim(origin.text).empty() ? shown : std::string(trim(origin.text)),
                                {origin.path, origin.line}});
  }
  if (variable->origins.empty()) outcome.evidence.push_back({shown, {"$CUDA_VISIBLE_DEVICES", 0}});
  const auto* with = c.facts.observed.cuda.get();
  if (with != nullptr && with->init != 0 && c.driver_answers()) {
    outcome.evidence.push_back({"cuInit answers " + std::to_string(with->init) + " (" +
                                    with->init_name + "), and without the variable it shows " +
                                    std::to_string(c.facts.observed.cuda_unhidden.value().count) +
                                    " GPU(s)",
                                c.facts.observed.cuda.source()});
  }
  return std::move(outcome).mend(unset_variable(c, "CUDA_VISIBLE_DEVICES"));
}

/// In a run: hidden before it began.
Outcome check_run(const use::RunStatistics& run) {
  if (run.any_used() || run.any_held()) return Outcome::not_applicable();
  if (!run.start.visible_devices) return Outcome::clear("CUDA_VISIBLE_DEVICES is not set");
  const auto value = std::string(trim(*run.start.visible_devices));
  if (!value.empty() && !value.starts_with("-") && value != "NoDevFiles" && value != "none")
    return Outcome::clear("CUDA_VISIBLE_DEVICES=" + value);
  return Outcome::found("CUDA_VISIBLE_DEVICES=" + (value.empty() ? "\"\"" : value) +
                        " hides every GPU from the program")
      .because("CUDA_VISIBLE_DEVICES=" + value, {"$CUDA_VISIBLE_DEVICES", 0})
      .mend({"unset CUDA_VISIBLE_DEVICES", {"unset CUDA_VISIBLE_DEVICES"}, {}});
}

} // namespace

extern constexpr Rule E01{
    .id = "E01",
    .slug = "visible-devices-hides-all",
    .title = "CUDA_VISIBLE_DEVICES hides every GPU",
    .since = "0.1",
    .gate = Gate::visibility,
    .explanation = R"(`CUDA_VISIBLE_DEVICES` lists the GPUs that a program may see. Set to the
empty string, to `-1` or to `NoDevFiles` it hides all of them, and the driver answers as on a
machine without a GPU. `nvidia-smi` does not read it and still shows them.

It is often a leftover: a line in `~/.bashrc`, in a job script or a Dockerfile, that once kept a
test away from the GPU; or a scheduler that granted no GPU sets it so.)",
    .fix = R"(`unset CUDA_VISIBLE_DEVICES`, and remove the line that sets it. Unset is not the
same as empty: empty hides all.)",
    .references =
        R"(- [CUDA environment variables](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#env-vars))",
    .explains = {},
    .check = check,
    .lint = lint_visible_devices,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
