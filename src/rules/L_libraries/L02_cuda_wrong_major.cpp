// The library's name carries its major version; only another major is installed.
// Truth: sonames of the files in the inventory against the sonames that the build opens.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

namespace gpuwhy::rules {
namespace {

Outcome report(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& first = faults.front();
  auto outcome = Outcome::found(framework_text(c) + " needs " + first.soname +
                                ", but what is installed is " + std::string(base_name(first.path)));
  std::vector<std::string> sonames;
  for (const auto& fault : faults) {
    sonames.push_back(fault.soname);
    outcome.evidence.push_back(
        {fault.soname + " is needed, " + std::string(base_name(fault.path)) + " is there",
         {fault.path, 0}});
  }
  return std::move(outcome)
      .because(first.soname + ": " + places_asked(first.need->found), {c.build()->opener, 0})
      .mend(install_wheels(c, sonames, false));
}

Outcome check(const Case& c) {
  return judge_faults(
      c, "no CUDA library of another major version stands in for one that is needed",
      [](const LibraryFault& fault) { return fault.fault == Fault::wrong_major; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
}

} // namespace

extern constexpr Rule L02{
    .id = "L02",
    .slug = "cuda-wrong-major",
    .title = "A CUDA library is there in another major version than the framework needs",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(The name of a CUDA library carries its major version: `libcudart.so.12` is
not `libcudart.so.13`. TensorFlow opens the name that it was built with, and no other. A newer
CUDA does not replace an older one, and a link from one name to the other does not make them
compatible.

(`libcudart.so.11.0` is the name in every CUDA 11; `libcufft`, `libcusolver` and `libcurand`
count for themselves.))",
    .fix = R"(Install the libraries that this TensorFlow asks for; several CUDA versions can
stand side by side. With pip they come as wheels, private to the environment, and the CUDA of the
system stays as it is.)",
    .references = R"(- [Tested build configurations](https://www.tensorflow.org/install/source#gpu)
- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
