// What could the dynamic loader meet when the frameworks open their CUDA libraries? Directories are
// listed and libraries examined until a search (src/loader) lacks nothing, whatever the name and
// with or without LD_LIBRARY_PATH: then judging can repeat it, and repeat it after a change,
// without a disk.
#include "base/text.h"
#include "base/version.h"
#include "collect/inventory.h"
#include "collect/loader_configuration.h"
#include "collect/python_environment.h"
#include "collect/software.h"
#include "knowledge/knowledge.h"
#include "loader/places.h"
#include "loader/search.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

constexpr int kMostRounds = 8;
constexpr int kDeepestPlace = 3;           // DIRECTORY/glibc-hwcaps/x86-64-v3/NAME
constexpr std::size_t kMostPackages = 100; // below one site-packages/nvidia
constexpr std::size_t kMostToolkits = 32;
/// Asked for to have every place of a search asked: no directory holds it.
constexpr const char* kNowhere = "libgpuwhy-asks-everywhere.so";

/// Folders of NVIDIA's wheels, in which a later `pip install` would put libraries.
constexpr std::array kWheelFolders = {"cublas",     "cuda_cupti", "cuda_nvrtc", "cuda_runtime",
                                      "cudnn",      "cufft",      "curand",     "cusolver",
                                      "cusparse",   "nccl",       "nvjitlink",  "cu13",
                                      "cusparselt", "nvshmem",    "nvtx",       "cufile"};

class Collection {
public:
  Collection(System& system, Facts& facts)
      : system_(system), facts_(facts), inventory_(system, facts) {}

  void run() {
    auto& libraries = facts_.libraries;
    read_loader_configuration(system_, libraries);
    libraries.cache = read_loader_cache(system_);
    libraries.cuda_tools =
        Fact<std::vector<std::string>>::known({}, {"toolkits, wheels and $PATH", 0});
    add_system_directories();
    add_toolkits();
    for (const auto& python : facts_.pythons) add_environment(python);
    inventory_.examine();
    for (int round = 0; round < kMostRounds && fill_gaps(); ++round) inventory_.examine();
    keep_cache_of_interest();
    inventory_.finish();
  }

private:
  void add_system_directories() {
    const auto& libraries = facts_.libraries;
    for (const auto& directory : libraries.default_directories)
      inventory_.add_directory(directory, "default directory");
    for (const auto& directory : libraries.configured_directories)
      inventory_.add_directory(loader::tidy_path(directory), "ld.so.conf");
    for (const auto& entry : libraries.cache.value_or({})) {
      if (is_cuda_library(entry.soname))
        inventory_.add_directory(std::string(parent_path(entry.path)), "ld.so.cache");
    }
    for (const auto* path : {"/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib",
                             "/usr/lib64/nvidia", "/usr/lib/nvidia", "/run/opengl-driver/lib"}) {
      inventory_.add_existing(path, "driver");
    }
  }

  void add_toolkits() {
    std::vector<std::string> roots = {"/opt/cuda", "/usr/lib/cuda"};
    if (const auto entries = system_.list("/usr/local")) {
      for (const auto& entry : *entries) {
        if (entry.name.starts_with("cuda") && roots.size() < kMostToolkits)
          roots.push_back("/usr/local/" + entry.name);
      }
    }
    for (const auto* name : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDNN_PATH"}) {
      const auto value = variable_value(system_, name);
      if (value.starts_with('/')) roots.push_back(loader::tidy_path(value));
    }
    std::vector<std::string> folders = {"/lib64", "/lib", "/lib64/stubs", "/compat",
                                        "/extras/CUPTI/lib64"};
    const auto& machine = system_.identity().machine;
    for (const auto* target : {"", "-linux"})
      folders.push_back("/targets/" + (machine == "aarch64" ? "sbsa" : machine) + target + "/lib");
    for (const auto& root : roots) {
      if (!is_directory(system_, root)) continue;
      for (const auto& folder : folders) inventory_.add_existing(root + folder, "toolkit");
      add_tools(root);
    }
  }

  /// What XLA compiles with.
  void add_tools(const std::string& root) {
    for (const auto* tool : {"/nvvm/libdevice/libdevice.10.bc", "/bin/ptxas"}) {
      if (is_file(system_, root + tool)) facts_.libraries.cuda_tools.value().push_back(root + tool);
    }
  }

  void add_environment(const PythonEnvironment& python) {
    if (!python.executable.empty()) inventory_.add_file(python.executable);
    if (python.kind == "conda") inventory_.add_existing(python.prefix + "/lib", "conda");
    for (const auto& site : python.site_directories) {
      add_wheels(site);
      for (const auto* folder : {"/torch/lib", "/cusparselt/lib", "/tensorrt_libs", "/tensorrt",
                                 "/tensorrt_cu12_libs"}) {
        inventory_.add_existing(site + folder, "wheel");
      }
    }
  }

