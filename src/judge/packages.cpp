#include "judge/packages.h"

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/put_framework.h"
#include "rules/L_libraries/wheels.h"

#include <algorithm>
#include <set>

namespace gpuwhy {
namespace {

/// "tensorflow[and-cuda]==2.18.*", by PEP 508 as far as a command line needs it.
struct Requirement {
  std::string text;
  std::string name; // normalised
  std::set<std::string> extras;
  std::string range;   // "==2.18.*"; empty: any
  std::string variant; // "cpu" of "==2.6.0+cpu"
};

std::optional<Requirement> read(const std::string& text) {
  Requirement result;
  result.text = text;
  const auto end = text.find_first_of("[=<>!~ ");
  result.name = replace_all(replace_all(lower(trim(text.substr(0, end))), "_", "-"), ".", "-");
  const bool plain = !result.name.empty() && text.find_first_of("/@;:") == std::string::npos;
  if (!plain) return std::nullopt;
  std::string rest = end == std::string::npos ? "" : text.substr(end);
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string::npos) return std::nullopt;
    for (const auto extra : split(std::string_view(rest).substr(1, close - 1), ','))
      result.extras.emplace(trim(extra));
    rest = rest.substr(close + 1);
  }
  result.range = replace_all(rest, " ", "");
  if (const auto plus = result.range.find('+'); plus != std::string::npos) {
    result.variant = result.range.substr(plus + 1);
    result.range = result.range.substr(0, plus);
  }
  return result;
}

/// "2.18.0" of "==2.18.0"; empty for a range.
std::string exact(const Requirement& wanted) {
  const auto& range = wanted.range;
  if (!range.starts_with("==") || contains(range, ",") || contains(range, "*")) return {};
  return range.substr(2);
}

bool fits(const Requirement& wanted, std::string_view version) {
  return wanted.range.empty() || rules::satisfies(version, wanted.range).value_or(false);
}

struct Listed {
  std::string_view version;
  bool for_python = true;
};

/// Which release pip would take.
struct Choice {
  std::string version; // empty: none
  std::string why_not;
  bool told = true; // false: beyond the table
};

Choice choose(const Requirement& wanted, const std::vector<Listed>& table,
              const std::string& display, const std::string& python) {
  const auto only = exact(wanted);
  const auto newest = Version::parse(table.back().version).value_or(Version{});
  const Listed* best = nullptr;
  bool any = false;
  for (const auto& each : table) {
    // A patch release is taken for the one that the table has of its minor.
    const auto listed = Version::parse(each.version).value_or(Version{});
    const auto asked = Version::parse(only);
    const bool same_minor = asked && asked->major() == listed.major() &&
                            asked->minor() == listed.minor() && listed <= *asked;
    if (only.empty() ? !fits(wanted, each.version) : !same_minor) continue;
    any = true;
    if (each.for_python) best = &each;
  }
  if (best != nullptr) return {only.empty() ? std::string(best->version) : only, {}, true};
  if (any) {
    return {
        {}, "pip would find no " + display + " of " + wanted.range + " for Python " + python, true};
  }
  return {{},
          display + " " + wanted.range + " is not in gpuwhy's table, which ends with " +
              newest.str(),
          false};
}

class Installation {
public:
  Installation(Facts& facts, const PipCommand& command, const std::string& interpreter)
      : facts_(facts), command_(command), interpreter_(interpreter) {}

  /// What became of it; empty: `told` is false and `problem` says why.
  void install(const std::string& text) {
    const auto wanted = read(text);
    if (!wanted) return open(text + ": only names from a package index can be supposed");
    const Facts before = facts_;
    put(*wanted);
    leave_what_pip_leaves(before);
  }

  void put(const Requirement& requirement) {
    const auto* wanted = &requirement;
    const auto& name = wanted->name;
    if (name == "tensorflow" || name == "tensorflow-cpu") return tensorflow(*wanted);
    if (name == "jax") return jax(*wanted);
    if (name == "torch") return torch(*wanted);
    if (name.starts_with("nvidia-")) return wheel(*wanted);
    open("what " + name + " brings is not in gpuwhy's tables");
  }

  void uninstall(const std::string& text) {
    const auto wanted = read(text);
    auto* place = python();
    const auto* there = wanted ? rules::find_distribution(*place, wanted->name) : nullptr;
    if (there == nullptr) return say(text + " is not installed there, as far as gpuwhy looked");
    const auto name = there->name;
    const auto product = product_of_wheel(name);
    if (!product.empty()) remove_wheel(product, there->directory);
    std::erase_if(place->frameworks, [&](const Framework& framework) {
      const auto& owners = framework.distributions;
      return std::find(owners.begin(), owners.end(), name) != owners.end() && owners.size() == 1;
    });
    edit::uninstall_distribution(*place, name);
    say(name + " would be gone");
  }

