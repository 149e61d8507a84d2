// The cuDNN that will be loaded is older than the one that the build was compiled against, or mixed
// from two. Truth: TensorFlow's own rule (same major, minor at least the build's; cuda_dnn.cc),
// asked at the first use of cuDNN and not when devices are listed.
#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/cudnn_parts.h"
#include "rules/L_libraries/jax_minimums.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

namespace gpuwhy::rules {
namespace {

const std::string kAcceptedCudnn = "9.10.1"; // by JAX, whatever is beside it

/// What the build was compiled with, if its minor number is known.
std::optional<Version> version_needed(const Case& c) {
  auto build = Version::parse(c.build()->cudnn_version.value_or(""));
  if (build && build->parts.size() >= 2) return build;
  const auto* release = release_of(c);
  if (release != nullptr && (!build || build->major() == release->cudnn.major()))
    return release->cudnn;
  return Version::parse(lowest_version(pin_of(c, "cudnn")));
}

bool same_release(const Version& a, const Version& b) {
  return a.major() == b.major() && a.minor() == b.minor() && a.part(2) == b.part(2);
}

/// Lets the right cuDNN be found: the path away, or the wheel in.
Outcome mended(const Case& c, Outcome outcome, const std::string& path, loader::Step step) {
  const auto& soname = c.library("cudnn")->soname;
  const std::string directory(parent_path(path));
  if (step == loader::Step::library_path) {
    outcome.evidence.push_back(
        {"LD_LIBRARY_PATH leads there first" + set_where(c, "LD_LIBRARY_PATH", directory),
         source_of(c, "LD_LIBRARY_PATH", directory)});
    if (loads_without(c, soname, directory))
      return std::move(outcome).mend(shorten_library_path(c, directory));
  }
  if (wheel_distribution(c, "cudnn").empty()) {
    return std::move(outcome).mend(
        {"install the cuDNN that this " + name_text(c) + " was built with", {}, {}});
  }
  return std::move(outcome).mend(install_wheels(c, {soname}, false));
}

Outcome compare(const Case& c, const loader::Found& cudnn) {
  const auto needed = version_needed(c);
  const auto loaded = library_version(c, "cudnn", cudnn.path);
  if (!loaded) return Outcome::unknown("the version of " + cudnn.path);
  if (!needed)
    return Outcome::unknown("the cuDNN version that this " + name_text(c) + " was compiled with");
  if (loaded->major() != needed->major() || loaded->minor() < needed->minor()) {
    return mended(
        c,
        Outcome::found("cuDNN " + loaded->str() + " is loaded first, " + framework_text(c) +
                       " was built for " + needed->str())
            .because("cuDNN " + loaded->str() + ", found through " + cudnn.because, {cudnn.path, 0})
            .because("built with cuDNN " + needed->str(), c.build()->cudnn_version.source()),
        cudnn.path, cudnn.step);
  }
  for (const auto& part : cudnn_parts(c)) {
    const auto version = Version::parse(part.version);
    const bool good = part.state == CudnnPart::State::good;
    if (!good || !version || parent_path(part.path) == parent_path(cudnn.path)) continue;
    if (same_release(*version, *loaded)) continue;
    const auto step = part.because.starts_with("LD_LIBRARY_PATH") ? loader::Step::library_path
                                                                  : loader::Step::cache;
    return mended(
        c,
        Outcome::found("cuDNN is mixed: " + loaded->str() + " with " + part.soname + " of " +
                       version->str())
            .because("cuDNN " + loaded->str(), {cudnn.path, 0})
            .because(part.soname + " of " + version->str() + ", found through " + part.because,
                     {part.path, 0}),
        part.path, step);
  }
  return Outcome::clear("cuDNN " + loaded->str() + " is found, " + needed->str() +
                        " or a later minor is needed");
}

/// The range that JAX's metadata state has what JAX refuses in it: the version is named.
Edit install_accepted(const Case& c, const std::string& soname) {
  const auto name = wheel_distribution(c, "cudnn");
  Edit edit;
  edit.words = "install " + name + " " + kAcceptedCudnn + " or later";
  edit.commands = {install_command(c, {name + ">=" + kAcceptedCudnn})};
  edit.apply = [interpreter = c.python->interpreter, site = site_packages(*c.python, c.framework),
                build = *c.build(), pin = name + "==" + kAcceptedCudnn, soname](Facts& facts) {
    const std::vector<std::string> pins = {pin};
    if (auto* python = same_python(facts, interpreter))
      put_wheels(facts, *python, site, build, pins, {soname});
  };
  return edit;
}

/// JAX gives the GPU up while it lists devices.
Outcome refused(const Case& c, const JaxRefusal& refusal) {
  const auto& found = refusal.need->found;
  const std::string directory(parent_path(found.path));
  auto outcome =
      Outcome::found(framework_text(c) + " refuses cuDNN " + refusal.version + ": it wants " +
                     refusal.asked)
          .because("cuDNN " + refusal.version + ", found through " + found.because, {found.path, 0})
          .because("JAX logs: " + refusal.says)
          .with_effect(Effect::hides);
  if (found.step == loader::Step::library_path && loads_without(c, refusal.need->soname, directory))
    return std::move(outcome).mend(shorten_library_path(c, directory));
  return std::move(outcome).mend(install_accepted(c, refusal.need->soname));
}

Outcome check(const Case& c) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  const auto* need = c.library("cudnn");
  if (need == nullptr) return Outcome::not_applicable();
  if (need->found.outcome == loader::Outcome::unknown) {
    return Outcome::unknown("which " + need->soname + " will be loaded");
  }
  // One that does not load has no version to compare: L03, L05 and L07 speak.
  if (need->found.outcome != loader::Outcome::found) return Outcome::not_applicable();
  for (const auto& refusal : jax_refusals(c)) {
    if (refusal.need == need) return refused(c, refusal);
  }
  return compare(c, need->found);
}

} // namespace

extern constexpr Rule L04{
    .id = "L04",
    .slug = "cudnn-version-mismatch",
    .title = "The cuDNN that is loaded does not fit this framework",
    .since = "0.1",
    .gate = Gate::libraries,
    .effect = Effect::breaks,
    .explanation = R"(TensorFlow accepts the cuDNN that it was compiled with, or a later minor
version of the same major (9.5 for 9.3, not 9.1). The file name carries only the major version,
so an older cuDNN loads, **the GPU is listed**, and the first convolution fails with "Loaded
runtime CuDNN library: 9.1.0 but source was compiled with: 9.3.0".

Often an old system cuDNN is found before the right one, through `LD_LIBRARY_PATH`; or another
package (PyTorch, for one) pinned an older `nvidia-cudnn` wheel in the same environment. cuDNN's
own parts can come from two versions too.

JAX asks cuDNN for its version while it lists devices, and refuses 9.10.0, and on several GPUs every one before 9.10.1
together with cuBLAS 12.9 or later: then no GPU is listed. `JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1` leaves the question out.)",
    .fix = R"(Take the directory of the old cuDNN out of `LD_LIBRARY_PATH`, or install the cuDNN
wheel in the version that TensorFlow pins. PyTorch and TensorFlow in one environment often want
different versions: give each its own.)",
    .references =
        R"(- [cuDNN support matrix](https://docs.nvidia.com/deeplearning/cudnn/backend/latest/reference/support-matrix.html)
- [Tested build configurations](https://www.tensorflow.org/install/source#gpu))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
