#include "rules/L_libraries/jax_minimums.h"

#include "rules/L_libraries/wheels.h"

#include <array>

namespace gpuwhy::rules {
namespace {

struct Minimum {
  std::string_view product;
  std::string_view name; // as JAX calls it
  Version version;
};

const std::array kMinimums = {Minimum{"cudart", "CUDA", {{12, 1}}},
                              Minimum{"cublas", "cuBLAS", {{12, 1}}},
                              Minimum{"cusparse", "cuSPARSE", {{12, 1}}}};
// Before, each library had to be at least as new as the one that jaxlib was built with, and no
// metadata tell which that was.
const Version kFirstWithMinimums{{0, 4, 26}};
// cuDNN 9.10.0 alone orders an enumeration differently; refused from this release on.
const Version kFirstRefusingCudnn{{0, 6, 2}};
const Version kRefusedCudnn{{9, 10, 0}};
// Older ones compute wrong products on several GPUs with a cuBLAS from here on.
const Version kSafeCudnn{{9, 10, 1}};
const Version kUnsafeCublas{{12, 9}};

/// JAX asks for the versions of those libraries without which it lists no GPU.
const LibraryNeed* asked_for(const Case& c, std::string_view product) {
  const auto* need = c.library(product);
  const bool loads = need != nullptr && need->found.outcome == loader::Outcome::found;
  return loads && need->required ? need : nullptr;
}

bool same_patch(const Version& a, const Version& b) {
  return a.major() == b.major() && a.minor() == b.minor() && a.part(2) == b.part(2);
}

void add_cudnn(const Case& c, std::vector<JaxRefusal>& refusals) {
  const auto* need = asked_for(c, "cudnn");
  if (need == nullptr) return;
  const auto loaded = library_version(c, "cudnn", need->found.path);
  const auto build = Version::parse(c.build()->cudnn_version.value_or(""));
  if (!loaded) return;
  if (build && same_patch(*loaded, kRefusedCudnn) && !same_patch(*build, kRefusedCudnn)) {
    refusals.push_back({need, loaded->str(), "9.10.1 or later",
                        "cuDNN 9.10.0 had a binary backward-compatibility issue due to reordered "
                        "enum values"});
    return;
  }
  const auto* cublas = asked_for(c, "cublas");
  const auto* probe = c.facts.observed.cuda.get();
  const bool several = probe != nullptr && probe->init == 0 && probe->count > 1;
  if (cublas == nullptr || !several || *loaded >= kSafeCudnn) return;
  const auto version = library_version(c, "cublas", cublas->found.path);
  if (!version || *version < kUnsafeCublas) return;
  refusals.push_back({need, loaded->str(), "9.10.1 or later with this cuBLAS and several GPUs",
                      "cuDNN < 9.10.0 had an issue that caused some multi-GPU matmuls to be "
                      "functionally incorrect when run with cublasLt >= 12.9"});
}

} // namespace

std::optional<Version> library_version(const Case& c, std::string_view product,
                                       const std::string& path) {
  const auto file = c.facts.libraries.files.find(path);
  if (file != c.facts.libraries.files.end()) {
    if (auto version = Version::parse(file->second.version.value_or(""))) return version;
  }
  const auto* wheel = in_own_wheel(c, path) ? installed_wheel(c, product) : nullptr;
  return wheel == nullptr ? std::nullopt : Version::parse(wheel->version);
}

std::vector<JaxRefusal> jax_refusals(const Case& c) {
  std::vector<JaxRefusal> refusals;
  if (c.framework == nullptr || c.kind() != "jax") return refusals;
  const auto jax = Version::parse(c.framework->version.value_or(""));
  // cuFFT must load for the sake of the checks alone (judge/openings.h): without them, they are
  // off.
  const bool checks = asked_for(c, "cufft") != nullptr;
  if (!jax || *jax < kFirstWithMinimums || !checks) return refusals;
  for (const auto& minimum : kMinimums) {
    const auto* need = asked_for(c, minimum.product);
    if (need == nullptr) continue;
    const auto version = library_version(c, minimum.product, need->found.path);
    if (!version || *version >= minimum.version) continue;
    refusals.push_back({need, version->str(), minimum.version.str() + " or later",
                        "Outdated " + std::string(minimum.name) + " installation found."});
  }
  if (*jax >= kFirstRefusingCudnn) add_cudnn(c, refusals);
  return refusals;
}

} // namespace gpuwhy::rules
