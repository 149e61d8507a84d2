// What is installed in each environment: *.dist-info and *.egg-info (PyPA's "recording installed
// projects" and "core metadata"), conda-meta. Only names that bear on the GPU; leftovers count too.
#include "base/text.h"
#include "collect/software.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostDistributions = 400; // of one environment
constexpr std::size_t kLargestHeader = 64U << 10U;
constexpr std::size_t kMostPins = 64;

/// PEP 503: lower case, runs of "-", "_" and "." become one "-".
std::string normalize_name(std::string_view name) {
  std::string normal;
  for (const char letter : lower(name)) {
    const bool dash = letter == '-' || letter == '_' || letter == '.';
    if (dash && normal.ends_with('-')) continue;
    normal += dash ? '-' : letter;
  }
  return printable(normal);
}

bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

bool of_interest(std::string_view name) {
  return starts_with_any(name, {"tensorflow", "tf-nightly", "tf-keras", "keras", "intel-tensorflow",
                                "nvidia-", "cuda-", "openvino", "jax", "torch", "pytorch",
                                "tensorrt", "~"}) ||
         name == "numpy" || name == "cudatoolkit" || name == "cudnn" || name == "protobuf";
}

/// conda has names of its own: the libraries one by one, and the package that picks TensorFlow's
/// build.
bool of_interest_to_conda(std::string_view name) {
  return of_interest(name) || starts_with_any(name, {"libcu", "libnv", "nccl", "-tflow"}) ||
         name == "cupti";
}

/// Who reads more than the name: frameworks state what they need.
bool states_needs(std::string_view name) {
  return starts_with_any(name, {"tensorflow", "tf-nightly", "intel-tensorflow", "jax", "torch",
                                "keras", "tf-keras", "cuda-toolkit"});
}

/// "nvidia-cudnn-cu12 ==9.3.0.75 ; extra == 'and-cuda'" -> "nvidia-cudnn-cu12==9.3.0.75"; empty if
/// it does not bear on the GPU. The extra is and-cuda of tensorflow, with-cuda of JAX's plug-ins;
/// torch requires NVIDIA's wheels without any, jax its jaxlib; cuda-toolkit has an extra for each
/// wheel.
std::string cuda_pin(std::string_view requirement, std::string_view owner) {
  const auto semicolon = requirement.find(';');
  const auto marker =
      semicolon == std::string_view::npos ? std::string_view() : requirement.substr(semicolon);
  const bool extra = contains(marker, "extra");
  const bool cuda_extra = extra && (contains(marker, "and-cuda") || contains(marker, "with-cuda"));
  const bool wheel = requirement.starts_with("nvidia-") && (!extra || owner == "cuda-toolkit");
  const bool jaxlib = requirement.starts_with("jaxlib") && !extra;
  if (!cuda_extra && !wheel && !jaxlib) return {};
  std::string pin;
  for (const char letter : requirement.substr(0, semicolon)) {
    if (letter != ' ' && letter != '(' && letter != ')' && letter != '\t') pin += letter;
  }
  return printable(pin);
}

/// The header part of METADATA or PKG-INFO; the description behind it is long and of no use.
void read_header(System& system, const std::string& path, Distribution& distribution) {
  const auto text = system.read_at(path, 0, kLargestHeader);
  if (!text) return;
  for (const auto line : split_lines(*text)) {
    if (trim(line).empty()) return;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto field = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (field == "Version") {
      distribution.version = printable(value.substr(0, 64));
    } else if (field == "Requires-Python") {
      distribution.requires_python = printable(value.substr(0, 200));
    } else if (field == "Requires-Dist") {
      auto pin = cuda_pin(value.substr(0, 400), distribution.name);
      if (!pin.empty() && distribution.cuda_pins.size() < kMostPins)
        distribution.cuda_pins.push_back(std::move(pin));
    }
  }
}

std::string read_installer(System& system, const std::string& directory) {
  const auto text = system.read(directory + "/INSTALLER", 256);
  return text ? printable(trim(*text)) : std::string();
}

