#include "rules/F_framework/installation.h"

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

// 2.21.0 has no nvidia/cusolver/lib in its RUNPATH and lists no GPU after a plain install; 2.20.0
// has it (docs/tensorflow_loading_observed.md, and `readelf -d` of the wheels).
constexpr std::string_view kNewestThatFindsItsWheels = "2.20.0";

/// Distributions whose import name is `tensorflow`: they overwrite one another.
constexpr std::array<std::string_view, 11> kTensorFlowNames = {
    "tensorflow",       "tensorflow-cpu",   "tensorflow-gpu",     "tensorflow-intel",
    "tensorflow-rocm",  "tensorflow-macos", "tensorflow-cpu-aws", "tensorflow-aarch64",
    "intel-tensorflow", "tf-nightly",       "tf-nightly-cpu"};

std::string minor_of(std::string_view version) {
  const auto parsed = Version::parse(version);
  if (!parsed) return std::string(version);
  return std::to_string(parsed->major()) + "." + std::to_string(parsed->minor());
}

} // namespace

std::string framework_text(const Case& c) {
  const auto version = c.framework == nullptr ? std::string() : c.framework->version.value_or("");
  return version.empty() ? "TensorFlow" : "TensorFlow " + version;
}

Installer installer_of(const Case& c) {
  if (c.python == nullptr) return Installer::pip;
  for (const auto& distribution : c.python->distributions) {
    if (distribution.name != "tensorflow" && distribution.name != "tensorflow-base") continue;
    if (distribution.installer == "conda") return Installer::conda;
    if (distribution.installer == "uv") return Installer::uv;
    if (!distribution.installer.empty()) return Installer::pip;
  }
  if (c.python->kind == "uv") return Installer::uv;
  return Installer::pip;
}

std::string shell_word(std::string_view text) {
  const auto plain = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || contains("/._-+=:,@%", std::string_view(&letter, 1));
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  return "'" + replace_all(std::string(text), "'", "'\\''") + "'";
}

std::string install_command(const Case& c, const std::vector<std::string>& requirements,
                            std::string_view options) {
  const std::string python = c.python == nullptr ? "python3" : shell_word(c.python->interpreter);
  std::string command = installer_of(c) == Installer::uv ? "uv pip install --python " + python
                                                         : python + " -m pip install";
  if (!options.empty()) command += " " + std::string(options);
  for (const auto& requirement : requirements) command += " " + shell_word(requirement);
  return command;
}

std::string uninstall_command(const Case& c, const std::vector<std::string>& names) {
  const std::string python = c.python == nullptr ? "python3" : shell_word(c.python->interpreter);
  std::string command = installer_of(c) == Installer::uv ? "uv pip uninstall --python " + python
                                                         : python + " -m pip uninstall -y";
  for (const auto& name : names) command += " " + shell_word(name);
  return command;
}

PythonEnvironment* same_python(Facts& facts, std::string_view interpreter) {
  for (auto& python : facts.pythons) {
    if (python.interpreter == interpreter) return &python;
  }
  return nullptr;
}

const Distribution* find_distribution(const PythonEnvironment& python, std::string_view name) {
  for (const auto& distribution : python.distributions) {
    if (distribution.name == name) return &distribution;
  }
  return nullptr;
}

