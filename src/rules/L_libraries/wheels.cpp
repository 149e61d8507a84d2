#include "rules/L_libraries/wheels.h"

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/cudnn_parts.h"
#include "rules/L_libraries/library_path.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::rules {
namespace {

constexpr std::array<Wheel, 11> kWheels = {{
    {"cudart", "nvidia-cuda-runtime", "cuda_runtime"},
    {"cublas", "nvidia-cublas", "cublas"},
    {"cublasLt", "nvidia-cublas", "cublas"},
    {"cufft", "nvidia-cufft", "cufft"},
    {"curand", "nvidia-curand", "curand"},
    {"cusolver", "nvidia-cusolver", "cusolver"},
    {"cusparse", "nvidia-cusparse", "cusparse"},
    {"cudnn", "nvidia-cudnn", "cudnn"},
    {"nccl", "nvidia-nccl", "nccl"},
    {"nvJitLink", "nvidia-nvjitlink", "nvjitlink"},
    {"nvrtc", "nvidia-cuda-nvrtc", "cuda_nvrtc"},
}};

struct Requirement {
  std::string_view name;
  std::string specifiers; // "==9.3.0.75", ">=12.5,<13.0"
};

/// "nvidia-cudnn-cu12==9.3.0.75; extra == 'and-cuda'", also with blanks and parentheses.
Requirement parse_requirement(std::string_view text) {
  text = text.substr(0, text.find(';'));
  const auto end = std::min(text.find_first_of(" =<>!~([;"), text.size());
  Requirement requirement{text.substr(0, end), {}};
  for (const char letter : text.substr(end)) {
    if (!contains(" ()", std::string_view(&letter, 1))) requirement.specifiers += letter;
  }
  return requirement;
}

std::string specifiers_of(std::span<const std::string> pins, std::string_view name) {
  for (const auto& pin : pins) {
    const auto requirement = parse_requirement(pin);
    if (requirement.name == name) return requirement.specifiers;
  }
  return {};
}

std::string suffix(int major) {
  return major == 11 || major == 12 ? "-cu" + std::to_string(major) : std::string();
}

std::string distribution_name(const Wheel& wheel, int major) {
  return suffix(major).empty() ? std::string() : std::string(wheel.name) + suffix(major);
}

const std::vector<std::string>* metadata_pins(const Case& c) {
  if (c.python == nullptr) return nullptr;
  for (const auto& distribution : c.python->distributions) {
    if (distribution.name.starts_with("tensorflow") && !distribution.cuda_pins.empty()) {
      return &distribution.cuda_pins;
    }
  }
  return nullptr;
}

const LibraryFile* opener_of(const Case& c) {
  const auto* build = c.build();
  if (build == nullptr) return nullptr;
  const auto file = c.facts.libraries.files.find(build->opener);
  return file == c.facts.libraries.files.end() ? nullptr : &file->second;
}

bool reaches_folder(const Case& c, std::string_view folder) {
  const auto* opener = opener_of(c);
  if (opener == nullptr) return false;
  const auto wanted = "nvidia/" + std::string(folder) + "/lib";
  const auto names = [&](const std::vector<std::string>& path) {
    return std::any_of(path.begin(), path.end(),
                       [&](const std::string& element) { return contains(element, wanted); });
  };
  return names(opener->runpath) || names(opener->rpath);
}

/// A library that another one needs is searched by that one's RUNPATH: the trace shows it.
bool asked(const Case& c, const std::string& directory) {
  for (const auto& need : c.libraries) {
    for (const auto& step : need.found.trace) {
      if (parent_path(step.place) == directory) return true;
    }
  }
  return false;
}

/// LD_LIBRARY_PATH for those folders that the build's own search path lacks.
void add_unreached(const Case& c, const std::set<std::string>& products, Edit& edit) {
  std::vector<std::string> directories;
  for (const auto& product : products) {
    const auto* wheel = find_wheel(product);
    const auto directory = wheel_directory(c, product);
    if (wheel == nullptr || directory.empty() || reaches_folder(c, wheel->folder)) continue;
    if (asked(c, directory)) continue;
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(directory);
    }
  }
  if (directories.empty()) return;
  const auto path = extend_library_path(c, directories);
  edit.words += "; this build does not look there by itself, so set LD_LIBRARY_PATH too";
  edit.commands.insert(edit.commands.end(), path.commands.begin(), path.commands.end());
  edit.apply = [first = edit.apply, second = path.apply](Facts& facts) {
    if (first) first(facts);
    second(facts);
  };
}

} // namespace

const Wheel* find_wheel(std::string_view product) {
  for (const auto& wheel : kWheels) {
    if (wheel.product == product) return &wheel;
  }
  return nullptr;
}