  Supposed take() && { return {{}, join(lines_, "; "), told_}; }

private:
  PythonEnvironment* python() { return rules::same_python(facts_, interpreter_); }
  std::optional<Version> python_version() { return Version::parse(python()->version.value_or("")); }
  std::string python_text() { return python()->version.value_or("of unknown version"); }
  void say(std::string line) { lines_.push_back(std::move(line)); }
  void open(std::string line) {
    told_ = false;
    say(std::move(line));
  }
  /// Reports a choice without a version.
  bool none(const Choice& choice) {
    if (!choice.version.empty()) return false;
    if (choice.told) {
      say(choice.why_not);
    } else {
      open(choice.why_not);
    }
    return true;
  }
  /// pip leaves what satisfies the requirement. Empty: it is not there, or would be replaced.
  std::string kept(const Requirement& wanted) {
    const auto* there = rules::find_distribution(*python(), wanted.name);
    const bool stays = there != nullptr && !command_.upgrade && fits(wanted, there->version) &&
                       wanted.variant.empty();
    return stays ? there->version : std::string();
  }

  void tensorflow(const Requirement& wanted) {
    const auto there = kept(wanted);
    const bool cuda = wanted.extras.contains("and-cuda");
    const auto* other = wanted.name == "tensorflow-cpu" ? nullptr : installed("tensorflow");
    if (!there.empty() && !cuda) return say(wanted.name + " " + there + " satisfies it and stays");
    std::string version = there;
    if (version.empty()) {
      std::vector<Listed> table;
      const auto mine = python_version();
      for (const auto& release : tensorflow_releases())
        table.push_back({release.version, !mine || release.supports_python(*mine)});
      const auto choice = choose(wanted, table, "TensorFlow", python_text());
      if (none(choice)) return;
      version = choice.version;
    }
    if (wanted.name == "tensorflow-cpu") {
      rules::put_cpu_framework(facts_, interpreter_, "tensorflow", "tensorflow-cpu", version);
      return say("tensorflow-cpu " + version + ": a build without CUDA");
    }
    const auto* release = find_tensorflow(version);
    if (release == nullptr) return open("TensorFlow " + version + " is not in gpuwhy's table");
    if (cuda && release->pins.empty()) {
      say("TensorFlow " + version + " has no extra and-cuda: pip would pass over it");
    }
    const bool with_wheels = cuda && !release->pins.empty();
    if (with_wheels && other != nullptr && !there.empty()) return add_wheels(*other, *release);
    const Facts before = facts_;
    rules::put_gpu_framework(facts_, interpreter_, version);
    if (!with_wheels) drop_new_wheels(before);
    say("TensorFlow " + version + ", built with CUDA " + release->cuda.str() +
        (with_wheels ? ", with its CUDA libraries" : ", without CUDA libraries"));
  }

  /// The extra alone, for a build that is there.
  void add_wheels(const Framework& framework, const TensorFlowRelease& release) {
    const auto* build = framework.build.get();
    if (build == nullptr || !build->cuda.value_or(false)) {
      return say("TensorFlow " + framework.version.value_or("") +
                 " satisfies it and stays, a build without CUDA");
    }
    const std::vector<std::string> pins(release.pins.begin(), release.pins.end());
    const FrameworkBuild copy = *build;
    const std::string site(parent_path(framework.directory));
    rules::put_wheels(facts_, *python(), site, copy, pins, {});
    say("TensorFlow " + framework.version.value_or("") + " stays, with its CUDA libraries");
  }

  void jax(const Requirement& wanted) {
    const auto there = kept(wanted);
    std::string version = there;
    if (version.empty()) {
      std::vector<Listed> table;
      const auto mine = python_version();
      for (const auto& release : jax_releases())
        table.push_back({release.version, !mine || *mine >= *release.python});
      const auto choice = choose(wanted, table, "JAX", python_text());
      if (none(choice)) return;
      version = choice.version;
    }
    const auto parsed = Version::parse(version);
    const auto* release = parsed ? find_jax(*parsed) : nullptr;
    for (const int cuda : {12, 13}) {
      if (!wanted.extras.contains("cuda" + std::to_string(cuda))) continue;
      if (release == nullptr || release->plugin(cuda) == nullptr)
        return open("JAX " + version + " for CUDA " + std::to_string(cuda) +
                    " is not in gpuwhy's table");
      rules::put_jax(facts_, interpreter_, version, cuda);
      return say("JAX " + version + " with its plug-in for CUDA " + std::to_string(cuda));
    }
    if (!wanted.extras.empty())
      return open("what this extra of jax brings is not in gpuwhy's tables");
    if (!there.empty()) return say("jax " + there + " satisfies it and stays");
    rules::put_cpu_framework(facts_, interpreter_, "jax", "jax", version);
    say("JAX " + version + " for the CPU: a GPU needs the extra cuda12 or cuda13");
  }

