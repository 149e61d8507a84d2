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

std::string_view display_name(std::string_view kind) {
  if (kind == "tensorflow") return "TensorFlow";
  if (kind == "jax") return "JAX";
  if (kind == "torch") return "PyTorch";
  if (kind == "keras") return "Keras";
  return kind;
}

std::string name_text(const Case& c) {
  return std::string(display_name(c.kind()));
}

std::string framework_text(const Case& c) {
  const auto version = c.framework == nullptr ? std::string() : c.framework->version.value_or("");
  return version.empty() ? name_text(c) : name_text(c) + " " + version;
}

const TensorFlowRelease* release_of(const Case& c) {
  if (c.framework == nullptr || c.framework->name != "tensorflow") return nullptr;
  return find_tensorflow(c.framework->version.value_or(""));
}

Installer installer_of(const Case& c) {
  if (c.python == nullptr) return Installer::pip;
  for (const auto& distribution : c.python->distributions) {
    const bool asked = distribution.name == c.kind() || distribution.name == "tensorflow-base" ||
                       (c.kind() == "torch" && distribution.name == "pytorch");
    if (!asked) continue;
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
  opener.runpath =
      wheel_search_path(build.cuda_version.known()
                            ? Version::parse(build.cuda_version.value()).value_or(Version{}).major()
                            : 0,
                        "..");
  edit::add_library(facts, framework.directory, opener);

  framework.version = Fact<std::string>::known(std::string(version), source);
  framework.distributions = {"tensorflow"};
  framework.build = Fact<FrameworkBuild>::known(build, source);
  put_wheels(facts, *python, site, build, distribution.cuda_pins, {});
  edit::install_distribution(*python, std::move(distribution));
  python->frameworks.insert(python->frameworks.begin(), std::move(framework));
}

namespace {

/// "0.10.2" of "0.10.2", "2.6.0" of "2.6.0+cpu": what an index can be asked for.
std::string public_version(const Case& c) {
  const auto version = c.framework == nullptr ? std::string() : c.framework->version.value_or("");
  const auto number = version.substr(0, version.find('+'));
  // A build of somebody's own ("1.13.0a0" of Debian) is in no registry.
  const bool released = number.find_first_not_of("0123456789.") == std::string::npos;
  return released ? number : std::string();
}

Edit install_jax(const Case& c, std::string words, std::string_view options) {
  const int cuda = jax_cuda_for(c);
  const auto version = public_version(c);
  Edit edit{std::move(words), {}, {}};
  edit.commands = {install_command(
      c, {"jax[cuda" + std::to_string(cuda) + "]" + (version.empty() ? "" : "==" + version)},
      options)};
  edit.apply = [interpreter = c.python->interpreter, version, cuda](Facts& facts) {
    put_jax(facts, interpreter, version, cuda);
  };
  return edit;
}

/// The wheel of PyPI for Linux on x86_64 is the CUDA build; elsewhere PyTorch's own index has it.
Edit install_torch(const Case& c, std::string words, std::string_view options) {
  const auto version = public_version(c);
  Edit edit{std::move(words), {}, {}};
  if (c.facts.platform.machine == "aarch64" || c.facts.platform.system != "linux") {
    edit.words += "; choose it on pytorch.org, for PyPI may have none for this platform";
    return edit;
  }
  if (installer_of(c) == Installer::conda) {
    edit.commands = {"conda install --yes --prefix " + shell_word(c.python->prefix) +
                     " --channel conda-forge 'pytorch-gpu'"};
  } else {
    std::string with(options);
    if (with.empty() && c.framework != nullptr) with = "--force-reinstall";
    edit.commands = {install_command(c, {"torch" + (version.empty() ? "" : "==" + version)}, with)};
  }
  edit.apply = [interpreter = c.python->interpreter, version](Facts& facts) {
    put_torch(facts, interpreter, version);
  };
  return edit;
}

} // namespace

Edit install_gpu_framework(const Case& c, std::string words, const std::vector<std::string>& remove,
                           std::string_view options) {
  if (c.kind() == "jax") return install_jax(c, std::move(words), options);
  if (c.kind() == "torch") return install_torch(c, std::move(words), options);
  std::string version = c.framework == nullptr ? "" : c.framework->version.value_or("");
  const auto* release = release_of(c);
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
