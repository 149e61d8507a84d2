// A healthy machine to break: Ubuntu, one RTX 4090, driver 550, a venv with TensorFlow 2.18.0 and
// its CUDA wheels.
//
//   Bench bench;
//   bench.remove_wheel("cudnn");
//   EXPECT_EQ(bench.ask("L03").state, Outcome::State::found);
//   EXPECT_TRUE(bench.first_edit_mends("L03"));
#pragma once

#include "base/text.h"
#include "facts/edit.h"
#include "knowledge/knowledge.h"
#include "rules/rule.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy::test {

inline const std::string kSite = "/home/u/tf/lib/python3.11/site-packages";
inline const std::string kPython = "/home/u/tf/bin/python";
inline const std::string kSystemLibraries = "/usr/lib/x86_64-linux-gnu";

/// A whole library with this path; its soname is the file's name up to the major version.
inline LibraryFile library(const std::string& path, const std::string& version = {}) {
  LibraryFile file;
  file.path = file.real_path = file.identity = path;
  file.soname = base_name(path);
  file.size = 50'000'000;
  file.runpath = {"$ORIGIN"};
  if (!version.empty()) file.version = Fact<std::string>::known(version, {path, 0});
  return file;
}

inline Distribution distribution(const std::string& name, const std::string& version) {
  Distribution made;
  made.name = name;
  made.version = version;
  made.directory = kSite;
  made.location = kSite + "/" + replace_all(name, "-", "_") + "-" + version + ".dist-info";
  made.installer = "pip";
  return made;
}

inline void add_file(Facts& facts, const LibraryFile& file) {
  edit::add_library(facts, std::string(parent_path(file.path)), file);
}

