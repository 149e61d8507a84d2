// JAX in each environment. Its CUDA support is not in jax or jaxlib but in two packages of native
// code: jax_cudaNN_plugin (kernels, version checks) and jax_plugins/xla_cudaNN (the PJRT plug-in).
// Up to 0.4.29 there was also one jaxlib with all of it. Truth: the wheels of jax 0.10.2 with CUDA
// 12 and 13; jax_plugins/xla_cuda12/__init__.py.
#include "base/text.h"
#include "base/version.h"
#include "collect/import_path.h"
#include "collect/native_objects.h"
#include "collect/python_environment.h"
#include "collect/software.h"
#include "knowledge/knowledge.h"

#include <array>

namespace gpuwhy {
namespace {

constexpr FatbinLimits kFatbinLimits{.reads = 160, .read_size = 512, .entries = 600};
/// JAX tries the plug-in packages in this order.
constexpr std::array kCudaMajors = {13, 12};
constexpr std::array<std::string_view, 2> kInsides = {"_src", "version.py"};
constexpr ImportName kName{"jax", "JAX", kInsides};

class Reader {
public:
  Reader(System& system, const Scope& scope, Facts& facts, PythonEnvironment& python)
      : system_(system), scope_(scope), python_(python), objects_(system, facts) {}

  void read() {
    for (const auto& package : packages_named(system_, scope_, python_, kName)) {
      if (package.foreign) {
        python_.frameworks.push_back(foreign_framework(kName, package.path));
      } else {
        add(package);
      }
    }
  }

private:
  void add(const ImportedPackage& package) {
    const auto& directory = package.path;
    Framework framework;
    framework.name = "jax";
    framework.directory = directory;
    take_owner(python_, package, "jax", framework);
    if (!find("jaxlib/__init__.py").empty()) {
      framework.build = Fact<FrameworkBuild>::known(read_build(framework), {directory, 0});
    } else {
      framework.build = Fact<FrameworkBuild>::absent({directory, 0}, "there is no jaxlib");
      framework.broken.push_back(join_path(package.site, "jaxlib") + " is missing");
    }
    python_.frameworks.push_back(std::move(framework));
  }

  /// The first site directory that has this file; its full path. Empty: none has.
  std::string find(std::string_view below) {
    for (const auto& site : python_.site_directories) {
      auto path = join_path(site, below);
      if (system_.status_of_link(path)) return path;
    }
    return {};
  }

  FrameworkBuild read_build(Framework& framework) {
    FrameworkBuild build;
    for (const int major : kCudaMajors) {
      const auto number = std::to_string(major);
      const auto checker = find("jax_cuda" + number + "_plugin/_versions.so");
      const auto plugin = find("jax_plugins/xla_cuda" + number + "/xla_cuda_plugin.so");
      if (checker.empty() && plugin.empty()) continue;
      if (checker.empty() || plugin.empty()) {
        note_half(build, checker.empty() ? plugin : checker);
        continue;
      }
      read_plugin(framework, build, major, checker, plugin);
      return build;
    }
    if (read_monolith(build)) return build;
    finish_without_cuda(build);
    return build;
  }

  /// Half of the pair: F12 tells, by the distributions.
  static void note_half(FrameworkBuild& build, const std::string& path) {
    build.carriers.push_back(path);
  }

  void read_plugin(Framework& framework, FrameworkBuild& build, int major,
                   const std::string& checker, const std::string& plugin) {
    const Source source{plugin, 0};
    build.carriers.clear();
    build.opener = checker;
    build.carriers.push_back(plugin);
    objects_.check(framework, checker);
    objects_.check(framework, plugin);
    build.cuda = Fact<bool>::known(true, source);
    build.rocm = Fact<bool>::known(false, source);
    const auto version = Version::parse(framework.version.value_or(""));
    const auto* release = version ? find_jax(*version) : nullptr;
    const auto* row = release == nullptr ? nullptr : release->plugin(major);
    build.cuda_version =
        Fact<std::string>::known(row == nullptr ? std::to_string(major) : row->cuda.str(), source);
    build.cudnn_version = cudnn_of(major);
    if (row != nullptr)
      build.compute_capabilities.assign(row->capabilities.begin(), row->capabilities.end());
    objects_.add_interpreter(python_, build);
    objects_.read_code(plugin, build, kFatbinLimits);
  }

