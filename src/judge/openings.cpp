#include "judge/openings.h"

#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace gpuwhy {
namespace {

using std::string_view_literals::operator""sv;

struct Preload {
  std::string_view folder; // below site-packages/nvidia
  std::string_view name;   // a soname, or its start where the framework uses a pattern
};

// The order of _load_nvidia_libraries().
constexpr std::array kJaxPreloads = {Preload{"cuda_runtime", "libcudart.so.12"},
                                     Preload{"cu13", "libcudart.so.13"},
                                     Preload{"cuda_nvrtc", "libnvrtc.so.12"},
                                     Preload{"cu13", "libnvrtc.so.13"},
                                     Preload{"cublas", "libcublas.so.12"},
                                     Preload{"cublas", "libcublasLt.so.12"},
                                     Preload{"cu13", "libcublas.so.13"},
                                     Preload{"cu13", "libcublasLt.so.13"},
                                     Preload{"nccl", "libnccl.so.2"},
                                     Preload{"cuda_cupti", "libcupti.so.12"},
                                     Preload{"cu13", "libcupti.so.13"},
                                     Preload{"cusparse", "libcusparse.so.12"},
                                     Preload{"cu13", "libcusparse.so.12"},
                                     Preload{"cusolver", "libcusolver.so.11"},
                                     Preload{"cu13", "libcusolver.so.12"},
                                     Preload{"cufft", "libcufft.so.11"},
                                     Preload{"cu13", "libcufft.so.12"},
                                     Preload{"nvshmem", "libnvshmem_host.so.3"},
                                     Preload{"cudnn", "libcudnn.so.9"}};

// The order of _preload_cuda_deps(). Before 2.9 cuBLASLt was not in it.
constexpr std::array kTorchPreloads = {Preload{"cublas", "libcublasLt.so."},
                                       Preload{"cublas", "libcublas.so."},
                                       Preload{"cudnn", "libcudnn.so."},
                                       Preload{"cuda_nvrtc", "libnvrtc.so."},
                                       Preload{"cuda_runtime", "libcudart.so."},
                                       Preload{"cuda_cupti", "libcupti.so."},
                                       Preload{"cufft", "libcufft.so."},
                                       Preload{"curand", "libcurand.so."},
                                       Preload{"nvjitlink", "libnvJitLink.so."},
                                       Preload{"cusparse", "libcusparse.so."},
                                       Preload{"cusparselt", "libcusparseLt.so."},
                                       Preload{"cusolver", "libcusolver.so."},
                                       Preload{"nccl", "libnccl.so."},
                                       Preload{"nvshmem", "libnvshmem_host.so."},
                                       Preload{"cufile", "libcufile.so."}};

struct Check {
  std::string_view product;
  bool asked; // by _check_cuda_versions(); the others are opened by kernels that need them
};
constexpr std::array kJaxChecks = {
    Check{"cudart", true}, Check{"cudnn", true},    Check{"cufft", true},    Check{"cupti", true},
    Check{"cublas", true}, Check{"cusparse", true}, Check{"cusolver", false}};

// From the first on jaxlib checks the CUDA libraries of its own GPU client. The plug-in's client
// passes that by: the plug-in itself checks them, from the second on.
const Version kJaxlibChecks{{0, 4, 17}};
const Version kPluginChecks{{0, 6, 1}};

// PyTorch has preloaded nvrtc and nvJitLink from here on, and everything from the second on.
const Version kTorchPreloadsSome{{2, 6}};
const Version kTorchPreloadsAll{{2, 9}};

std::string product_of(std::string_view soname) {
  if (soname.starts_with("libcudnn")) return "cudnn";
  if (soname.starts_with("lib")) soname.remove_prefix(3);
  return std::string(soname.substr(0, soname.find(".so")));
}

bool has_file(const Facts& facts, const std::string& directory, std::string_view name) {
  const auto found = facts.libraries.directories.find(directory);
  if (found == facts.libraries.directories.end()) return false;
  const auto& names = found->second.names;
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The file that `start` followed by digits matches in `directory`; empty: none.
std::string match(const Facts& facts, const std::string& directory, std::string_view start) {
  const auto found = facts.libraries.directories.find(directory);
  if (found == facts.libraries.directories.end()) return {};
  for (const auto& name : found->second.names) {
    const bool fits = name.starts_with(start) && name.size() > start.size() && name.back() >= '0' &&
                      name.back() <= '9';
    if (fits) return directory + "/" + name;
  }
  return {};
}

class Maker {
public:
  explicit Maker(const Case& subject)
      : facts_(subject.facts), python_(*subject.python), framework_(*subject.framework),
        build_(*subject.build()),
        version_(Version::parse(framework_.version.value_or("")).value_or(Version{})) {}

  std::vector<Opening> run() {
    if (framework_.name == "torch") {
      torch();
    } else if (framework_.name == "jax") {
      jax();
    } else {
      tensorflow();
    }
    return std::move(list_);
  }

  std::vector<Opening> torch_by_path() {
    for (const auto& preload : kTorchPreloads) preload_torch(preload);
    return std::move(list_);
  }

private:
  void open(std::string name, std::string product, bool required, const std::string& opener) {
    const bool early = framework_.name == "torch" ? required : // TensorFlow registers its kernels
                           framework_.name == "tensorflow" && product == "cudart";
    list_.push_back(
        {{std::move(name), opener, build_.loader_chain}, std::move(product), required, early});
  }
  void preload(const std::string& path) {
    const bool early = framework_.name == "torch";
    list_.push_back({{path, python_.executable, {python_.executable}}, {}, false, early});
  }

  void tensorflow() {
    for (const auto& wanted :
         tensorflow_libraries(framework_.version.value_or(""), build_.cuda_version.value_or(""),
                              build_.cudnn_version.value_or(""))) {
      open(wanted.soname, std::string(wanted.product), wanted.required, build_.opener);
    }
  }

  void jax() {
    const auto* release = find_jax(version_);
    if (release != nullptr && release->preloads) {
      for (const auto& each : kJaxPreloads) {
        for (const auto& site : python_.site_directories) {
          const auto directory = site + "/nvidia/" + std::string(each.folder) + "/lib";
          if (!has_file(facts_, directory, each.name)) continue;
          preload(directory + "/" + std::string(each.name));
          break;
        }
      }
    }
    const auto cuda = Version::parse(build_.cuda_version.value_or(""));
    if (!cuda) return;
    const auto cudnn = Version::parse(build_.cudnn_version.value_or("")).value_or(Version{{9}});
    const bool checks = jax_checks();
    for (const auto& check : kJaxChecks) {
      const auto name = soname(check.product, check.product == "cudnn" ? cudnn : *cuda);
      const bool required = check.asked && (checks || check.product == "cudart");
      if (!name.empty()) open(name, std::string(check.product), required, build_.opener);
    }
  }

  /// Before it lists GPUs, JAX asks each library for its version, unless it is told not to.
  bool jax_checks() const {
    const auto* skip = facts_.environment.find("JAX_SKIP_CUDA_CONSTRAINTS_CHECK");
    if (skip != nullptr && !skip->value.empty()) return false;
    const bool plugin = base_name(build_.opener) == "_versions.so";
    return version_.parts.empty() || version_ >= (plugin ? kPluginChecks : kJaxlibChecks);
  }

  /// False if there is none: PyTorch ends its preloading there.
  bool preload_torch(const Preload& preload_of) {
    const auto major = Version::parse(build_.cuda_version.value_or("")).value_or(Version{}).major();
    for (const auto& site : python_.site_directories) {
      for (const auto& directory : {site + "/nvidia/" + std::string(preload_of.folder) + "/lib",
                                    site + "/nvidia/cu" + std::to_string(major) + "/lib",
                                    site + "/" + std::string(preload_of.folder) + "/lib"}) {
        const auto path = match(facts_, directory, preload_of.name);
        if (path.empty()) continue;
        preload(path);
        return true;
      }
    }
    return false;
  }

  /// What the loader brings along for torch._C; a carrier that is not in it is opened in use.
  std::set<std::string> loaded_with_torch() const {
    std::set<std::string> names = {std::string(base_name(build_.opener)), "libtorch_global_deps.so",
                                   "libtorch_python.so"};
    const auto follow = [&](const std::string& path) {
      const auto file = facts_.libraries.files.find(path);
      if (!names.contains(std::string(base_name(path))) || file == facts_.libraries.files.end())
        return;
      names.insert(file->second.needed.begin(), file->second.needed.end());
    };
    for (const auto& object : build_.loader_chain) follow(object);
    follow(build_.opener);
    for (const auto& carrier : build_.carriers) follow(carrier); // in the order of loading
    return names;
  }

  /// libtorch_global_deps.so with the CUDA runtime first, then the preloads, then what torch._C
  /// needs. What only the linear algebra or a compiled kernel needs is loaded when that is used.
  void torch() {
    const auto cudart =
        soname("cudart", Version::parse(build_.cuda_version.value_or("")).value_or(Version{}));
    if (!cudart.empty()) open(cudart, "cudart", true, build_.opener);
    if (version_ >= kTorchPreloadsSome) {
      for (const auto& each : kTorchPreloads) {
        const bool early = each.folder == "cuda_nvrtc" || each.folder == "nvjitlink";
        const bool wanted = version_ >= kTorchPreloadsAll || early;
        if (wanted && !preload_torch(each)) break;
      }
    }
    for (const auto& each : needed_by_torch(cudart))
      open(each.name, product_of(each.name), each.required, each.carrier);
  }

  struct Needed {
    std::string name;
    std::string carrier; // the object of PyTorch's that needs it
    bool required = true;
  };

  /// The loader goes breadth first: what PyTorch's objects need is found for them, before any of it
  /// looks for what it needs itself. So cuBLASLt, which cuBLAS needs too, comes before cuBLAS.
  std::vector<Needed> needed_by_torch(const std::string& cudart) const {
    std::vector<Needed> waiting;
    std::set<std::string> asked = {cudart};
    std::vector<std::string> carriers = {build_.opener};
    carriers.insert(carriers.end(), build_.carriers.begin(), build_.carriers.end());
    const auto at_once = loaded_with_torch();
    for (const auto& carrier : carriers) {
      const auto file = facts_.libraries.files.find(carrier);
      if (file == facts_.libraries.files.end()) continue;
      const bool required = at_once.contains(std::string(base_name(carrier)));
      for (const auto& name : file->second.needed) {
        if (is_cuda_name(name) && asked.insert(name).second)
          waiting.push_back({name, carrier, required});
      }
    }
    const auto needs = needs_of(waiting);
    const auto is_first = [&](const Needed& each) {
      const auto& needed = needs.at(each.name);
      return std::none_of(waiting.begin(), waiting.end(), [&](const Needed& other) {
        return other.name != each.name &&
               std::find(needed.begin(), needed.end(), other.name) != needed.end();
      });
    };
    std::vector<Needed> ordered;
    while (!waiting.empty()) {
      auto next = std::find_if(waiting.begin(), waiting.end(), is_first);
      if (next == waiting.end()) next = waiting.begin(); // they need each other
      ordered.push_back(std::move(*next));
      waiting.erase(next);
    }
    return ordered;
  }

  /// What each of these needs, by soname. Any copy tells: that goes with the soname.
  std::map<std::string, std::vector<std::string>> needs_of(const std::vector<Needed>& all) const {
    std::map<std::string, std::vector<std::string>> needs;
    for (const auto& each : all) needs[each.name];
    for (const auto& [path, file] : facts_.libraries.files) {
      const auto found = needs.find(std::string(base_name(path)));
      if (found != needs.end() && found->second.empty()) found->second = file.needed;
    }
    return needs;
  }

  const Facts& facts_;
  const PythonEnvironment& python_;
  const Framework& framework_;
  const FrameworkBuild& build_;
  Version version_;
  std::vector<Opening> list_;
};

} // namespace

bool is_cuda_name(std::string_view name) {
  constexpr std::array kStarts = {
      "libcudart.so"sv, "libcublas"sv,    "libcudnn"sv,        "libcufft.so"sv,  "libcurand.so"sv,
      "libcusolver"sv,  "libcusparse"sv,  "libcupti.so"sv,     "libnccl.so"sv,   "libnvrtc.so"sv,
      "libnvJitLink"sv, "libcufile.so"sv, "libnvshmem_host"sv, "libnvToolsExt"sv};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

std::vector<Opening> openings_of(const Case& subject) {
  return Maker(subject).run();
}

std::vector<Opening> second_attempt(const Case& subject) {
  if (subject.framework->name != "torch") return {};
  return Maker(subject).torch_by_path();
}

} // namespace gpuwhy
