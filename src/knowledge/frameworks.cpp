// Builds of PyTorch and releases of JAX, from torch_releases.tsv and jax_releases.tsv.
#include "knowledge/cells.h"
#include "knowledge/knowledge.h"

namespace gpuwhy {
namespace {

struct Builds {
  std::vector<TorchBuild> torch; // by release, then CUDA
  std::vector<JaxRelease> jax;   // by release
  std::vector<std::string> problems;
};

void read_torch(Builds& builds) {
  TableReader table("torch_releases", {"version", "tag", "released", "default", "python", "cuda",
                                       "cudnn", "sass", "ptx", "min_driver", "source"});
  for (const auto& [line, cells] : table.rows) {
    const auto version = Version::parse(cells[0]);
    const auto cuda = Version::parse(cells[5]);
    if (!version || !cuda || cells[1].empty()) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    if (!builds.torch.empty()) {
      const auto& above = builds.torch.back();
      const auto order = *Version::parse(above.version) <=> *version;
      if (std::is_gt(order) || (std::is_eq(order) && !(above.cuda < *cuda))) {
        table.complain(line, "not after the row above");
      }
    }
    builds.torch.push_back({cells[0], cells[1], cells[2], cells[3] == "yes", cells[4], *cuda,
                            Version::parse(cells[6]), cell_words(cells[7]), cell_words(cells[8]),
                            Version::parse(cells[9]), cells[10]});
  }
  builds.problems.insert(builds.problems.end(), table.problems.begin(), table.problems.end());
}

std::optional<JaxRelease::Plugin> plugin_of(std::string_view cuda, std::string_view cudnn,
                                            std::string_view capabilities) {
  const auto version = Version::parse(cuda);
  if (!version) return std::nullopt;
  return JaxRelease::Plugin{*version, Version::parse(cudnn), cell_words(capabilities)};
}

void read_jax(Builds& builds) {
  TableReader table("jax_releases",
                    {"version", "released", "python", "jaxlib_min", "cuda12", "cudnn12",
                     "capabilities12", "cuda13", "cudnn13", "capabilities13", "preload"});
  for (const auto& [line, cells] : table.rows) {
    const auto version = Version::parse(cells[0]);
    JaxRelease release;
    release.version = cells[0];
    release.released = cells[1];
    release.python = Version::parse(cells[2]);
    release.cuda12 = plugin_of(cells[4], cells[5], cells[6]);
    release.cuda13 = plugin_of(cells[7], cells[8], cells[9]);
    release.preloads = cells[10] == "yes";
    if (!version || !release.python || !release.cuda12) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    if (!builds.jax.empty() && *Version::parse(builds.jax.back().version) >= *version) {
      table.complain(line, "not after the row above");
    }
    builds.jax.push_back(std::move(release));
  }
  builds.problems.insert(builds.problems.end(), table.problems.begin(), table.problems.end());
}

const Builds& builds() {
  static const Builds kBuilds = [] {
    Builds all;
    read_torch(all);
    read_jax(all);
    return all;
  }();
  return kBuilds;
}

} // namespace

bool TorchBuild::supports_python(const Version& python_version) const {
  return python.empty() || in_python_ranges(python, python_version);
}

const std::vector<TorchBuild>& torch_builds() {
  return builds().torch;
}

const TorchBuild* default_torch(const Version& version) {
  for (const auto& build : torch_builds()) {
    const auto listed = *Version::parse(build.version);
    const bool same = listed.major() == version.major() && listed.minor() == version.minor();
    if (same && build.is_default) return &build;
  }
  return nullptr;
}

const JaxRelease::Plugin* JaxRelease::plugin(int cuda_major) const {
  const auto& wanted = cuda_major == 13 ? cuda13 : cuda12;
  return (cuda_major == 12 || cuda_major == 13) && wanted ? &*wanted : nullptr;
}

const std::vector<JaxRelease>& jax_releases() {
  return builds().jax;
}

const JaxRelease* find_jax(const Version& version) {
  const JaxRelease* best = nullptr;
  for (const auto& release : jax_releases()) {
    if (*Version::parse(release.version) <= version) best = &release;
  }
  return best;
}

const std::vector<std::string>& framework_problems() {
  return builds().problems;
}

} // namespace gpuwhy
