// The driver shows its GPU when the hiding variables are put aside and none when they are not, and
// no rule about their values (E01, E02) knows why: the driver's own answer counts. Truth: the two
// probes of cuInit.
#include "knowledge/knowledge.h"
#include "rules/H_hardware/gpus.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<const char*, 2> kVariables{"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"};

std::string answer_of(const CudaProbe& probe) {
  if (!probe.load_error.empty()) return probe.load_error;
  if (probe.init == 0) return "cuInit succeeds, with no device";
  const std::string name(cuda_error_name(probe.init));
  return "cuInit answers " + std::to_string(probe.init) + (name.empty() ? "" : ", " + name);
}

Outcome check(const Case& c) {
  const auto& observed = c.facts.observed;
  if (!c.driver_answers()) return Outcome::not_applicable(); // the driver itself is in question
  const auto* probe = observed.cuda.get();
  if (probe == nullptr) return Outcome::not_applicable(); // E01 and E02 predict
  if (probe->load_error.empty() && probe->init == 0 && probe->count > 0) {
    return Outcome::clear("the driver shows its GPU in the environment as it is");
  }
  auto outcome =
      Outcome::found("with the environment variables as they are, the driver shows no GPU");
  outcome.evidence.push_back({answer_of(*probe), observed.cuda.source()});
  outcome.evidence.push_back({"without " + std::string(kVariables[0]) + " and " + kVariables[1] +
                                  " it shows " +
                                  std::to_string(observed.cuda_unhidden.value().count),
                              observed.cuda_unhidden.source()});
  Edit edit;
  edit.words = "unset " + std::string(kVariables[0]) + " and " + kVariables[1];
  edit.commands = {"unset " + std::string(kVariables[0]) + " " + kVariables[1]};
  edit.apply = [](Facts& after) {
    for (const auto* name : kVariables) edit::unset_variable(after, name);
    after.observed.cuda = after.observed.cuda_unhidden;
  };
  for (const auto* name : kVariables) {
    const auto* variable = c.facts.environment.find(name);
    if (variable == nullptr) continue;
    outcome.evidence.push_back(
        {variable->name + "=\"" + variable->value + "\"", {"$" + variable->name, 0}});
  }
  return std::move(outcome).mend(std::move(edit));
}

} // namespace

extern constexpr Rule U01{
    .id = "U01",
    .slug = "hidden-unexplained",
    .title = "The driver hides the GPU in this environment, for a reason that is not known",
    .since = "0.1",
    .gate = Gate::visibility,
    .last_resort = true,
    .explanation =
        R"(The driver was asked twice: in the environment as it is, and with `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER` put aside. Only
the second answer holds a GPU, so one of the two variables hides it. What their values mean to the driver was foreseen
differently: this page stands where gpuwhy's own knowledge of them ends.)",
    .fix =
        R"(Unset both variables. Then please report the finding with the output of `gpuwhy snapshot`: the value and the driver's version
are what is needed to name the cause next time.)",
    .references =
        R"(- [CUDA programming guide: environment variables](https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#env-vars))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
