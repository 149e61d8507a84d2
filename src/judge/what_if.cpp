#include "judge/what_if.h"

#include "base/text.h"
#include "judge/judge.h"
#include "judge/packages.h"
#include "knowledge/knowledge.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

bool variable_name(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
  });
}

bool assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && variable_name(word.substr(0, equals));
}

std::string library_path(const Facts& facts) {
  const auto* variable = facts.environment.find("LD_LIBRARY_PATH");
  return variable == nullptr ? std::string() : variable->value;
}

bool has_element(const std::string& path, std::string_view directory) {
  const auto elements = split(std::string_view(path), ':');
  return std::any_of(elements.begin(), elements.end(), [&](std::string_view element) {
    return !element.empty() && normalize_path(element) == normalize_path(directory);
  });
}

/// The driver answered through the libcuda of that moment's path. Without that one in the way the
/// real one is asked; with another one in the way nobody knows.
void follow_library_path(Facts& facts, const std::string& before) {
  const auto now = library_path(facts);
  if (now == before) return;
  const auto* probe = facts.observed.cuda_unhidden.get();
  const bool was_there = probe != nullptr && has_element(before, parent_path(probe->library));
  if (was_there && !has_element(now, parent_path(probe->library))) rules::ask_driver(facts);
  for (const auto& [path, file] : facts.libraries.files) {
    const auto directory = parent_path(path);
    if (base_name(path) != "libcuda.so.1" || !has_element(now, directory)) continue;
    if (!has_element(before, directory)) facts.observed = {};
  }
}

/// What the driver would answer with another CUDA_VISIBLE_DEVICES only it knows, unless it is as
/// without: the rules about the variable read its value.
void set(Facts& facts, std::string_view name, std::string_view value) {
  edit::set_variable(facts, name, value);
  if (name == "CUDA_VISIBLE_DEVICES" || name == "CUDA_DEVICE_ORDER") facts.observed.cuda = {};
}

/// The first CUDA release whose compiler knows the architecture; a driver of an older CUDA is of
/// before the GPU. Source: release notes of CUDA 9.0, 10.0, 11.0, 11.1, 11.8 and 12.8.
int first_cuda_of(const ComputeCapability& gpu) {
  struct Row {
    ComputeCapability from;
    int cuda;
  };
  constexpr std::array<Row, 6> kRows{{{{10, 0}, 12080},
                                      {{8, 9}, 11080},
                                      {{8, 6}, 11010},
                                      {{8, 0}, 11000},
                                      {{7, 5}, 10000},
                                      {{7, 0}, 9000}}};
  for (const auto& row : kRows) {
    if (gpu >= row.from) return row.cuda;
  }
  return 0;
}

/// A branch alone stands for its newest release, which runs what the branch is the minimum of.
Version release_of_branch(const Version& version) {
  if (version.parts.size() > 1) return version;
  for (const int major : {11, 12, 13}) {
    const auto minimum = minimum_driver(Version{{major}});
    if (minimum && minimum->major() == version.major()) return *minimum;
  }
  return version;
}

Supposed suppose_driver(Facts& facts, const Version& version) {
  const auto name = "driver " + version.str();
  const auto cuda = cuda_of_driver(version);
  if (!cuda) return {{}, name + " is not in gpuwhy's table", false};
  if (facts.hardware.gpus.open() && !rules::in_wsl(facts))
    return {{}, "which GPUs it would drive is not known", false};
  const auto gpus = rules::nvidia_gpus(facts);
  if (gpus.empty() && !rules::in_wsl(facts))
    return {{}, "there is no NVIDIA GPU for it to drive", true};
  for (const auto* gpu : gpus) {
    auto product = gpu->product.value_or("GPU");
    const auto* last = gpu->last_driver_branch.get();
    if (last != nullptr && *last < version.major()) {
      product += ", whose last branch is " + std::to_string(*last);
      return {{}, name + " does not drive the " + product, true};
    }
    const auto capability = gpu->compute_capability.value_or({});
    if (rules::cuda_number(version) < first_cuda_of(capability)) {
      product += ": gpuwhy cannot tell";
      return {{}, name + " may be of before the " + product, false};
    }
  }
  rules::put_driver(facts, release_of_branch(version));
  return {{}, name + " would run, and with it CUDA up to " + cuda->str(), true};
}

