// The build opens libcudart, and the loader finds none.
// Truth: the sonames of the build and the loader's search (loader/search.h); nothing else is asked.
#include "rules/L_libraries/missing_library.h"
#include "rules/L_libraries/seen_searching.h"

#include <array>

namespace gpuwhy::rules {
namespace {

Outcome check(const Case& c) {
  return judge_faults(
      c, "the CUDA runtime, libcudart, is found",
      [](const LibraryFault& fault) {
        return fault.fault == Fault::missing && fault.product == "cudart";
      },
      [&](const std::vector<LibraryFault>& faults) { return missing_library(c, faults); });
}

Outcome check_run(const use::RunStatistics& run) {
  static constexpr std::array<std::string_view, 1> kNames{"libcudart.so"};
  return not_found_in_run(run, kNames);
}

} // namespace

extern constexpr Rule L01{
    .id = "L01",
    .slug = "cudart-missing",
    .title = "The CUDA runtime library is missing",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(TensorFlow opens `libcudart.so`, the CUDA runtime, when it starts. Without
it no GPU is listed.

TensorFlow then prints "Could not find cuda drivers on your machine". That sentence is
misleading: it is about this library, not about the driver. A working `nvidia-smi` says nothing
about it either, since the driver does not contain the CUDA runtime. It comes from a pip wheel
(`nvidia-cuda-runtime-cu12`), from conda, or from an installed CUDA toolkit of exactly the major
version that this TensorFlow was built for.)",
    .fix = R"(Install the wheel into the same environment as TensorFlow, or, simpler, let
TensorFlow ask for all that it needs: `python -m pip install 'tensorflow[and-cuda]'`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip)
- [Could not find cuda drivers (tensorflow#62328)](https://github.com/tensorflow/tensorflow/issues/62328))",
    .explains = {},
    .check = check,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