  void torch(const Requirement& wanted) {
    const auto variant = wanted.variant.empty() ? command_.tag : wanted.variant;
    const auto there = kept(wanted);
    if (!there.empty())
      return say("torch " + there +
                 " satisfies it and stays: pip replaces it only with "
                 "--force-reinstall or --upgrade");
    const auto mine = python_version();
    std::vector<Listed> table;
    for (const auto& build : torch_builds()) {
      const bool asked =
          variant.empty() ? build.is_default : build.tag == variant || variant == "cpu";
      if (asked) table.push_back({build.version, !mine || build.supports_python(*mine)});
    }
    if (table.empty()) return open("PyTorch for " + variant + " is not in gpuwhy's table");
    const auto choice = choose(wanted, table, "PyTorch", python_text());
    if (none(choice)) return;
    if (variant == "cpu") {
      rules::put_cpu_framework(facts_, interpreter_, "torch", "torch", choice.version + "+cpu");
      return say("PyTorch " + choice.version + "+cpu: a build without CUDA");
    }
    const TorchBuild* found = nullptr;
    const auto version = Version::parse(choice.version).value_or(Version{});
    for (const auto& build : torch_builds()) {
      const auto listed = Version::parse(build.version).value_or(Version{});
      const bool same = listed.major() == version.major() && listed.minor() == version.minor();
      if (same && (variant.empty() ? build.is_default : build.tag == variant)) found = &build;
    }
    if (found == nullptr)
      return open("PyTorch " + choice.version + " for " + variant + " is not in gpuwhy's table");
    rules::put_torch_build(facts_, interpreter_, choice.version, found);
    say("PyTorch " + choice.version + ", built with CUDA " + found->cuda.str());
  }

  /// "cudnn" for "nvidia-cudnn-cu12"; empty: no wheel that gpuwhy knows.
  static std::string product_of_wheel(const std::string& name) {
    const auto dash = name.rfind("-cu");
    const auto bare = dash == std::string::npos ? name : name.substr(0, dash);
    for (const std::string_view product :
         {"cudart", "cublas", "cudnn", "cufft", "curand", "cusolver", "cusparse", "nvJitLink",
          "nccl", "nvrtc", "cupti"}) {
      const auto* wheel = rules::find_wheel(product);
      if (wheel != nullptr && wheel->name == bare) return std::string(product);
    }
    return {};
  }

  void wheel(const Requirement& wanted) {
    const auto product = product_of_wheel(wanted.name);
    const auto dash = wanted.name.rfind("-cu");
    const auto major =
        dash == std::string::npos ? 13 : to_number(wanted.name.substr(dash + 3)).value_or(0);
    const auto only = exact(wanted);
    if (product.empty() || major < 11)
      return open("what " + wanted.name + " brings is not in gpuwhy's tables");
    const auto there = kept(wanted);
    if (!there.empty()) return say(wanted.name + " " + there + " satisfies it and stays");
    const auto version = only.empty() ? rules::lowest_version(wanted.range) : only;
    const bool own_number = product == "cudnn" || product == "nccl";
    const auto number = Version::parse(version);
    if (own_number && !number)
      return open("which version of " + wanted.name + " pip would take: name one with ==");
    const auto name = soname(product, own_number ? *number : Version{{static_cast<int>(major)}});
    if (name.empty())
      return open("what " + wanted.name + " " + version + " brings is not in gpuwhy's tables");
    FrameworkBuild build;
    build.cuda_version = Fact<std::string>::known(std::to_string(major));
    if (product == "cudnn") build.cudnn_version = Fact<std::string>::known(version);
    std::vector<std::string> names{name};
    if (product == "cublas")
      names.push_back(soname("cublasLt", Version{{static_cast<int>(major)}}));
    const auto* framework = any_framework();
    const auto site = rules::site_packages(*python(), framework);
    const std::vector<std::string> pins{wanted.name + "==" + version};
    rules::put_wheels(facts_, *python(), site, build, pins, names);
    say(wanted.name + (version.empty() ? "" : " " + version) + " with " + name);
  }