  /// "nvidia-cudnn-cu12<10.0,>=9.8": the lower bound is what the plug-in was built with.
  Fact<std::string> cudnn_of(int major) {
    const auto name = "jax-cuda" + std::to_string(major) + "-plugin";
    for (const auto& distribution : python_.distributions) {
      if (distribution.name != name) continue;
      if (auto pin = cudnn_pin(distribution, ">=")) return *pin;
    }
    return Fact<std::string>::unknown(name + " does not tell its cuDNN");
  }

  /// jaxlib 0.4.25+cuda12.cudnn89
  bool read_monolith(FrameworkBuild& build) {
    for (const auto& distribution : python_.distributions) {
      const auto at = distribution.version.find("+cuda");
      if (distribution.name != "jaxlib" || at == std::string::npos) continue;
      const Source source{distribution.location, 0};
      const auto tag = std::string_view(distribution.version).substr(at + 5);
      const auto cudnn = tag.find(".cudnn");
      const auto cuda = tag.substr(0, cudnn);
      if (cuda.empty()) continue;
      build.cuda = Fact<bool>::known(true, source);
      build.rocm = Fact<bool>::known(false, source);
      build.cuda_version = Fact<std::string>::known(std::string(cuda), source);
      if (cudnn != std::string_view::npos && tag.size() > cudnn + 6) {
        const auto digits = tag.substr(cudnn + 6); // "89" is 8.9
        auto text = std::string(digits.substr(0, 1));
        if (digits.size() > 1) text += "." + std::string(digits.substr(1));
        build.cudnn_version = Fact<std::string>::known(std::move(text), source);
      }
      build.opener = find("jaxlib/xla_extension.so");
      objects_.add_interpreter(python_, build);
      if (!build.opener.empty()) {
        objects_.classify(build.opener);
        objects_.read_code(build.opener, build, kFatbinLimits);
      }
      return true;
    }
    return false;
  }

  void finish_without_cuda(FrameworkBuild& build) {
    const auto jaxlib = find("jaxlib/__init__.py");
    const Source source{std::string(parent_path(jaxlib)), 0};
    build.cuda = Fact<bool>::known(false, source);
    bool rocm = false;
    for (const auto& distribution : python_.distributions)
      rocm = rocm || distribution.name.starts_with("jax-rocm");
    build.rocm = Fact<bool>::known(rocm, source);
    build.cuda_version = build.cudnn_version = Fact<std::string>::absent(source, "no CUDA plug-in");
    build.sass = build.ptx = Fact<std::vector<std::string>>::absent(source, "no CUDA plug-in");
    for (const auto* name :
         {"jaxlib/libjax_common.so", "jaxlib/_jax.so", "jaxlib/xla_extension.so"}) {
      build.opener = find(name);
      if (!build.opener.empty()) break;
    }
    if (!build.opener.empty()) objects_.classify(build.opener);
    objects_.add_interpreter(python_, build);
  }

  System& system_;
  const Scope& scope_;
  PythonEnvironment& python_;
  NativeObjects objects_;
};

void collect(System& system, const Scope& scope, Facts& facts) {
  for (auto& python : facts.pythons) Reader(system, scope, facts, python).read();
}

} // namespace

const Collector kJaxBuild{"jax_build",
                          "jax, jaxlib, jax_cuda12_plugin, jax_cuda13_plugin, "
                          "jax_plugins/xla_cuda*: headers and device code",
                          collect};

} // namespace gpuwhy