std::string_view product_of(std::string_view soname) {
  if (soname.starts_with("libcudnn")) return "cudnn";
  if (soname.starts_with("lib")) soname.remove_prefix(3);
  return soname.substr(0, soname.find(".so"));
}

int cuda_major(const Case& c) {
  const auto* build = c.build();
  if (build != nullptr) {
    if (const auto version = Version::parse(build->cuda_version.value_or("")))
      return version->major();
  }
  if (c.framework == nullptr) return 0;
  const auto* release = find_tensorflow(c.framework->version.value_or(""));
  return release == nullptr ? 0 : release->cuda.major();
}

std::string wheel_distribution(const Case& c, std::string_view product) {
  const auto* wheel = find_wheel(product);
  return wheel == nullptr ? std::string() : distribution_name(*wheel, cuda_major(c));
}

const Distribution* installed_wheel(const Case& c, std::string_view product) {
  const auto name = wheel_distribution(c, product);
  return c.python == nullptr || name.empty() ? nullptr : find_distribution(*c.python, name);
}

std::string pin_of(const Case& c, std::string_view product) {
  const auto name = wheel_distribution(c, product);
  if (name.empty() || c.framework == nullptr) return {};
  if (const auto* pins = metadata_pins(c)) return specifiers_of(*pins, name);
  const auto* release = find_tensorflow(c.framework->version.value_or(""));
  if (release == nullptr) return {};
  const std::vector<std::string> pins(release->pins.begin(), release->pins.end());
  return specifiers_of(pins, name);
}

std::string lowest_version(std::string_view specifiers) {
  for (const auto part : split(specifiers, ',')) {
    const auto digit = part.find_first_of("0123456789");
    if (digit == std::string_view::npos) continue;
    const auto relation = part.substr(0, digit);
    const bool from_here = relation == "==" || relation == "===" || relation == "~=" ||
                           relation == ">=" || relation == ">";
    if (from_here) return std::string(part.substr(digit));
  }
  return {};
}

std::optional<bool> satisfies(std::string_view version, std::string_view specifiers) {
  const auto have = Version::parse(version);
  if (!have || specifiers.empty()) return std::nullopt;
  for (const auto part : split(specifiers, ',')) {
    const auto digit = part.find_first_of("0123456789");
    if (digit == std::string_view::npos) return std::nullopt;
    const auto relation = part.substr(0, digit);
    const auto text = part.substr(digit);
    const auto want = Version::parse(text);
    if (!want) return std::nullopt;
    bool holds = false;
    if (relation == "==" && text.ends_with(".*")) {
      holds = have->parts.size() >= want->parts.size() &&
              std::equal(want->parts.begin(), want->parts.end(), have->parts.begin());
    } else if (relation == "==") {
      holds = *have == *want;
    } else if (relation == ">=") {
      holds = *have >= *want;
    } else if (relation == "<=") {
      holds = *have <= *want;
    } else if (relation == "<") {
      holds = *have < *want;
    } else if (relation == ">") {
      holds = *have > *want;
    } else if (relation == "!=") {
      holds = !(*have == *want);
    } else {
      return std::nullopt;
    }
    if (!holds) return false;
  }
  return true;
}

std::string requirement_of(const Case& c, std::string_view product) {
  const auto name = wheel_distribution(c, product);
  const auto pin = pin_of(c, product);
  if (name.empty() || !pin.empty() || product != "cudnn" || c.framework == nullptr)
    return name + pin;
  const auto* release = find_tensorflow(c.framework->version.value_or(""));
  if (release == nullptr) return name;
  return name + ">=" + release->cudnn.str() + ",<" + std::to_string(release->cudnn.major() + 1);
}

bool in_own_wheel(const Case& c, std::string_view path) {
  if (c.python == nullptr) return false;
  return path.starts_with(site_packages(*c.python, c.framework) + "/nvidia/");
}

std::string wheel_directory(const Case& c, std::string_view product) {
  const auto* wheel = find_wheel(product);
  if (wheel == nullptr || c.python == nullptr) return {};
  return site_packages(*c.python, c.framework) + "/nvidia/" + std::string(wheel->folder) + "/lib";
}

std::vector<std::string> wheel_runpath() {
  std::vector<std::string> path;
  for (const auto& wheel : kWheels)
    path.push_back("$ORIGIN/../nvidia/" + std::string(wheel.folder) + "/lib");
  return path;
}

bool reaches_wheels(const Case& c) {
  return reaches_folder(c, "cuda_runtime");
}

