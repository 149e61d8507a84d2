// PyTorch in each environment, and what it was built with: torch/version.py says it, torch/lib
// holds the native libraries. Truth: the wheels of torch 2.6 and 2.11 (CUDA), and
// torch/__init__.py, which loads libtorch_global_deps.so and then torch._C.
#include "base/text.h"
#include "base/version.h"
#include "collect/import_path.h"
#include "collect/native_objects.h"
#include "collect/python_environment.h"
#include "collect/software.h"

#include <algorithm>
#include <array>
#include <optional>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestSource = 64U << 10U;
constexpr std::size_t kLongestValue = 100;
// libtorch_cuda.so names all its architectures within the first containers.
constexpr FatbinLimits kFatbinLimits{.reads = 160, .read_size = 512, .entries = 600};

constexpr std::array<std::string_view, 1> kInsides = {"version.py"};
constexpr ImportName kName{"torch", "PyTorch", kInsides};
/// PyTorch's own objects, among all that they need.
constexpr std::array<std::string_view, 4> kOwnNames = {"libtorch", "libc10", "libshm", "libcaffe2"};
/// Loaded by name when linear algebra runs, and when a kernel is compiled.
constexpr std::array<std::string_view, 2> kOpenedInUse = {"libtorch_cuda_linalg.so",
                                                          "libcaffe2_nvrtc.so"};
constexpr std::size_t kMostObjects = 64;

struct Assigned {
  std::string text; // empty: None
  int line = 0;
};

/// "cuda: Optional[str] = '12.4'" or "cuda = '12.4'" -> 12.4. Nothing if the name is not assigned.
std::optional<Assigned> assigned(std::string_view source, std::string_view name) {
  int number = 0;
  for (const auto line : split_lines(source)) {
    ++number;
    if (!line.starts_with(name)) continue;
    const auto rest = line.substr(name.size());
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos ||
        (rest.front() != ' ' && rest.front() != ':' && rest.front() != '='))
      continue;
    auto value = trim(rest.substr(equals + 1));
    if (value == "None" || value == "False") return Assigned{{}, number};
    const char quote = value.empty() ? ' ' : value.front();
    if (quote != '\'' && quote != '"') continue;
    value.remove_prefix(1);
    const auto end = value.find(quote);
    if (end == std::string_view::npos || end > kLongestValue) continue;
    return Assigned{printable(value.substr(0, end)), number};
  }
  return std::nullopt;
}

class Reader {
public:
  Reader(System& system, const Scope& scope, Facts& facts, PythonEnvironment& python)
      : system_(system), scope_(scope), python_(python), objects_(system, facts) {}

  void read() {
    for (const auto& package : packages_named(system_, scope_, python_, kName)) {
      if (package.foreign) {
        python_.frameworks.push_back(foreign_framework(kName, package.path));
      } else {
        add(package.site, package.path);
      }
    }
  }

private:
  void add(const std::string& site, const std::string& directory) {
    Framework framework;
    framework.name = "torch";
    framework.directory = directory;
    for (const auto* name : {"torch", "pytorch"}) {
      if (owner_of(python_, site, name) != nullptr) framework.distributions.emplace_back(name);
    }
    FrameworkBuild build;
    read_version(framework, build);
    const auto library = find_libraries(framework);
    if (library.empty()) {
      framework.build =
          Fact<FrameworkBuild>::absent({directory, 0}, directory + ": has no native library");
      framework.broken.push_back(directory + "/lib/libtorch_cpu.so is missing");
    } else {
      read_objects(framework, build, library);
      framework.build = Fact<FrameworkBuild>::known(std::move(build), {directory, 0});
    }
    python_.frameworks.push_back(std::move(framework));
  }