std::vector<std::string> tensorflow_distributions(const PythonEnvironment& python) {
  std::vector<std::string> names;
  for (const auto& distribution : python.distributions) {
    const auto& name = distribution.name;
    if (std::find(kTensorFlowNames.begin(), kTensorFlowNames.end(), name) ==
        kTensorFlowNames.end()) {
      continue;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string site_packages(const PythonEnvironment& python, const Framework* framework) {
  if (framework != nullptr && !framework->directory.empty()) {
    return std::string(parent_path(framework->directory));
  }
  for (const auto& directory : python.site_directories) {
    if (directory.ends_with("-packages") && directory.starts_with(python.prefix)) return directory;
  }
  return python.prefix + "/lib/python" + minor_of(python.version.value_or("3")) + "/site-packages";
}

std::string release_for(const PythonEnvironment& python) {
  const auto version = Version::parse(python.version.value_or(""));
  const auto limit = *Version::parse(kNewestThatFindsItsWheels);
  std::string best;
  for (const auto& release : tensorflow_releases()) {
    if (*Version::parse(release.version) > limit) continue;
    if (!version || release.supports_python(*version)) best = release.version;
  }
  return best;
}

void put_gpu_framework(Facts& facts, std::string_view interpreter, std::string_view version) {
  auto* python = same_python(facts, interpreter);
  if (python == nullptr) return;
  Framework framework;
  framework.name = "tensorflow";
  framework.directory = site_packages(*python, nullptr) + "/tensorflow";
  const Source source{framework.directory, 0};
  FrameworkBuild build;
  for (const auto& old : python->frameworks) {
    if (old.name != "tensorflow") continue;
    if (!old.directory.ends_with(".py")) framework.directory = old.directory;
    if (const auto* known = old.build.get()) build.loader_chain = known->loader_chain;
    break;
  }
  std::erase_if(python->frameworks, [](const Framework& old) { return old.name == "tensorflow"; });
  for (const auto& name : tensorflow_distributions(*python))
    edit::uninstall_distribution(*python, name);

  const std::string site(parent_path(framework.directory));
  Distribution distribution;
  distribution.name = "tensorflow";
  distribution.version = version;
  distribution.directory = site;
  distribution.location = site + "/tensorflow-" + std::string(version) + ".dist-info";
  distribution.installer = "pip";
  build.cuda = Fact<bool>::known(true, source);
  build.rocm = Fact<bool>::known(false, source);
  if (const auto* release = find_tensorflow(version)) {
    build.cuda_version = Fact<std::string>::known(release->cuda.str(), source);
    build.cudnn_version = Fact<std::string>::known(release->cudnn.str(), source);
    build.compute_capabilities.assign(release->capabilities.begin(), release->capabilities.end());
    distribution.cuda_pins.assign(release->pins.begin(), release->pins.end());
  }
  build.opener = framework.directory + "/libtensorflow_framework.so.2";
  if (build.loader_chain.empty()) build.loader_chain = {python->executable};
  LibraryFile opener;
  opener.path = opener.real_path = opener.identity = build.opener;
  opener.soname = "libtensorflow_framework.so.2";
  opener.runpath = wheel_runpath();
  edit::add_library(facts, framework.directory, opener);

  framework.version = Fact<std::string>::known(std::string(version), source);
  framework.distributions = {"tensorflow"};
  framework.build = Fact<FrameworkBuild>::known(build, source);
  put_wheels(facts, *python, site, build, distribution.cuda_pins, {});
  edit::install_distribution(*python, std::move(distribution));
  python->frameworks.insert(python->frameworks.begin(), std::move(framework));
}

Edit install_gpu_framework(const Case& c, std::string words, const std::vector<std::string>& remove,
                           std::string_view options) {
  std::string version = c.framework == nullptr ? "" : c.framework->version.value_or("");
  const auto* release = find_tensorflow(version);
  if (release == nullptr || release->pins.empty()) version = release_for(*c.python);
  Edit edit{std::move(words), {}, {}};
  if (version.empty()) return edit;
  if (installer_of(c) == Installer::conda) {
    edit.commands.push_back("conda install --yes --prefix " + shell_word(c.python->prefix) +
                            " --channel conda-forge " +
                            shell_word("tensorflow=" + minor_of(version) + "=cuda*"));
  } else {
    if (!remove.empty()) edit.commands.push_back(uninstall_command(c, remove));
    edit.commands.push_back(install_command(c, {"tensorflow[and-cuda]==" + version}, options));
  }
  edit.apply = [interpreter = c.python->interpreter, version](Facts& facts) {
    put_gpu_framework(facts, interpreter, version);
  };
  return edit;
}

} // namespace gpuwhy::rules