Result<Supposed> suppose(Facts& facts, const std::string& change) {
  const auto words = simple_words(facts, change);
  const auto none = [&](const std::string& why) {
    return fail("--what-if '" + printable(change) + "': " + why + ": it takes " +
                std::string(kWhatIfForms));
  };
  if (!words) return none(words.error().message);
  if (words->empty()) return none("nothing to suppose");
  const auto& first = words->front();
  const auto rest = std::vector<std::string>(words->begin() + 1, words->end());
  if (first == "unset" && !rest.empty() && std::all_of(rest.begin(), rest.end(), variable_name)) {
    std::vector<std::string> absent;
    const auto before = library_path(facts);
    for (const auto& name : rest) {
      if (facts.environment.find(name) == nullptr) absent.push_back(name);
      edit::unset_variable(facts, name);
    }
    follow_library_path(facts, before);
    return Supposed{{}, absent.empty() ? "" : join(absent, ", ") + " was not set", true};
  }
  const auto assigned = first == "export" ? rest : *words;
  if (!assigned.empty() && std::all_of(assigned.begin(), assigned.end(), assignment)) {
    const auto before = library_path(facts);
    for (const auto& each : assigned) {
      const auto equals = each.find('=');
      set(facts, std::string_view(each).substr(0, equals),
          std::string_view(each).substr(equals + 1));
    }
    follow_library_path(facts, before);
    return Supposed{};
  }
  if (first == "driver" && rest.size() == 1) {
    if (const auto version = Version::parse(rest.front())) return suppose_driver(facts, *version);
    return none("'" + printable(rest.front()) + "' is no version of a driver");
  }
  if (first == "conda" || first == "mamba" || first == "micromamba")
    return Supposed{{}, "conda's packages are in none of gpuwhy's tables", false};
  PipCommand command;
  std::string problem;
  if (read_pip(*words, command, problem)) {
    if (!problem.empty()) return Supposed{{}, problem, false};
    return suppose_packages(facts, command);
  }
  return none("not understood");
}

/// Whatever could have come with a package, or a driver, that is in no table leaves the answer open
/// as far as it decides.
void open_up(FrameworkVerdict& verdict, const Supposed& change) {
  const bool driver = change.change.starts_with("driver");
  const auto decides = [&](const Cause& cause) {
    if (driver) return cause.gate > Gate::hardware && cause.gate <= Gate::libcuda;
    return cause.gate == Gate::program || cause.gate == Gate::build ||
           cause.gate == Gate::libraries || cause.gate == Gate::architecture;
  };
  const bool stays = verdict.answer == Usable::no_gpu && !verdict.causes.empty() &&
                     std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                 [&](const Cause& cause) { return !decides(cause); });
  verdict.unknown.insert(verdict.unknown.begin(), change.outcome);
  std::erase_if(verdict.causes, decides);
  verdict.plan.clear();
  verdict.alternatives.clear();
  verdict.plan_reaches_gpu = false;
  if (!stays) verdict.answer = Usable::unknown;
}

} // namespace

Result<WhatIf> what_if(const Facts& facts, const std::vector<std::string>& changes) {
  WhatIf result;
  Facts after = facts;
  for (const auto& change : changes) {
    auto supposed = suppose(after, change);
    if (!supposed) return tl::unexpected(supposed.error());
    supposed->change = change;
    result.changes.push_back(std::move(*supposed));
  }
  result.before = judge(facts);
  result.after = judge(after);
  for (const auto& change : result.changes) {
    if (change.told) continue;
    for (auto& verdict : result.after.frameworks) open_up(verdict, change);
  }
  return result;
}

} // namespace gpuwhy