inline Facts healthy_facts() {
  Facts facts;
  facts.platform.machine = "x86_64";
  facts.platform.kernel_release = "6.8.0-45-generic";
  facts.platform.distribution_id = Fact<std::string>::known("ubuntu", {"/etc/os-release", 1});
  facts.platform.package_manager = "apt";
  facts.platform.working_directory = "/home/u/work";

  PciGpu gpu;
  gpu.address = "0000:01:00.0";
  gpu.vendor = "nvidia";
  gpu.vendor_id = "10de";
  gpu.device_id = "2684";
  gpu.class_id = "030000";
  gpu.driver = Fact<std::string>::known("nvidia", {"/sys/bus/pci/devices/0000:01:00.0/driver", 0});
  gpu.product = Fact<std::string>::known("GeForce RTX 4090");
  gpu.architecture = Fact<std::string>::known("Ada");
  gpu.compute_capability = Fact<ComputeCapability>::known({8, 9});
  gpu.last_driver_branch = Fact<int>::absent(Source{});
  facts.hardware.gpus = Fact<std::vector<PciGpu>>::known({gpu}, {"/sys/bus/pci/devices", 0});
  facts.hardware.virtual_machine = Fact<std::string>::absent(Source{});
  facts.hardware.tegra = Fact<std::string>::absent(Source{});
  edit::driver_works(facts, "550.54.14", 12040);
  for (auto* probe : {facts.observed.cuda.get(), facts.observed.cuda_unhidden.get()}) {
    probe->library = kSystemLibraries + "/libcuda.so.550.54.14";
    probe->devices.front().uuid = "GPU-153e4ec0-0000-4000-8000-000000000001";
  }
  facts.observed.cuda_unhidden =
      Fact<CudaProbe>::known(facts.observed.cuda_unhidden.value(), {"probe cuda_init", 0});
  facts.observed.cuda = Fact<CudaProbe>::known(facts.observed.cuda.value(), {"probe cuda_init", 0});

  facts.environment.looked = true;
  auto& libraries = facts.libraries;
  libraries.default_directories = {"/lib/x86_64-linux-gnu", kSystemLibraries, "/lib", "/usr/lib"};
  libraries.libc = Fact<std::string>::known("glibc 2.35");
  libraries.lib_token = "lib/x86_64-linux-gnu";
  libraries.platform_token = "x86_64";
  for (const auto& directory : libraries.default_directories) {
    libraries.directories[directory] = LibraryDirectory{.path = directory,
                                                        .status = LibraryDirectory::Status::present,
                                                        .names = {},
                                                        .capabilities = {},
                                                        .origin = "default"};
  }
  auto cuda = library(kSystemLibraries + "/libcuda.so.1");
  cuda.real_path = cuda.identity = kSystemLibraries + "/libcuda.so.550.54.14";
  add_file(facts, cuda);
  libraries.cache = Fact<std::vector<CacheEntry>>::known({{"libcuda.so.1", cuda.path, {}}},
                                                         {"/etc/ld.so.cache", 0});
  DriverLibrary driver;
  driver.path = cuda.path;
  driver.real_path = cuda.real_path;
  driver.version = Fact<std::string>::known("550.54.14");
  driver.size = cuda.size;
  facts.driver.libcuda = Fact<std::vector<DriverLibrary>>::known({driver});

  PythonEnvironment python;
  python.interpreter = kPython;
  python.executable = "/usr/bin/python3.11";
  python.kind = "venv";
  python.prefix = "/home/u/tf";
  python.version = Fact<std::string>::known("3.11.7", {"/home/u/tf/pyvenv.cfg", 3});
  python.chosen_by = "$PATH";
  python.selected = true;
  python.site_directories = {kSite};
  auto executable = library(python.executable);
  executable.soname.clear();
  executable.runpath.clear();
  add_file(facts, executable);

  const std::vector<std::pair<std::string, std::string>> wheels = {
      {"cublas", "12.5.3.2"},    {"cuda-nvrtc", "12.5.82"}, {"cuda-runtime", "12.5.82"},
      {"cudnn", "9.3.0.75"},     {"cufft", "11.2.3.61"},    {"curand", "10.3.6.82"},
      {"cusolver", "11.6.3.83"}, {"cusparse", "12.5.1.3"},  {"nccl", "2.21.5"},
      {"nvjitlink", "12.5.82"}};
  auto tensorflow = distribution("tensorflow", "2.18.0");
  for (const auto& [name, version] : wheels) {
    tensorflow.cuda_pins.push_back("nvidia-" + name + "-cu12==" + version);
    python.distributions.push_back(distribution("nvidia-" + name + "-cu12", version));
  }
  python.distributions.push_back(tensorflow);

  const auto nvidia = kSite + "/nvidia/";
  for (const std::string path :
       {"cuda_runtime/lib/libcudart.so.12", "cublas/lib/libcublas.so.12",
        "cublas/lib/libcublasLt.so.12", "cufft/lib/libcufft.so.11", "curand/lib/libcurand.so.10",
        "cusolver/lib/libcusolver.so.11", "cusparse/lib/libcusparse.so.12",
        "nvjitlink/lib/libnvJitLink.so.12", "nccl/lib/libnccl.so.2",
        "cuda_nvrtc/lib/libnvrtc.so.12"}) {
    auto file = library(nvidia + path);
    if (path.ends_with("libcublas.so.12")) file.needed = {"libcublasLt.so.12"};
    if (path.ends_with("libcusparse.so.12")) file.needed = {"libnvJitLink.so.12"};
    if (path.ends_with("libcusolver.so.11")) {
      file.needed = {"libcublas.so.12", "libcublasLt.so.12", "libcusparse.so.12",
                     "libnvJitLink.so.12"};
    }
    file.runpath = {"$ORIGIN", "$ORIGIN/../../cublas/lib", "$ORIGIN/../../cusparse/lib",
                    "$ORIGIN/../../nvjitlink/lib"};
    add_file(facts, file);
  }
  for (const std::string part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                                 "_engines_precompiled", "_engines_runtime_compiled"}) {
    add_file(facts, library(nvidia + "cudnn/lib/libcudnn" + part + ".so.9", "9.3.0.75"));
  }

  Framework framework;
  framework.name = "tensorflow";
  framework.directory = kSite + "/tensorflow";
  framework.version = Fact<std::string>::known("2.18.0", {tensorflow.location, 0});
  framework.distributions = {"tensorflow"};
  FrameworkBuild build;
  const Source info{framework.directory + "/python/platform/build_info.py", 19};
  build.cuda = Fact<bool>::known(true, info);
  build.rocm = Fact<bool>::known(false, info);
  build.cuda_version = Fact<std::string>::known("12.5.1", info);
  build.cudnn_version = Fact<std::string>::known("9", info);
  build.compute_capabilities = {"sm_60", "sm_70", "sm_80", "sm_89", "compute_90"};
  build.opener = framework.directory + "/libtensorflow_framework.so.2";
  build.loader_chain = {python.executable};
  framework.build = Fact<FrameworkBuild>::known(build, info);
  python.frameworks = {framework};
  auto opener = library(build.opener);
  opener.runpath.clear();
  for (const std::string folder :
       {"cublas", "cudnn", "cufft", "cusolver", "cusparse", "cuda_runtime"}) {
    opener.runpath.push_back("$ORIGIN/../nvidia/" + folder + "/lib");
  }
  add_file(facts, opener);
  facts.pythons = {python};
  return facts;
}

/// The case of the selected environment, searched as the judge does it.
inline Case case_of(const Facts& facts) {
  Case c{facts, "tensorflow", nullptr, nullptr, {}, {}};
  if (facts.pythons.empty()) return c;
  c.python = &facts.pythons.front();
  if (!c.python->frameworks.empty()) c.framework = &c.python->frameworks.front();
  const auto* build = c.build();
  if (build == nullptr) return c;
  loader::Setting setting;
  if (const auto* path = facts.environment.find("LD_LIBRARY_PATH"))
    setting.library_path = path->value;
  setting.executable = c.python->executable;
  setting.working_directory = facts.platform.working_directory;
  loader::Process process(facts.libraries, setting, {"libc.so.6"});
  const auto open = [&](const std::string& soname) {
    return process.open({soname, build->opener, build->loader_chain});
  };
  c.libcuda = open("libcuda.so.1");
  if (tensorflow_opens_nvml(c.framework->version.value_or("")))
    c.libnvidia_ml = open("libnvidia-ml.so.1");
  const auto* release = find_tensorflow(c.framework->version.value_or(""));
  if (!build->cuda.value_or(false) || release == nullptr) return c;
  for (const auto product : release->gate_libraries) {
    const auto name = soname(product, product == "cudnn" ? release->cudnn : release->cuda);
    if (name.empty()) continue; // the driver's
    LibraryNeed need;
    need.soname = name;
    need.product = product;
    need.required = product != "curand";
    need.found = open(name);
    c.libraries.push_back(std::move(need));
  }
  return c;
}

