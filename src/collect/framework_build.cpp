// The frameworks in each environment, and what they were built with: read from their own files.
// Truth for TensorFlow: its wheels (docs/tensorflow_loading_observed.md), build_info.py, import
// rules of CPython's importlib (a package needs __init__.py to win over one that comes later).
#include "base/text.h"
#include "base/version.h"
#include "collect/import_path.h"
#include "collect/native_objects.h"
#include "collect/python_environment.h"
#include "collect/software.h"
#include "collect/tensorflow_build_info.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::size_t kMostFrameworks = 16; // of one environment and name
constexpr std::size_t kLargestSource = 256U << 10U;
// A framework's kernel library names all its architectures within the first containers
// (elf/fatbin.h).
constexpr FatbinLimits kFatbinLimits{.reads = 96, .read_size = 512, .entries = 400};

constexpr std::array<std::string_view, 1> kInsides = {"python"};
constexpr ImportName kName{"tensorflow", "TensorFlow", kInsides};

/// Distributions that put files into the package `tensorflow`.
bool provides_tensorflow(std::string_view name) {
  if (name == "tensorflow" || name.starts_with("tf-nightly") ||
      name.starts_with("intel-tensorflow"))
    return true;
  constexpr std::array<std::string_view, 12> kVariants = {
      "tensorflow-cpu",   "tensorflow-gpu",     "tensorflow-intel",    "tensorflow-rocm",
      "tensorflow-macos", "tensorflow-cpu-aws", "tensorflow-aarch64",  "tensorflow-base",
      "tensorflow-mkl",   "tensorflow-eigen",   "tensorflow-directml", "tensorflow-gpu-base"};
  return std::find(kVariants.begin(), kVariants.end(), name) != kVariants.end();
}

bool is_cpu_distribution(std::string_view name) {
  return name.starts_with("tensorflow-cpu") || name == "tf-nightly-cpu" ||
         name == "tensorflow-intel" || name.starts_with("intel-tensorflow") ||
         name == "tensorflow-mkl" || name == "tensorflow-eigen";
}

class Reader {
public:
  Reader(System& system, const Scope& scope, Facts& facts, PythonEnvironment& python)
      : system_(system), scope_(scope), facts_(facts), python_(python), objects_(system, facts) {}

  void read() {
    add_shadow();
    for (const auto& site : python_.site_directories) {
      if (python_.frameworks.size() >= kMostFrameworks) break;
      const auto directory = join_path(site, "tensorflow");
      if (is_directory(system_, directory)) {
        add_package(site, directory);
      } else if (is_file(system_, directory + ".py")) {
        python_.frameworks.push_back(foreign_framework(kName, directory + ".py"));
      }
    }
    if (python_.frameworks.empty()) add_lost();
  }

private:
  /// What stands beside the program is imported first.
  void add_shadow() {
    const auto& sites = python_.site_directories;
    const auto directory = program_directory(system_, scope_, python_);
    if (directory.empty() || std::find(sites.begin(), sites.end(), directory) != sites.end())
      return;
    const auto path = join_path(directory, kName.module);
    if (is_file(system_, path + "/__init__.py")) {
      if (is_directory(system_, path + "/python")) return add_package(directory, path);
      python_.frameworks.push_back(foreign_framework(kName, path));
    } else if (is_file(system_, path + ".py")) {
      python_.frameworks.push_back(foreign_framework(kName, path + ".py"));
    }
  }

  /// Metadata says that it is installed, but there is no package directory.
  void add_lost() {
    for (const auto& distribution : python_.distributions) {
      if (!provides_tensorflow(distribution.name) || !distribution.build.empty()) continue;
      Framework framework;
      framework.name = "tensorflow";
      framework.directory = join_path(distribution.directory, "tensorflow");
      framework.version =
          Fact<std::string>::known(distribution.version, {distribution.location, 0});
      framework.distributions = {distribution.name};
      framework.build = Fact<FrameworkBuild>::absent({framework.directory, 0},
                                                     framework.directory + ": no such directory");
      framework.broken.push_back(framework.directory + " is missing");
      python_.frameworks.push_back(std::move(framework));
      return;
    }
  }

  void add_package(const std::string& site, const std::string& directory) {
    Framework framework;
    framework.name = "tensorflow";
    framework.directory = directory;
    const bool importable = is_file(system_, directory + "/__init__.py");
    std::vector<const Distribution*> owners;
    for (const auto& distribution : python_.distributions) {
      if (distribution.directory != site || !provides_tensorflow(distribution.name)) continue;
      owners.push_back(&distribution);
      auto& names = framework.distributions;
      if (std::find(names.begin(), names.end(), distribution.name) == names.end())
        names.push_back(distribution.name);
    }
    // Without __init__.py and metadata it is some folder of that name, which any real package
    // beats.
    if (!importable && owners.empty() && !is_directory(system_, directory + "/python")) return;
    framework.version = version_of(directory, owners);
    read_build(framework);
    if (!importable) framework.broken.push_back(directory + "/__init__.py is missing");
    python_.frameworks.push_back(std::move(framework));
  }

