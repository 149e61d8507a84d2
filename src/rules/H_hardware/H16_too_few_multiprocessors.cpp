// TensorFlow leaves out a GPU that has fewer multiprocessors than its limit.
// Truth: gpu_device.cc of TensorFlow: the limit is the smaller of 8 and the most that any visible
// GPU has, or TF_MIN_GPU_MULTIPROCESSOR_COUNT; a value that is no number >= 0 means 8. So by itself
// the limit never takes away the best GPU.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr int kUsualLimit = 8;
constexpr const char* kVariable = "TF_MIN_GPU_MULTIPROCESSOR_COUNT";

struct Limit {
  int count = 0;
  const Variable* variable = nullptr; // that sets it
};

int best(const std::vector<CudaDevice>& devices) {
  int most = 0;
  for (const auto& device : devices) most = std::max(most, device.multiprocessors);
  return most;
}

Limit limit_of(const Facts& facts, const std::vector<CudaDevice>& devices) {
  const auto* variable = facts.environment.find(kVariable);
  if (variable == nullptr || variable->value.empty())
    return {std::min(kUsualLimit, best(devices)), nullptr};
  const auto value = to_number(trim(variable->value));
  const bool fits = value && *value <= 2'147'483'647;
  return {fits ? static_cast<int>(*value) : kUsualLimit, variable};
}

Source source_of(const Variable& variable) {
  if (variable.origins.empty()) return {"$" + variable.name, 0};
  return {variable.origins.front().path, variable.origins.front().line};
}

Edit lower_limit(int count) {
  const auto text = std::to_string(count);
  Edit edit;
  edit.words = "lower the limit: set " + std::string(kVariable) + "=" + text;
  edit.commands = {"export " + std::string(kVariable) + "=" + text};
  edit.apply = [text](Facts& after) { edit::set_variable(after, kVariable, text); };
  return edit;
}

Outcome left_out(const Facts& facts, const std::vector<CudaDevice>& devices, const Limit& limit) {
  std::vector<const CudaDevice*> weak;
  int fewest = limit.count;
  for (const auto& device : devices) {
    if (device.multiprocessors >= limit.count) continue;
    weak.push_back(&device);
    fewest = std::min(fewest, device.multiprocessors);
  }
  const bool all = weak.size() == devices.size();
  const auto& first = *weak.front();
  auto outcome = Outcome::found(
      "TensorFlow leaves out " +
      (weak.size() == 1 ? "the " + first.name : std::to_string(weak.size()) + " GPUs") + " with " +
      std::to_string(first.multiprocessors) + " multiprocessors, as it wants at least " +
      std::to_string(limit.count) + (all ? "" : ", which other GPUs here reach"));
  for (const auto* device : weak) {
    outcome.evidence.push_back(
        {device->name + ": " + std::to_string(device->multiprocessors) + " multiprocessors",
         facts.observed.cuda.source()});
  }
  if (limit.variable != nullptr) {
    outcome.evidence.push_back(
        {std::string(kVariable) + "=" + limit.variable->value, source_of(*limit.variable)});
    Edit unset{"unset " + std::string(kVariable),
               {"unset " + std::string(kVariable)},
               [](Facts& after) { edit::unset_variable(after, kVariable); }};
    if (all && best(devices) > 0) outcome.edits.push_back(std::move(unset));
  }
  outcome.edits.push_back(lower_limit(fewest));
  return std::move(outcome).with_effect(all ? Effect::hides : Effect::slows);
}

/// By itself the limit leaves the best GPU in; only the variable could leave none.
Outcome uncounted(const Facts& facts, std::string missing) {
  const bool usual = facts.environment.looked && facts.environment.find(kVariable) == nullptr;
  return Outcome::unknown(std::move(missing)).with_effect(usual ? Effect::slows : Effect::hides);
}

Outcome check(const Case& c) {
  const auto* build = c.build();
  if (c.kind() != "tensorflow" || build == nullptr || (build->cuda.known() && !build->cuda.value()))
    return Outcome::not_applicable();
  const auto& facts = c.facts;
  const auto& probe = facts.observed.cuda;
  if (probe.open()) {
    return uncounted(facts, missing_text("multiprocessors of the GPUs", probe));
  }
  if (!probe.known() || probe.value().init != 0 || probe.value().devices.empty()) {
    return Outcome::not_applicable(); // no visible GPU: another gate says why
  }
  const auto& devices = probe.value().devices;
  const bool counted = std::all_of(devices.begin(), devices.end(), [](const CudaDevice& device) {
    return device.multiprocessors > 0;
  });
  if (!counted) return uncounted(facts, "multiprocessors of the GPUs: the driver did not tell");
  if (!facts.environment.looked) {
    return uncounted(facts, std::string(kVariable) + ": environment not looked at");
  }
  const auto limit = limit_of(facts, devices);
  const bool enough = std::all_of(devices.begin(), devices.end(), [&](const CudaDevice& device) {
    return device.multiprocessors >= limit.count;
  });
  if (!enough) return left_out(facts, devices, limit);
  return Outcome::clear("every GPU has at least " + std::to_string(limit.count) +
                        " multiprocessors");
}

} // namespace

extern constexpr Rule H16{
    .id = "H16",
    .slug = "too-few-multiprocessors",
    .title = "TensorFlow leaves out a GPU with few multiprocessors",
    .since = "0.1",
    .gate = Gate::architecture,
    .effect = Effect::slows,
    .explanation =
        R"(A GPU is made of multiprocessors; small ones have a handful, big ones more than a hundred. So that a weak second card does not slow
down the work, TensorFlow ignores each GPU that has fewer than 8, or fewer than the best GPU has if that is less than 8. The
best GPU is therefore never ignored, unless the variable `TF_MIN_GPU_MULTIPROCESSOR_COUNT` raises the limit above it.

In the log this reads "Ignoring visible gpu device ... with core count: 5. The minimum required count is 8".)",
    .fix =
        R"(Nothing, if the strong GPU is the one you want. To use the weak one too, set `TF_MIN_GPU_MULTIPROCESSOR_COUNT` to its number of
multiprocessors; to use it alone, make it the only visible one with `CUDA_VISIBLE_DEVICES`.)",
    .references =
        R"(- [TensorFlow: gpu_device.cc](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/common_runtime/gpu/gpu_device.cc))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
