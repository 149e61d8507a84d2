// What an installation of JAX or PyTorch would make of the facts: the edits behind the fixes.
// Truth: the wheels of jax 0.10 with its plug-ins, and of torch 2.6 and 2.11.
#include "rules/F_framework/put_framework.h"
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/architectures.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>

namespace gpuwhy::rules {
namespace {

constexpr int kFirstDriverOfCuda13 = 580;
constexpr ComputeCapability kOldestOfCuda13{7, 5};

void put_distribution(PythonEnvironment& python, const std::string& site, std::string name,
                      std::string_view version, std::vector<std::string> pins = {}) {
  Distribution distribution;
  distribution.location =
      site + "/" + replace_all(name, "-", "_") + "-" + std::string(version) + ".dist-info";
  distribution.name = std::move(name);
  distribution.version = version;
  distribution.directory = site;
  distribution.installer = "pip";
  distribution.cuda_pins = std::move(pins);
  edit::install_distribution(python, std::move(distribution));
}

/// An object of the framework itself.
void put_object(Facts& facts, const std::string& path, std::vector<std::string> rpath,
                std::vector<std::string> needed) {
  LibraryFile file;
  file.path = file.real_path = file.identity = path;
  file.soname = base_name(path);
  file.rpath = std::move(rpath);
  file.needed = std::move(needed);
  edit::add_library(facts, std::string(parent_path(path)), file);
}

std::vector<std::string> texts(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

Framework bare_framework(const std::string& name, const std::string& site,
                         std::string_view version) {
  Framework framework;
  framework.name = name;
  framework.directory = site + "/" + name;
  framework.version = Fact<std::string>::known(std::string(version), {framework.directory, 0});
  framework.distributions = {name};
  return framework;
}

/// Where the old one was; frees its place.
std::string take_place(PythonEnvironment& python, std::string_view name) {
  std::string site = site_packages(python, nullptr);
  for (const auto& old : python.frameworks) {
    if (old.name == name && !old.directory.ends_with(".py")) site = parent_path(old.directory);
  }
  std::erase_if(python.frameworks, [&](const Framework& old) { return old.name == name; });
  return site;
}

} // namespace

int jax_cuda_for(const Case& c) {
  if (const int installed = c.kind() == "jax" ? cuda_major(c) : 0; installed > 0) return installed;
  const auto version =
      Version::parse(c.framework == nullptr ? "" : c.framework->version.value_or(""));
  const auto* release = version ? find_jax(*version) : &jax_releases().back();
  if (release == nullptr || !release->cuda13) return 12;
  const auto* module = c.facts.driver.module.get();
  const auto driver = module == nullptr ? std::nullopt : Version::parse(module->version);
  const auto gpus = targets(c.facts).gpus;
  const bool all = std::all_of(gpus.begin(), gpus.end(),
                               [](const Target& gpu) { return gpu.capability >= kOldestOfCuda13; });
  return driver && driver->major() >= kFirstDriverOfCuda13 && all ? 13 : 12;
}

void put_jax(Facts& facts, std::string_view interpreter, std::string_view version, int cuda) {
  auto* python = same_python(facts, interpreter);
  if (python == nullptr) return;
  const auto site = take_place(*python, "jax");
  const auto parsed = Version::parse(version);
  const auto* release = parsed ? find_jax(*parsed) : &jax_releases().back();
  const std::string number(version.empty() && release != nullptr ? release->version : version);
  const auto major = std::to_string(cuda);
  auto framework = bare_framework("jax", site, number);
  const Source source{framework.directory, 0};

  FrameworkBuild build;
  build.cuda = Fact<bool>::known(true, source);
  build.rocm = Fact<bool>::known(false, source);
  build.cuda_version = Fact<std::string>::known(major, source);
  const auto* plugin = release == nullptr ? nullptr : release->plugin(cuda);
  std::string cudnn = "9";
  if (plugin != nullptr) {
    build.cuda_version = Fact<std::string>::known(plugin->cuda.str(), source);
    if (plugin->cudnn) cudnn = plugin->cudnn->str();
    build.compute_capabilities = texts(plugin->capabilities);
  }
  build.cudnn_version = Fact<std::string>::known(cudnn, source);
  build.opener = site + "/jax_cuda" + major + "_plugin/_versions.so";
  build.carriers = {site + "/jax_plugins/xla_cuda" + major + "/xla_cuda_plugin.so"};
  build.loader_chain = {python->executable};
  put_object(facts, build.opener, wheel_search_path(cuda, ".."), {});
  put_object(facts, build.carriers.front(), wheel_search_path(cuda, "../.."), {});

  std::erase_if(python->distributions,
                [](const Distribution& old) { return old.name.starts_with("jax-cuda"); });
  put_distribution(*python, site, "jax", number);
  put_distribution(*python, site, "jaxlib", number);
  put_distribution(*python, site, "jax-cuda" + major + "-plugin", number);
  put_distribution(*python, site, "jax-cuda" + major + "-pjrt", number);
  put_wheels(facts, *python, site, build, {}, {});
  if (auto* tools = facts.libraries.cuda_tools.get()) // the extra brings libdevice too
    tools->push_back(site + (cuda >= 13 ? "/nvidia/cu13" : "/nvidia/cuda_nvcc") +
                     "/nvvm/libdevice/libdevice.10.bc");
  framework.build = Fact<FrameworkBuild>::known(std::move(build), source);
  python->frameworks.insert(python->frameworks.begin(), std::move(framework));
}

void put_torch(Facts& facts, std::string_view interpreter, std::string_view version) {
  const auto* python = same_python(facts, interpreter);
  if (python == nullptr) return;
  const auto parsed = Version::parse(version);
  const TorchBuild* release = parsed ? default_torch(*parsed) : nullptr;
  if (!parsed) {
    const auto wanted = Version::parse(python->version.value_or(""));
    for (const auto& build : torch_builds()) {
      if (build.is_default && (!wanted || build.supports_python(*wanted))) release = &build;
    }
  }
  put_torch_build(facts, interpreter, version, release);
}

void put_torch_build(Facts& facts, std::string_view interpreter, std::string_view version,
                     const TorchBuild* release) {
  auto* python = same_python(facts, interpreter);
  if (python == nullptr) return;
  const auto site = take_place(*python, "torch");
  const std::string number(version.empty() && release != nullptr ? release->version : version);
  auto framework = bare_framework("torch", site, number);
  const Source source{framework.directory, 0};

  FrameworkBuild build;
  build.cuda = Fact<bool>::known(true, source);
  build.rocm = Fact<bool>::known(false, source);
  const Version cudnn = release != nullptr && release->cudnn ? *release->cudnn : Version{{9}};
  std::vector<std::string> needed;
  int major = 0;
  if (release != nullptr) {
    major = release->cuda.major();
    build.cuda_version = Fact<std::string>::known(release->cuda.str(), source);
    build.cudnn_version = Fact<std::string>::known(cudnn.str(), source);
    if (!release->sass.empty()) {
      build.sass = Fact<std::vector<std::string>>::known(texts(release->sass), source);
      build.ptx = Fact<std::vector<std::string>>::known(texts(release->ptx), source);
    }
    for (const auto& library : sonames_for(release->cuda, cudnn)) {
      if (find_wheel(library.product) != nullptr) needed.emplace_back(library.soname);
    }
  }
  build.opener = framework.directory + "/lib/libtorch_cuda.so";
  build.loader_chain = {python->executable};
  put_object(facts, build.opener, wheel_search_path(major, "../.."), needed);
  put_distribution(*python, site, "torch", number);
  put_wheels(facts, *python, site, build, {}, needed);
  framework.build = Fact<FrameworkBuild>::known(std::move(build), source);
  python->frameworks.insert(python->frameworks.begin(), std::move(framework));
}

void put_cpu_framework(Facts& facts, std::string_view interpreter, const std::string& name,
                       const std::string& distribution, std::string_view version) {
  auto* python = same_python(facts, interpreter);
  if (python == nullptr) return;
  const auto site = take_place(*python, name);
  auto framework = bare_framework(name, site, version);
  framework.distributions = {distribution};
  const Source source{framework.directory, 0};
  FrameworkBuild build;
  build.cuda = Fact<bool>::known(false, source);
  build.rocm = Fact<bool>::known(false, source);
  build.loader_chain = {python->executable};
  framework.build = Fact<FrameworkBuild>::known(std::move(build), source);
  put_distribution(*python, site, distribution, version);
  python->frameworks.insert(python->frameworks.begin(), std::move(framework));
}

} // namespace gpuwhy::rules
