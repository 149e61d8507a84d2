// The library's name carries its major version; only another major is installed. Or the name is
// right, and JAX refuses the version. Truth: sonames of the files in the inventory against the
// sonames that the build opens; jax_minimums.h.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/jax_minimums.h"
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

/// It loads, and JAX, asked for its devices, compares its version and gives the GPU up.
Outcome refused(const Case& c, const std::vector<JaxRefusal>& refusals) {
  const auto& first = refusals.front();
  auto outcome = Outcome::found(framework_text(c) + " refuses " + first.need->soname +
                                " of version " + first.version + ": it wants " + first.asked);
  std::vector<std::string> sonames;
  for (const auto& refusal : refusals) {
    sonames.push_back(refusal.need->soname);
    outcome.evidence.push_back({refusal.need->soname + " is version " + refusal.version + ", " +
                                    refusal.asked + " is asked for",
                                {refusal.need->found.path, 0}});
    outcome.evidence.push_back({"JAX logs: " + refusal.says, {}});
  }
  const auto& found = first.need->found;
  const std::string directory(parent_path(found.path));
  const bool by_path = found.step == loader::Step::library_path;
  if (by_path && loads_without(c, first.need->soname, directory))
    return std::move(outcome).mend(shorten_library_path(c, directory));
  return std::move(outcome).mend(install_wheels(c, sonames, false));
}

Outcome check(const Case& c) {
  auto outcome = judge_faults(
      c, "no CUDA library of another version stands in for one that is needed",
      [](const LibraryFault& fault) { return fault.fault == Fault::wrong_major; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
  if (outcome.state != Outcome::State::clear) return outcome;
  auto refusals = jax_refusals(c);
  std::erase_if(refusals,
                [](const JaxRefusal& each) { return each.need->product == "cudnn"; }); // L04
  return refusals.empty() ? outcome : refused(c, refusals);
}

} // namespace

extern constexpr Rule L02{
    .id = "L02",
    .slug = "cuda-wrong-major",
    .title = "A CUDA library is there in another version than the framework needs",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(The name of a CUDA library carries its major version: `libcudart.so.12` is
not `libcudart.so.13`. TensorFlow opens the name that it was built with, and no other. A newer
CUDA does not replace an older one, and a link from one name to the other does not make them
compatible.

(`libcudart.so.11.0` is the name in every CUDA 11; `libcufft`, `libcusolver` and `libcurand`
count for themselves.)

JAX also looks at the version behind the name while it lists devices: with CUDA 12 it wants the runtime, cuBLAS and
cuSPARSE of 12.1 or later. It logs "Outdated cuBLAS installation found" and goes on with
the CPU. `JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1` leaves the question out.)",
    .fix = R"(Install the libraries that this TensorFlow asks for; several CUDA versions can
stand side by side. With pip they come as wheels, private to the environment, and the CUDA of the
system stays as it is.)",
    .references = R"(- [Tested build configurations](https://www.tensorflow.org/install/source#gpu)
- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
