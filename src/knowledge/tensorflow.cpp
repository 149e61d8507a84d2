// Releases of TensorFlow, from tensorflow_releases.tsv.
#include "knowledge/cells.h"
#include "knowledge/knowledge.h"

#include <algorithm>

namespace gpuwhy {
namespace {

struct Releases {
  std::vector<TensorFlowRelease> releases; // by version
  std::vector<std::string> problems;
};

/// "2.7" or "3.9-3.12".
bool python_range(std::string_view text, const Version& python) {
  const auto dash = text.find('-');
  const auto first = Version::parse(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : Version::parse(text.substr(dash + 1));
  if (!first || !last) return false;
  const Version minor{{python.major(), python.minor()}};
  return *first <= minor && minor <= *last;
}

Releases read_releases() {
  Releases result;
  TableReader table("tensorflow_releases",
                    {"version", "released", "python", "cuda", "cudnn", "capabilities",
                     "min_capability", "newest_ptx", "registers_from", "min_driver",
                     "gate_libraries", "gpu_platforms", "gpu_distribution", "pins", "notes",
                     "source"});
  for (const auto& [line, cells] : table.rows) {
    const auto version = Version::parse(cells[0]);
    const auto cuda = Version::parse(cells[3]);
    const auto cudnn = Version::parse(cells[4]);
    TensorFlowRelease release;
    release.version = cells[0];
    release.released = cells[1];
    release.python = cells[2];
    release.capabilities = cell_words(cells[5]);
    release.min_capability = cell_capability(cells[6]);
    release.newest_ptx = cell_capability(cells[7]);
    release.registers_from = cell_capability(cells[8]);
    release.min_driver = Version::parse(cells[9]);
    release.gate_libraries = cell_words(cells[10]);
    release.gpu_platforms = cell_words(cells[11]);
    release.gpu_distribution = cells[12];
    release.pins = cell_words(cells[13]);
    release.notes = cells[14];
    release.source = cells[15];
    if (!version || !cuda || !cudnn || release.gate_libraries.empty() || release.python.empty() ||
        release.gpu_distribution.empty()) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    release.cuda = *cuda;
    release.cudnn = *cudnn;
    if (!result.releases.empty() && *Version::parse(result.releases.back().version) >= *version) {
      table.complain(line, "not after the row above");
    }
    result.releases.push_back(std::move(release));
  }
  result.problems = std::move(table.problems);
  return result;
}

const Releases& all_releases() {
  static const Releases kReleases = read_releases();
  return kReleases;
}

const TensorFlowRelease& release_or_newest(std::string_view version) {
  const auto* release = find_tensorflow(version);
  return release == nullptr ? tensorflow_releases().back() : *release;
}

/// For the words of the gate that name no library of CUDA: the driver's, or a part of cuDNN.
bool gate_has(std::string_view version, std::string_view word) {
  const auto& gate = release_or_newest(version).gate_libraries;
  return std::find(gate.begin(), gate.end(), word) != gate.end();
}

} // namespace

bool in_python_ranges(std::string_view ranges, const Version& python) {
  const auto words = cell_words(ranges);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view range) { return python_range(range, python); });
}

bool TensorFlowRelease::supports_python(const Version& python_version) const {
  return in_python_ranges(python, python_version);
}

const std::vector<TensorFlowRelease>& tensorflow_releases() {
  return all_releases().releases;
}

const TensorFlowRelease* find_tensorflow(const Version& version) {
  const TensorFlowRelease* best = nullptr;
  for (const auto& release : tensorflow_releases()) {
    const auto listed = Version::parse(release.version);
    if (!listed || listed->major() != version.major() || listed->minor() != version.minor()) {
      continue;
    }
    if (best == nullptr || *listed <= version) best = &release;
  }
  return best;
}

const TensorFlowRelease* find_tensorflow(std::string_view version) {
  const auto parsed = Version::parse(version);
  return parsed ? find_tensorflow(*parsed) : nullptr;
}

const std::vector<std::string>& tensorflow_problems() {
  return all_releases().problems;
}

std::vector<WantedLibrary> tensorflow_libraries(std::string_view version, std::string_view cuda,
                                                std::string_view cudnn) {
  const auto* release = &release_or_newest(version);
  const auto cuda_version = Version::parse(cuda).value_or(release->cuda);
  const auto cudnn_version = Version::parse(cudnn).value_or(release->cudnn);
  std::vector<WantedLibrary> wanted;
  for (const auto product : release->gate_libraries) {
    auto name = soname(product, product == "cudnn" ? cudnn_version : cuda_version);
    if (!name.empty()) wanted.push_back({std::move(name), product, true});
  }
  return wanted;
}

bool tensorflow_opens_nvml(std::string_view version) {
  return gate_has(version, "nvidia-ml");
}

bool tensorflow_calls_cudnn(std::string_view version) {
  return gate_has(version, "cudnn_graph");
}

} // namespace gpuwhy