  void read_version(Framework& framework, FrameworkBuild& build) {
    const auto path = framework.directory + "/version.py";
    const auto text = system_.read(path, kLargestSource);
    const auto version = text ? assigned(*text, "__version__") : std::nullopt;
    const auto cuda = text ? assigned(*text, "cuda") : std::nullopt;
    const auto hip = text ? assigned(*text, "hip") : std::nullopt;
    const auto reason = text ? path + ": not in a form that is known" : text.error().reason;
    framework.version = version && !version->text.empty()
                            ? Fact<std::string>::known(version->text, {path, version->line})
                            : Fact<std::string>::unknown(reason, {path, 0});
    if (cuda) {
      const Source source{path, cuda->line};
      build.cuda = Fact<bool>::known(!cuda->text.empty(), source);
      build.cuda_version = cuda->text.empty()
                               ? Fact<std::string>::absent(source, "built without CUDA")
                               : Fact<std::string>::known(cuda->text, source);
    } else {
      build.cuda = Fact<bool>::unknown(reason, {path, 0});
      build.cuda_version = Fact<std::string>::unknown(reason, {path, 0});
    }
    build.rocm = hip ? Fact<bool>::known(!hip->text.empty(), {path, hip->line})
                     : Fact<bool>::unknown(reason, {path, 0});
  }

  /// torch/lib of a wheel; conda and distributions put the libraries beside the other system
  /// libraries.
  std::string find_libraries(const Framework& framework) {
    for (const auto& directory : {framework.directory + "/lib", python_.prefix + "/lib"}) {
      if (system_.status_of_link(directory + "/libtorch_cpu.so")) return directory;
      if (system_.status_of_link(directory + "/libtorch_python.so")) return directory;
    }
    return {};
  }

  void read_objects(Framework& framework, FrameworkBuild& build, const std::string& library) {
    const bool cuda = build.cuda.value_or(false);
    const bool own = library == framework.directory + "/lib";
    build.opener = library + (cuda ? "/libtorch_cuda.so" : "/libtorch_cpu.so");
    if (own) objects_.check(framework, build.opener);
    const auto python_library = library + "/libtorch_python.so";
    if (own) objects_.check(framework, python_library);
    if (system_.status_of_link(python_library)) build.loader_chain.push_back(python_library);
    if (cuda) add_carriers(build, library);
    objects_.add_interpreter(python_, build);
    if (cuda) {
      objects_.read_code(build.opener, build, kFatbinLimits);
      build.cudnn_version = cudnn_of(framework);
      return;
    }
    const auto none =
        Fact<std::vector<std::string>>::absent({build.opener, 0}, "not built with CUDA");
    if (build.cuda.known()) build.sass = build.ptx = none;
  }

  /// First what is loaded before torch._C, then, breadth first as the loader goes, what torch._C
  /// needs of PyTorch's own; last the objects that PyTorch opens when they are used.
  void add_carriers(FrameworkBuild& build, const std::string& library) {
    std::vector<std::string> names = {"libtorch_global_deps.so", "libtorch_python.so"};
    const auto take = [&](const std::string& path) {
      build.carriers.push_back(path);
      for (const auto& needed : objects_.classify(path).needed) {
        const bool own =
            std::any_of(kOwnNames.begin(), kOwnNames.end(),
                        [&](std::string_view start) { return needed.starts_with(start); });
        if (own && std::find(names.begin(), names.end(), needed) == names.end())
          names.push_back(needed);
      }
    };
    for (std::size_t at = 0; at < names.size() && at < kMostObjects; ++at) {
      const auto path = library + "/" + names[at];
      if (system_.status_of_link(path)) take(path);
    }
    for (const auto name : kOpenedInUse) {
      const bool known = std::find(names.begin(), names.end(), name) != names.end();
      const auto path = library + "/" + std::string(name);
      if (!known && system_.status_of_link(path)) take(path);
    }
  }

  /// The wheel's own requirement names the cuDNN that it was compiled with.
  Fact<std::string> cudnn_of(const Framework& framework) {
    const auto* owner = owner_of(python_, std::string(parent_path(framework.directory)), "torch");
    if (owner != nullptr) {
      if (auto pin = cudnn_pin(*owner, "==")) return *pin;
    }
    return Fact<std::string>::unknown(framework.directory + ": does not tell its cuDNN",
                                      {framework.directory, 0});
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

const Collector kTorchBuild{"torch_build", "torch/version.py, headers and device code of torch/lib",
                            collect};

} // namespace gpuwhy