void put_wheels(Facts& facts, PythonEnvironment& python, const std::string& site,
                const FrameworkBuild& build, std::span<const std::string> pins,
                const std::vector<std::string>& sonames) {
  const auto cuda = Version::parse(build.cuda_version.value_or(""));
  const auto cudnn = Version::parse(build.cudnn_version.value_or(""));
  std::vector<std::string> names = sonames;
  if (names.empty() && cuda && cudnn) {
    for (const auto& library : sonames_for(*cuda, *cudnn)) names.emplace_back(library.soname);
  }
  for (const auto& name : names) {
    const auto* wheel = find_wheel(product_of(name));
    if (wheel == nullptr || !cuda) continue;
    const auto distribution = distribution_name(*wheel, cuda->major());
    if (distribution.empty()) continue;
    Distribution installed;
    installed.name = distribution;
    installed.version = lowest_version(specifiers_of(pins, distribution));
    if (installed.version.empty() && wheel->product == "cudnn" && cudnn)
      installed.version = cudnn->str();
    installed.directory = site;
    installed.installer = "pip";
    const auto directory = site + "/nvidia/" + std::string(wheel->folder) + "/lib";
    const auto add = [&](const std::string& soname) {
      LibraryFile file;
      file.path = file.real_path = file.identity = directory + "/" + soname;
      file.soname = soname;
      file.runpath = {"$ORIGIN"};
      if (!installed.version.empty()) {
        file.version = Fact<std::string>::known(installed.version, {distribution, 0});
      }
      edit::add_library(facts, directory, file);
    };
    add(name);
    if (wheel->product == "cudnn" && cudnn) {
      for (const auto& part : cudnn_part_names(cudnn->major())) add(part);
    }
    edit::install_distribution(python, std::move(installed));
  }
}

Edit install_wheels(const Case& c, const std::vector<std::string>& sonames, bool again) {
  std::set<std::string> products;
  std::vector<std::string> requirements;
  std::vector<std::string> names;
  for (const auto& soname : sonames) {
    const auto product = std::string(product_of(soname));
    const auto requirement = requirement_of(c, product);
    if (requirement.empty()) return install_all_wheels(c);
    products.insert(product);
    if (std::find(requirements.begin(), requirements.end(), requirement) != requirements.end())
      continue;
    requirements.push_back(requirement);
    names.push_back(wheel_distribution(c, product));
  }
  Edit edit;
  edit.words = "install " + join(names, ", ") + (again ? " again" : "");
  edit.commands.push_back(
      install_command(c, requirements, again ? "--force-reinstall --no-deps" : ""));
  const auto* pins = metadata_pins(c);
  edit.apply = [interpreter = c.python->interpreter, site = site_packages(*c.python, c.framework),
                build = *c.build(), list = pins == nullptr ? requirements : *pins,
                sonames](Facts& facts) {
    if (auto* python = same_python(facts, interpreter)) {
      put_wheels(facts, *python, site, build, list, sonames);
    }
  };
  add_unreached(c, products, edit);
  return edit;
}

Edit install_all_wheels(const Case& c) {
  const std::string version = c.framework == nullptr ? "" : c.framework->version.value_or("");
  const auto* release = find_tensorflow(version);
  const bool extra = metadata_pins(c) != nullptr || (release != nullptr && !release->pins.empty());
  const int major = cuda_major(c);
  if (!extra && major != 11 && major != 12) {
    return install_gpu_framework(
        c, "install a current TensorFlow: NVIDIA has no pip wheels of the CUDA that this one needs",
        {}, "--upgrade");
  }
  std::vector<std::string> sonames;
  for (const auto& need : c.libraries) {
    if (need.required && !wheel_distribution(c, need.product).empty())
      sonames.push_back(need.soname);
  }
  if (!extra) return install_wheels(c, sonames, false);
  Edit edit;
  edit.words = "install TensorFlow's own CUDA libraries, the and-cuda extra";
  edit.commands.push_back(
      install_command(c, {"tensorflow[and-cuda]" + (version.empty() ? "" : "==" + version)}));
  std::set<std::string> products;
  for (const auto& soname : sonames) products.emplace(product_of(soname));
  const auto* pins = metadata_pins(c);
  std::vector<std::string> list;
  if (pins != nullptr)
    list = *pins;
  else if (release != nullptr)
    list.assign(release->pins.begin(), release->pins.end());
  sonames.push_back("libnvJitLink.so." + std::to_string(major)); // cuSOLVER and cuSPARSE 12 need it
  if (major != 12) sonames.pop_back();
  edit.apply = [interpreter = c.python->interpreter, site = site_packages(*c.python, c.framework),
                build = *c.build(), list, sonames](Facts& facts) {
    if (auto* python = same_python(facts, interpreter)) {
      put_wheels(facts, *python, site, build, list, sonames);
    }
  };
  add_unreached(c, products, edit);
  return edit;
}

} // namespace gpuwhy::rules