  const Framework* installed(std::string_view name) {
    for (const auto& framework : python()->frameworks) {
      if (framework.name == name) return &framework;
    }
    return nullptr;
  }
  const Framework* any_framework() {
    for (const auto* name : {"tensorflow", "jax", "torch"}) {
      if (const auto* framework = installed(name)) return framework;
    }
    return nullptr;
  }

  void remove_wheel(const std::string& product, const std::string& site) {
    std::vector<std::string> gone;
    for (const auto& [path, file] : facts_.libraries.files) {
      const bool inside = path.starts_with(site + "/nvidia/");
      if (inside && rules::product_of(base_name(path)).starts_with(product)) gone.push_back(path);
    }
    for (const auto& path : gone) edit::remove_library(facts_, path);
  }

  /// Does some package there ask for exactly this version of it?
  bool pinned_exactly(const std::string& name) {
    for (const auto& distribution : python()->distributions) {
      for (const auto& pin : distribution.cuda_pins) {
        if (pin.starts_with(name + "==")) return true;
      }
    }
    return false;
  }

  /// A wheel that is installed on paper stays as it is, though its files be gone.
  void leave_what_pip_leaves(const Facts& before) {
    if (command_.force) return;
    std::set<std::string> told;
    std::vector<std::string> gone;
    for (const auto& old : before.pythons) {
      if (old.interpreter != interpreter_) continue;
      for (const auto& [path, file] : facts_.libraries.files) {
        if (before.libraries.files.contains(path) || !contains(path, "/nvidia/")) continue;
        const auto* wheel = rules::find_wheel(rules::product_of(base_name(path)));
        if (wheel == nullptr) continue;
        for (const auto& there : old.distributions) {
          if (there.name.substr(0, there.name.rfind("-cu")) != wheel->name) continue;
          const auto* now = rules::find_distribution(*python(), there.name);
          const auto a = Version::parse(there.version);
          const auto b = Version::parse(now == nullptr ? "" : now->version);
          if (!a || !b || (pinned_exactly(there.name) ? *a != *b : *a < *b)) continue;
          gone.push_back(path);
          told.insert(there.name);
        }
      }
    }
    for (const auto& path : gone) edit::remove_library(facts_, path);
    if (told.empty()) return;
    say("pip believes that " + *told.begin() +
        (told.size() > 1 ? " and " + std::to_string(told.size() - 1) + " more are" : " is") +
        " there and leaves it: --force-reinstall brings the files");
  }

  /// The wheels that the installation of the framework brought in these facts, and pip would not.
  void drop_new_wheels(const Facts& before) {
    const auto* old = [&]() -> const PythonEnvironment* {
      for (const auto& each : before.pythons) {
        if (each.interpreter == interpreter_) return &each;
      }
      return nullptr;
    }();
    std::erase_if(python()->distributions, [&](const Distribution& each) {
      return each.name.starts_with("nvidia-") && old != nullptr &&
             rules::find_distribution(*old, each.name) == nullptr;
    });
    std::vector<std::string> gone;
    for (const auto& [path, file] : facts_.libraries.files) {
      if (contains(path, "/nvidia/") && !before.libraries.files.contains(path))
        gone.push_back(path);
    }
    for (const auto& path : gone) edit::remove_library(facts_, path);
    // The directories that the build looks into and nobody made.
    const auto* framework = installed("tensorflow");
    if (framework == nullptr) return;
    const auto* build = framework->build.get();
    const auto cuda = Version::parse(build == nullptr ? "" : build->cuda_version.value_or(""));
    for (const auto& entry : rules::wheel_search_path(cuda ? cuda->major() : 0, "..")) {
      const auto path = normalize_path(replace_all(entry, "$ORIGIN", framework->directory));
      if (facts_.libraries.directories.contains(path)) continue;
      auto& directory = facts_.libraries.directories[path];
      directory.path = path;
      directory.status = LibraryDirectory::Status::absent;
    }
  }

  Facts& facts_;
  const PipCommand& command_;
  std::string interpreter_;
  std::vector<std::string> lines_;
  bool told_ = true;
};

} // namespace

Supposed suppose_packages(Facts& facts, const PipCommand& command) {
  auto interpreter = command.interpreter;
  if (interpreter.empty() && !facts.pythons.empty())
    interpreter = facts.pythons.front().interpreter;
  if (rules::same_python(facts, interpreter) == nullptr) {
    return {{},
            interpreter.empty()
                ? "there is no Python environment"
                : interpreter + " is not among the environments that were looked at",
            false};
  }
  Installation installation(facts, command, interpreter);
  for (const auto& package : command.packages) {
    if (command.install) {
      installation.install(package);
    } else {
      installation.uninstall(package);
    }
  }
  return std::move(installation).take();
}

} // namespace gpuwhy