struct Name {
  std::string name;
  std::string version;
};

/// "tensorflow_cpu-2.18.1" -> tensorflow-cpu, 2.18.1; egg-info adds "-py3.9". pip renames what it
/// is about to remove to "~ensorflow-2.18.0": the letter that it replaced is lost.
Name split_name(std::string_view stem) {
  const auto dash = stem.find('-');
  Name name{normalize_name(stem.substr(0, dash)), {}};
  if (dash == std::string_view::npos) return name;
  auto rest = stem.substr(dash + 1);
  name.version = printable(rest.substr(0, rest.find("-py")));
  return name;
}

class Reader {
public:
  Reader(System& system, PythonEnvironment& python) : system_(system), python_(python) {}

  void read_site(const std::string& site) {
    const auto entries = system_.list(site);
    if (!entries) {
      if (python_.problem.empty()) python_.problem = entries.error().reason;
      return;
    }
    for (const auto& entry : *entries) {
      std::string_view stem = entry.name;
      const bool egg = stem.ends_with(".egg-info");
      const bool leftover =
          stem.starts_with("~") && entry.directory && !egg && !stem.ends_with(".dist-info");
      if (!egg && !stem.ends_with(".dist-info") && !leftover) continue;
      if (!leftover) stem = stem.substr(0, stem.rfind('.'));
      auto [name, version] = split_name(stem);
      if (!of_interest(name) || python_.distributions.size() >= kMostDistributions) continue;
      Distribution distribution;
      distribution.name = std::move(name);
      distribution.version = std::move(version);
      distribution.location = join_path(site, entry.name);
      distribution.directory = site;
      if (!leftover) distribution.installer = read_installer(system_, distribution.location);
      if (states_needs(distribution.name)) {
        const auto* file = egg ? (entry.directory ? "/PKG-INFO" : "") : "/METADATA";
        read_header(system_, distribution.location + file, distribution);
      }
      python_.distributions.push_back(std::move(distribution));
    }
  }

  void read_conda(const std::string& prefix) {
    const auto directory = prefix + "/conda-meta";
    const auto entries = system_.list(directory);
    if (!entries) return;
    for (const auto& entry : *entries) {
      std::string_view stem = entry.name;
      if (!stem.ends_with(".json")) continue;
      stem.remove_suffix(5);
      // name-version-build: only the name may hold dashes
      const auto build = stem.rfind('-');
      if (build == std::string_view::npos || build == 0) continue;
      const auto version = stem.rfind('-', build - 1);
      if (version == std::string_view::npos) continue;
      Distribution distribution;
      distribution.name = normalize_name(stem.substr(0, version));
      if (!of_interest_to_conda(distribution.name)) continue;
      distribution.version = printable(stem.substr(version + 1, build - version - 1));
      distribution.build = printable(stem.substr(build + 1));
      distribution.location = join_path(directory, entry.name);
      distribution.directory = prefix;
      distribution.installer = "conda";
      merge(std::move(distribution));
    }
  }

private:
  /// conda writes a dist-info as well: one installation is one row.
  void merge(Distribution conda) {
    for (auto& known : python_.distributions) {
      if (known.name != conda.name || known.version != conda.version || known.installer != "conda")
        continue;
      known.build = conda.build;
      return;
    }
    if (python_.distributions.size() < kMostDistributions)
      python_.distributions.push_back(std::move(conda));
  }

  System& system_;
  PythonEnvironment& python_;
};

void collect(System& system, const Scope&, Facts& facts) {
  for (auto& python : facts.pythons) {
    Reader reader(system, python);
    for (const auto& site : python.site_directories) reader.read_site(site);
    if (!python.prefix.empty()) reader.read_conda(python.prefix);
  }
}

} // namespace

const Collector kDistributions{
    "distributions",
    "*.dist-info/{METADATA,INSTALLER}, *.egg-info, conda-meta/*.json of each environment", collect};

} // namespace gpuwhy
