// A whole CUDA toolkit is installed, of another major version than this TensorFlow release opens.
// Truth: sonames of the files on disk against those of the build.
#include "base/text.h"
#include "base/version.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 6> kExplains = {"F05", "L01", "L02", "L03", "L05", "L09"};
constexpr std::array<std::string_view, 5> kToolkit = {"cudart", "cublas", "cufft", "cusolver",
                                                      "cusparse"};

/// Major version in "libcudart.so.11.0", "libcudart.so.13".
int major_of(std::string_view name) {
  const auto at = name.find(".so.");
  const auto version =
      at == std::string_view::npos ? std::nullopt : Version::parse(name.substr(at + 4));
  return version ? version->major() : 0;
}

bool has_product(const Case& c, std::string_view product) {
  return std::any_of(
      c.facts.libraries.files.begin(), c.facts.libraries.files.end(), [&](const auto& entry) {
        const auto& [path, file] = entry;
        return file.status == LibraryFile::Status::good && product_of(base_name(path)) == product &&
               contains(base_name(path), ".so.") && !in_other_environment(c, path) &&
               !contains(path, "/stubs/");
      });
}

Outcome check(const Case& c) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  const LibraryFault* cudart = nullptr;
  bool cublas = false; // one library of another major beside the right ones is L02
  const auto faults = library_faults(c);
  for (const auto& fault : faults) {
    if (fault.in_use) continue;
    if (fault.fault == Fault::open)
      return Outcome::unknown("where the CUDA libraries are: " + fault.detail +
                              " was not looked at");
    if (fault.fault != Fault::wrong_major) continue;
    if (fault.product == "cudart") cudart = &fault;
    cublas = cublas || fault.product == "cublas";
  }
  const bool whole =
      cublas && std::all_of(kToolkit.begin(), kToolkit.end(),
                            [&](std::string_view product) { return has_product(c, product); });
  if (cudart == nullptr || !whole || providers_of(c).wheels > 0) {
    return Outcome::clear(
        "no CUDA toolkit of another major version takes the place of the right one");
  }
  const auto there = std::to_string(major_of(base_name(cudart->path)));
  const auto needed = std::to_string(major_of(cudart->soname));
  auto outcome = Outcome::found("CUDA " + there + " is installed, " + framework_text(c) +
                                " needs CUDA " + needed)
                     .because(std::string(base_name(cudart->path)) + " is there", {cudart->path, 0})
                     .because(cudart->soname + ": " + places_asked(cudart->need->found),
                              {c.build()->opener, 0})
                     .because("built with CUDA " + c.build()->cuda_version.value_or(needed),
                              c.build()->cuda_version.source());
  return std::move(outcome).mend(install_all_wheels(c));
}

} // namespace

extern constexpr Rule F15{
    .id = "F15",
    .slug = "framework-cuda-mismatch",
    .title = "This framework needs another major version of CUDA than the one installed",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(Each TensorFlow release is built for one major version of CUDA and opens
exactly its libraries: 2.4 to 2.14 want CUDA 11, 2.15 to 2.21 want CUDA 12. A CUDA toolkit of
another major version is of no use to it, be it older or newer.

The CUDA version that `nvidia-smi` prints is something else: it is the newest that the driver
supports, not what is installed.)",
    .fix = R"(Leave the installed CUDA alone and give TensorFlow its own: `python -m pip install
'tensorflow[and-cuda]'`. Or take the TensorFlow release that was built for the installed CUDA.)",
    .references =
        R"(- [Tested build configurations](https://www.tensorflow.org/install/source#gpu))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
