// The driver is there and does not start, and no other rule knows why: its own words are the cause.
// Truth: what the probes heard. Also for NVML, where the framework needs it (observed:
// TensorFlow 2.21 lists no GPU if nvmlInit fails, and says nothing).
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/gpus.h"

namespace gpuwhy::rules {
namespace {

std::string answer_text(int code, std::string_view name, std::string_view text) {
  std::string answer = std::to_string(code);
  if (!name.empty()) answer += ", " + std::string(name);
  if (!text.empty()) answer += " (" + std::string(text) + ")";
  return answer;
}

Outcome refusal(std::string summary, std::string evidence, const Source& source) {
  return Outcome::found(std::move(summary))
      .because(std::move(evidence), source)
      .mend(
          {"look for the reason in the kernel's log; restarting the machine starts the driver anew",
           {"sudo dmesg | grep -iE 'nvrm|nvidia|xid'", "sudo reboot"},
           {}});
}

Outcome check_nvml(const Case& c) {
  const auto& nvml = c.facts.observed.nvml;
  const std::string why = ", without which " + framework_text(c) + " lists no GPU";
  if (!nvml.known() || !nvml.value().load_error.empty()) {
    const auto detail = nvml.known() ? nvml.value().load_error : "libnvidia-ml.so.1 is not found";
    return refusal("the driver's libnvidia-ml.so.1 cannot be loaded" + why, detail, nvml.source());
  }
  const int code = nvml.value().init;
  return refusal("the driver's NVML does not start" + why,
                 "nvmlInit answers " +
                     answer_text(code, nvml_error_name(code), nvml_error_text(code)),
                 nvml.source());
}

/// On the disk, but not where the loader looks (L05), or a bad file is met first (L07).
bool explained_by_search(const Case& c) {
  if (c.framework == nullptr) return false;
  const auto outcome = c.libcuda.outcome;
  if (outcome == loader::Outcome::bad_file || outcome == loader::Outcome::crashes) return true;
  return outcome == loader::Outcome::missing && has_driver_library(c.facts.driver.libcuda);
}

Outcome check(const Case& c) {
  const auto& observed = c.facts.observed;
  const auto& cuda = observed.cuda_unhidden.known() ? observed.cuda_unhidden : observed.cuda;
  if (!cuda.known()) {
    if (cuda.reason().empty()) return Outcome::not_applicable(); // nobody asked
    return Outcome::unknown("whether the driver starts: " + cuda.reason());
  }
  const auto& probe = cuda.value();
  if (!probe.load_error.empty()) {
    if (explained_by_search(c)) return Outcome::not_applicable();
    return refusal("libcuda.so.1 cannot be loaded", probe.load_error, cuda.source());
  }
  if (probe.init != 0) {
    const auto answer =
        answer_text(probe.init, cuda_error_name(probe.init), cuda_error_text(probe.init));
    return refusal("the CUDA driver does not start: " + answer, "cuInit answers " + answer,
                   cuda.source());
  }
  if (probe.count == 0) {
    return refusal("the CUDA driver starts, but shows no GPU", "cuDeviceGetCount answers 0",
                   cuda.source());
  }
  if (c.management_fails()) return check_nvml(c);
  return Outcome::clear("the CUDA driver starts");
}

} // namespace

extern constexpr Rule H18{
    .id = "H18",
    .slug = "cuinit-other",
    .title = "The driver does not start, for a reason that only it knows",
    .since = "0.1",
    .gate = Gate::libcuda,
    .last_resort = true,
    .explanation =
        R"(Every program that uses the GPU first calls `cuInit` in the driver's `libcuda.so.1`. Here that call fails, and none of the known
reasons was found: the error code is the driver's own word for it. Frequent codes without a visible reason are 802 (the fabric
manager of an NVSwitch machine does not run), 804 (a forward-compatibility `libcuda` on a GPU that does not support it), 2 (no
memory, or a limit on it) and 999 (the driver is stuck, often after suspend).

TensorFlow 2.21 also starts NVML (`libnvidia-ml.so.1`) and lists no GPU if that fails.)",
    .fix =
        R"(Look into the kernel's log for lines of `NVRM` and `Xid`. On NVSwitch machines start `nvidia-fabricmanager`. Take a `compat`
directory out of `LD_LIBRARY_PATH`. Restart the machine.)",
    .references =
        R"(- [CUDA driver API: error codes](https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html)
- [NVML: return values](https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
