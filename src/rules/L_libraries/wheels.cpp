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

constexpr std::array<Wheel, 16> kWheels = {{
    {"cudart", "nvidia-cuda-runtime", "cuda_runtime"},
    {"cublas", "nvidia-cublas", "cublas"},
    {"cublasLt", "nvidia-cublas", "cublas"},
    {"cufft", "nvidia-cufft", "cufft"},
    {"curand", "nvidia-curand", "curand"},
    {"cusolver", "nvidia-cusolver", "cusolver"},
    {"cusparse", "nvidia-cusparse", "cusparse"},
    {"cudnn", "nvidia-cudnn", "cudnn", false},
    {"nccl", "nvidia-nccl", "nccl", false},
    {"nvJitLink", "nvidia-nvjitlink", "nvjitlink"},
    {"nvrtc", "nvidia-cuda-nvrtc", "cuda_nvrtc"},
    {"cupti", "nvidia-cuda-cupti", "cuda_cupti"},
    {"cufile", "nvidia-cufile", "cufile"},
    {"nvToolsExt", "nvidia-nvtx", "nvtx"},
    {"cusparseLt", "nvidia-cusparselt", "cusparselt", false},
    {"nvshmem_host", "nvidia-nvshmem", "nvshmem", false},
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

constexpr int kFirstCudaWithWheels = 11;
constexpr int kFirstCudaInOneFolder = 13;

/// Empty for a CUDA without wheels.
std::string distribution_name(const Wheel& wheel, int major) {
  if (major < kFirstCudaWithWheels) return {};
  const bool bare = wheel.toolkit && major >= kFirstCudaInOneFolder;
  return std::string(wheel.name) + (bare ? "" : "-cu" + std::to_string(major));
}

std::string folder_of(const Wheel& wheel, int major) {
  const bool common = wheel.toolkit && major >= kFirstCudaInOneFolder;
  return common ? "cu" + std::to_string(major) : std::string(wheel.folder);
}

/// Whose metadata names the wheels.
bool states_pins(const Case& c, std::string_view name) {
  if (c.kind() == "tensorflow") return name.starts_with("tensorflow");
  if (c.kind() == "jax") return name.starts_with("jax-cuda" + std::to_string(cuda_major(c)));
  if (c.kind() == "torch") return name == "torch" || name == "cuda-toolkit";
  return false;
}

const LibraryFile* opener_of(const Case& c) {
  const auto* build = c.build();
  if (build == nullptr) return nullptr;
  const auto file = c.facts.libraries.files.find(build->opener);
  return file == c.facts.libraries.files.end() ? nullptr : &file->second;
}

bool reaches_folder(const Case& c, std::string_view folder) {
  if (c.kind() == "jax") return true; // imports nvidia.<folder> and opens what is in it by path
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

/// The requirement that brings a framework with all of its CUDA libraries.
std::string with_libraries(const Case& c, std::string_view version) {
  const auto number = std::string(version.substr(0, version.find('+')));
  std::string name(c.kind());
  if (name == "tensorflow") name += "[and-cuda]";
  if (name == "jax") name += "[cuda" + std::to_string(cuda_major(c)) + "]";
  return name + (number.empty() ? "" : "==" + number);
}

/// LD_LIBRARY_PATH for those folders that the build's own search path lacks.
void add_unreached(const Case& c, const std::set<std::string>& products, Edit& edit) {
  std::vector<std::string> directories;
  for (const auto& product : products) {
    const auto* wheel = find_wheel(product);
    const auto directory = wheel_directory(c, product);
    if (wheel == nullptr || directory.empty()) continue;
    if (reaches_folder(c, folder_of(*wheel, cuda_major(c)))) continue;
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

std::vector<std::string> metadata_pins(const Case& c) {
  std::vector<std::string> pins;
  if (c.python == nullptr) return pins;
  for (const auto& distribution : c.python->distributions) {
    if (!states_pins(c, distribution.name)) continue;
    pins.insert(pins.end(), distribution.cuda_pins.begin(), distribution.cuda_pins.end());
    if (!pins.empty() && c.kind() == "tensorflow") break;
  }
  return pins;
}

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
  const auto* release = release_of(c);
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
  auto pins = metadata_pins(c);
  if (pins.empty()) {
    const auto* release = release_of(c);
    if (release == nullptr) return {};
    pins.assign(release->pins.begin(), release->pins.end());
  }
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
  auto name = wheel_distribution(c, product);
  const auto pin = pin_of(c, product);
  if (name.empty() || !pin.empty() || product != "cudnn" || c.framework == nullptr)
    return name + pin;
  const auto* release = release_of(c);
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
  return site_packages(*c.python, c.framework) + "/nvidia/" + folder_of(*wheel, cuda_major(c)) +
         "/lib";
}

std::vector<std::string> wheel_search_path(int cuda_major, std::string_view up) {
  std::vector<std::string> path;
  for (const auto& wheel : kWheels) {
    path.push_back("$ORIGIN/" + std::string(up) + "/nvidia/" + folder_of(wheel, cuda_major) +
                   "/lib");
  }
  return path;
}

bool reaches_wheels(const Case& c) {
  return reaches_folder(c, folder_of(*find_wheel("cudart"), cuda_major(c)));
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
    const auto directory = site + "/nvidia/" + folder_of(*wheel, cuda->major()) + "/lib";
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
    // NVIDIA's own libraries lead to nvJitLink, not the build.
    if (product != "nvJitLink") products.insert(product);
    if (std::find(requirements.begin(), requirements.end(), requirement) != requirements.end())
      continue;
    requirements.push_back(requirement);
    names.push_back(wheel_distribution(c, product));
  }
  Edit edit;
  edit.words = "install " + join(names, ", ") + (again ? " again" : "");
  edit.commands.push_back(
      install_command(c, requirements, again ? "--force-reinstall --no-deps" : ""));
  const auto pins = metadata_pins(c);
  edit.apply = [interpreter = c.python->interpreter, site = site_packages(*c.python, c.framework),
                build = *c.build(), list = pins.empty() ? requirements : pins,
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
  const auto* release = release_of(c);
  const auto pins = metadata_pins(c);
  const bool extra = !pins.empty() || (release != nullptr && !release->pins.empty());
  const int major = cuda_major(c);
  if (!extra && major < kFirstCudaWithWheels) {
    return install_gpu_framework(c,
                                 "install a current " + name_text(c) +
                                     ": NVIDIA has no pip wheels of the CUDA that this one needs",
                                 {}, "--upgrade");
  }
  std::vector<std::string> sonames;
  for (const auto& need : c.libraries) {
    if (!wheel_distribution(c, need.product).empty()) sonames.push_back(need.soname);
  }
  if (!extra) return install_wheels(c, sonames, false);
  // pip leaves alone what it believes to be there, whatever became of the files.
  std::vector<std::string> lost;
  bool on_paper = false;
  for (const auto& need : c.libraries) {
    if (!need.required || need.found.outcome == loader::Outcome::found ||
        wheel_distribution(c, need.product).empty())
      continue;
    lost.push_back(need.soname);
    on_paper = on_paper || installed_wheel(c, need.product) != nullptr;
  }
  if (on_paper && major >= 12) lost.push_back("libnvJitLink.so." + std::to_string(major));
  if (on_paper) return install_wheels(c, lost, true);
  Edit edit;
  edit.words = "install " + name_text(c) + "'s own CUDA libraries";
  if (c.kind() == "tensorflow") edit.words += ", the and-cuda extra";
  edit.commands.push_back(install_command(c, {with_libraries(c, version)}));
  std::set<std::string> products;
  for (const auto& soname : sonames) products.emplace(product_of(soname));
  std::vector<std::string> list = pins;
  if (list.empty() && release != nullptr) list.assign(release->pins.begin(), release->pins.end());
  // cuSOLVER and cuSPARSE need it since 12.
  if (major >= 12) sonames.push_back("libnvJitLink.so." + std::to_string(major));
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