inline const Rule& rule(std::string_view id) {
  for (const auto* each : all_rules()) {
    if (each->id == id) return *each;
  }
  throw std::runtime_error("no rule " + std::string(id));
}

inline VariableOrigin origin(const std::string& path, int line, const std::string& text) {
  VariableOrigin made;
  made.path = path;
  made.line = line;
  made.text = text;
  made.certain = true;
  return made;
}

inline void set_variable(Facts& facts, const std::string& name, const std::string& value,
                         const std::vector<VariableOrigin>& origins = {}) {
  edit::set_variable(facts, name, value);
  for (auto& variable : facts.environment.variables) {
    if (variable.name == name) variable.origins = origins;
  }
}

/// Facts to break, and the questions to put to them.
struct Bench {
  Facts facts = healthy_facts();

  PythonEnvironment& python() { return facts.pythons.front(); }
  Framework& framework() { return python().frameworks.front(); }
  FrameworkBuild& build() { return framework().build.value(); }

  Outcome ask(std::string_view id) const { return rule(id).check(case_of(facts)); }
  Outcome::State state(std::string_view id) const { return ask(id).state; }
  /// Ids found, without the consequences of others, hides before breaks before slows, by gate, by
  /// id.
  /// `families` are the first letters of the rules that are asked; empty: all.
  std::vector<std::string> found(std::string_view families = {}) const {
    const auto c = case_of(facts);
    std::vector<std::pair<const Rule*, Effect>> hits;
    std::vector<std::string_view> explained;
    for (const auto* each : all_rules()) {
      if (!families.empty() && !contains(families, each->id.substr(0, 1))) continue;
      if (each->settled_by_driver && c.driver_answers() && !c.management_fails()) continue;
      const auto outcome = each->check(c);
      if (outcome.state != Outcome::State::found) continue;
      hits.emplace_back(each, outcome.effect.value_or(each->effect));
      explained.insert(explained.end(), each->explains.begin(), each->explains.end());
    }
    std::erase_if(hits, [&](const auto& hit) {
      return std::find(explained.begin(), explained.end(), hit.first->id) != explained.end();
    });
    std::stable_sort(hits.begin(), hits.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : a.first->gate < b.first->gate;
    });
    std::vector<std::string> ids;
    for (const auto& hit : hits) ids.emplace_back(hit.first->id);
    return ids;
  }
  /// Does the first edit of this finding make the rule say anything but found?
  bool first_edit_mends(std::string_view id) {
    const auto outcome = ask(id);
    if (outcome.state != Outcome::State::found || outcome.edits.empty() ||
        !outcome.edits.front().apply)
      return false;
    outcome.edits.front().apply(facts);
    return state(id) != Outcome::State::found;
  }

  /// "cudnn": the folder below nvidia/. The files go; the metadata stays unless `metadata`.
  void remove_wheel(const std::string& folder, bool metadata = true) {
    const auto directory = kSite + "/nvidia/" + folder + "/lib";
    std::erase_if(facts.libraries.files,
                  [&](const auto& entry) { return parent_path(entry.first) == directory; });
    facts.libraries.directories[directory] =
        LibraryDirectory{.path = directory,
                         .status = LibraryDirectory::Status::absent,
                         .names = {},
                         .capabilities = {},
                         .origin = "wheel"};
    if (metadata) {
      edit::uninstall_distribution(python(), "nvidia-" + replace_all(folder, "_", "-") + "-cu12");
    }
  }
  void remove_all_wheels() {
    for (const std::string folder : {"cublas", "cudnn", "cufft", "curand", "cusolver", "cusparse",
                                     "cuda_runtime", "nvjitlink", "nccl", "cuda_nvrtc"}) {
      remove_wheel(folder);
    }
  }
  LibraryFile& wheel_file(const std::string& below_nvidia) {
    return facts.libraries.files.at(kSite + "/nvidia/" + below_nvidia);
  }
  void add(const std::string& path, LibraryFile::Status status = LibraryFile::Status::good,
           const std::string& detail = {}, const std::string& version = {}) {
    auto file = library(path, version);
    file.status = status;
    file.detail = detail;
    add_file(facts, file);
  }
  /// In the directories and the cache of the system.
  void add_cached(const std::string& path) {
    add(path);
    facts.libraries.cache.value().push_back({std::string(base_name(path)), path, {}});
  }
  void library_path(const std::string& value) {
    set_variable(facts, "LD_LIBRARY_PATH", value,
                 {origin("/home/u/.bashrc", 118, "export LD_LIBRARY_PATH=" + value)});
  }
};

} // namespace gpuwhy::test