  void add_wheels(const std::string& site) {
    const auto nvidia = site + "/nvidia";
    const auto entries = system_.list(nvidia);
    std::size_t count = 0;
    for (const auto& entry : entries ? *entries : std::vector<DirectoryEntry>{}) {
      if (entry.name.starts_with("__") || ++count > kMostPackages) continue;
      inventory_.add_existing(join_path(nvidia, entry.name) + "/lib", "wheel");
      if (entry.name == "cuda_nvcc" || entry.name.starts_with("cu1"))
        add_tools(join_path(nvidia, entry.name));
    }
    for (const auto* folder : kWheelFolders)
      inventory_.add_directory(nvidia + "/" + folder + "/lib", "wheel");
  }

  loader::Setting setting_of(const PythonEnvironment& python) const {
    loader::Setting setting;
    setting.library_path = variable_value(system_, "LD_LIBRARY_PATH");
    setting.executable = python.executable;
    setting.working_directory = system_.identity().working_directory;
    setting.musl = facts_.libraries.libc.value_or("").starts_with("musl");
    return setting;
  }

  /// Repeats all searches, and adds what one of them lacked; true if there was anything to add.
  bool fill_gaps() {
    lacks_.clear();
    for (const auto& python : facts_.pythons) {
      if (python.executable.empty()) continue;
      const auto setting = setting_of(python);
      bool any = false;
      for (const auto& framework : python.frameworks) {
        const auto* build = framework.build.get();
        if (build == nullptr) continue;
        any = true;
        ask_as(setting, framework, *build);
      }
      if (!any) ask(setting, {kNowhere, {}, {python.executable}});
    }
    ask_as_libraries();
    const auto known = [&] {
      return facts_.libraries.directories.size() + facts_.libraries.files.size();
    };
    const auto before = known();
    for (const auto& [what, because] : lacks_) {
      if (what.ends_with('/')) {
        inventory_.add_directory(what.size() > 1 ? what.substr(0, what.size() - 1) : what, because);
      } else if (what != "/etc/ld.so.cache") {
        inventory_.add_file(what);
      }
    }
    return known() > before;
  }

  void ask(const loader::Setting& setting, const loader::Request& request) {
    note(loader::Process(facts_.libraries, setting).open(request));
  }

  void note(const loader::Found& found) {
    std::map<std::string_view, std::string_view> reasons; // by directory, its slash included
    if (!found.not_looked.empty()) {
      for (const auto& asked : found.trace) {
        std::string_view place = asked.place;
        for (int level = 0; level < kDeepestPlace && place.size() > 1; ++level) {
          place = place.substr(0, place.find_last_of('/', place.size() - 2) + 1);
          reasons[place] = asked.because;
        }
      }
    }
    for (const auto& what : found.not_looked) {
      const auto reason = reasons.find(what);
      lacks_.emplace(what, reason == reasons.end() ? "search" : std::string(reason->second));
    }
  }

  void ask_as(const loader::Setting& setting, const Framework& framework,
              const FrameworkBuild& build) {
    ask(setting, {kNowhere, build.opener, build.loader_chain});
    for (const auto& soname : sonames_of(framework, build)) {
      ask(setting, {soname, build.opener, build.loader_chain});
    }
  }

  /// RPATH and RUNPATH of the libraries themselves, for what they need and open in turn.
  void ask_as_libraries() {
    if (facts_.pythons.empty()) return;
    const auto& python = facts_.pythons.front();
    auto setting = setting_of(python);
    setting.library_path.clear(); // asked already, for the frameworks
    for (const auto& [path, file] : facts_.libraries.files) {
      if (file.status != LibraryFile::Status::good || !inventory_.of_interest(base_name(path)))
        continue;
      if (!file.rpath.empty() || !file.runpath.empty())
        ask(setting, {kNowhere, path, {python.executable}});
    }
  }

  static std::vector<std::string> sonames_of(const Framework& framework,
                                             const FrameworkBuild& build) {
    std::vector<std::string> sonames = {"libcuda.so.1", "libnvidia-ml.so.1"};
    auto cuda = Version::parse(build.cuda_version.value_or(""));
    auto cudnn = Version::parse(build.cudnn_version.value_or(""));
    if (framework.name != "tensorflow") {
      if (!cudnn) cudnn = Version{{9}};
    } else if (const auto* release = find_tensorflow(framework.version.value_or(""))) {
      if (!cuda) cuda = release->cuda;
      if (!cudnn) cudnn = release->cudnn;
    }
    if (!cuda || !cudnn) return sonames;
    for (const auto& library : sonames_for(*cuda, *cudnn)) sonames.emplace_back(library.soname);
    return sonames;
  }

  void keep_cache_of_interest() {
    auto* entries = facts_.libraries.cache.get();
    if (entries == nullptr) return;
    std::erase_if(*entries,
                  [&](const CacheEntry& entry) { return !inventory_.of_interest(entry.soname); });
  }

  System& system_;
  Facts& facts_;
  Inventory inventory_;
  std::map<std::string, std::string> lacks_; // what, and why it was asked
};

void collect(System& system, const Scope&, Facts& facts) {
  Collection(system, facts).run();
}

} // namespace

const Collector kLibraryInventory{
    "library_inventory",
    "the loader's file, /etc/ld.so.cache, /etc/ld.so.conf; directories of the loader, "
    "LD_LIBRARY_PATH, RUNPATHs, "
    "NVIDIA wheels, conda and CUDA toolkits; headers of the libraries in them",
    collect};

} // namespace gpuwhy
