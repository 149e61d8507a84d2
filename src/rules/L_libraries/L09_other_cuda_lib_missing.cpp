// Any other library that must load is not found: cuBLAS, cuFFT, cuSOLVER, cuSPARSE, or what one of
// them needs. Truth: the loader's search, DT_NEEDED included (nvJitLink is needed by cuSOLVER and
// cuSPARSE 12).
#include "rules/L_libraries/missing_library.h"
#include "rules/L_libraries/seen_searching.h"

#include <array>

namespace gpuwhy::rules {
namespace {

Outcome check(const Case& c) {
  return judge_faults(
      c, "the other CUDA libraries, and what they need, are found",
      [](const LibraryFault& fault) {
        return fault.fault == Fault::missing && fault.product != "cudart" &&
               fault.product != "cudnn";
      },
      [&](const std::vector<LibraryFault>& faults) { return missing_library(c, faults); });
}

Outcome check_run(const use::RunStatistics& run) {
  static constexpr std::array<std::string_view, 10> kNames{
      "libcublas.so",   "libcublasLt.so", "libcufft.so", "libcurand.so",    "libcusolver.so",
      "libcusparse.so", "libnccl.so",     "libcupti.so", "libnvJitLink.so", "libnvrtc.so"};
  return not_found_in_run(run, kNames);
}

} // namespace

extern constexpr Rule L09{
    .id = "L09",
    .slug = "other-cuda-lib-missing",
    .title = "A CUDA library that the framework needs is missing",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(Besides the CUDA runtime and cuDNN, TensorFlow opens cuBLAS, cuFFT,
cuSOLVER and cuSPARSE. **All** of them must load, used or not: if one is missing,
TensorFlow lists no GPU. It only says "Cannot dlopen some GPU libraries" and not which one.

A library can also fail for want of another: cuSOLVER and cuSPARSE of CUDA 12 need
`libnvJitLink.so.12`.)",
    .fix = R"(Install the wheel that carries the library into the same environment as TensorFlow,
or all of them at once with `tensorflow[and-cuda]`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [Which library failed to load? (tensorflow#66987)](https://github.com/tensorflow/tensorflow/issues/66987))",
    .explains = {},
    .check = check,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