  Fact<std::string> version_of(const std::string& directory,
                               const std::vector<const Distribution*>& owners) {
    std::set<std::string> versions;
    for (const auto* owner : owners) versions.insert(owner->version);
    if (versions.size() == 1)
      return Fact<std::string>::known(*versions.begin(), {owners.front()->location, 0});
    // No metadata, or several that disagree: the headers came with the code.
    for (const auto* name : {"release_version.h", "version.h"}) {
      const auto path = directory + "/include/tensorflow/core/public/" + name;
      const auto text = system_.read(path, kLargestSource);
      if (!text) continue;
      std::string version;
      for (const auto* part : {"MAJOR", "MINOR", "PATCH"}) {
        const auto key = std::string("#define TF_") + part + "_VERSION ";
        const auto at = text->find(key);
        const auto number =
            at == std::string::npos
                ? std::nullopt
                : Version::parse(trim(std::string_view(*text).substr(at + key.size(), 8)));
        if (!number) break;
        version += (version.empty() ? "" : ".") + std::to_string(number->major());
      }
      if (std::count(version.begin(), version.end(), '.') == 2)
        return Fact<std::string>::known(version, {path, 0});
    }
    if (!owners.empty())
      return Fact<std::string>::known(owners.front()->version, {owners.front()->location, 0});
    return Fact<std::string>::unknown(directory + ": no metadata beside it tells its version",
                                      {directory, 0});
  }

  void read_build(Framework& framework) {
    const auto& directory = framework.directory;
    FrameworkBuild build;
    build.opener = find_opener(directory);
    const auto extension = directory + "/python/_pywrap_tensorflow_internal.so";
    const bool has_extension = system_.status_of_link(extension).has_value();
    if (build.opener.empty() && !has_extension) {
      framework.build =
          Fact<FrameworkBuild>::absent({directory, 0}, directory + ": has no native library");
      framework.broken.push_back(directory + "/libtensorflow_framework.so.2 is missing");
      return;
    }
    if (build.opener.empty()) build.opener = extension;
    objects_.check(framework, build.opener);
    read_info(framework, build);
    if (build.opener != extension) {
      objects_.check(framework, extension);
      build.loader_chain.push_back(extension);
      check_needed(framework, extension);
    }
    objects_.add_interpreter(python_, build);
    read_code(directory, build);
    framework.build = Fact<FrameworkBuild>::known(std::move(build), {directory, 0});
  }

  /// The object that calls dlopen. All wheels from 2.12 to 2.21 have that code in the framework
  /// library.
  std::string find_opener(const std::string& directory) {
    for (const auto* name : {"libtensorflow_framework.so.2", "libtensorflow_framework.so.1",
                             "libtensorflow_framework.so", "libtensorflow_cc.so.2"}) {
      auto path = join_path(directory, name);
      if (system_.status_of_link(path)) return path;
    }
    return {};
  }

  /// The extension module names the package's own libraries; they stand in the package directory.
  void check_needed(Framework& framework, const std::string& extension) {
    const auto needed = objects_.classify(extension).needed;
    for (const auto& name : needed) {
      if (!name.starts_with("libtensorflow_") || contains(name, "/")) continue;
      const auto path = join_path(framework.directory, name);
      if (!facts_.libraries.files.contains(path)) objects_.check(framework, path);
    }
  }

  void read_info(const Framework& framework, FrameworkBuild& build) {
    const auto path = framework.directory + "/python/platform/build_info.py";
    const auto text = system_.read(path, kLargestSource);
    if (text && read_build_info(*text, path, build)) return;
    const auto reason = text ? path + ": not in a form that is known" : text.error().reason;
    const auto& names = framework.distributions;
    if (!names.empty() && std::all_of(names.begin(), names.end(), is_cpu_distribution)) {
      build.cuda = Fact<bool>::known(false, {names.front(), 0});
    } else {
      build.cuda = Fact<bool>::unknown(reason, {path, 0});
    }
    build.rocm = Fact<bool>::unknown(reason, {path, 0});
    build.cuda_version = build.cudnn_version = Fact<std::string>::unknown(reason, {path, 0});
  }

  /// The kernels are in libtensorflow_cc since 2.11, in the extension module before.
  void read_code(const std::string& directory, FrameworkBuild& build) {
    const Source source{directory, 0};
    if (build.cuda.known() && !build.cuda.value()) {
      build.sass = build.ptx =
          Fact<std::vector<std::string>>::absent(source, "not built with CUDA");
      return;
    }
    std::string kernels = directory + "/libtensorflow_cc.so.2";
    if (!system_.status(kernels)) kernels = directory + "/python/_pywrap_tensorflow_internal.so";
    objects_.read_code(kernels, build, kFatbinLimits);
  }

  System& system_;
  const Scope& scope_;
  Facts& facts_;
  PythonEnvironment& python_;
  NativeObjects objects_;
};

void collect(System& system, const Scope& scope, Facts& facts) {
  for (auto& python : facts.pythons) Reader(system, scope, facts, python).read();
}

} // namespace

const Collector kFrameworkBuild{"framework_build",
                                "tensorflow/{__init__.py,python/platform/build_info.py}, headers "
                                "and device code of its native libraries",
                                collect};

} // namespace gpuwhy
