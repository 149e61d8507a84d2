#include "judge/compat.h"

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "knowledge/tables.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/architectures.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/H_hardware/gpus.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy {
namespace {

constexpr std::array<std::string_view, 3> kFrameworks{"tensorflow", "jax", "torch"};

/// "8.9" of "sm_89" and of "compute_89"; a plain number as it is.
std::string capability(std::string_view text) {
  const auto digits = text.find_first_of("0123456789");
  if (digits == std::string_view::npos) return std::string(text);
  std::string number(text.substr(digits));
  if (!contains(number, ".") && number.size() > 1) number.insert(number.size() - 1, ".");
  return number;
}

void add_code(Needs& needs, const std::vector<std::string>& stated) {
  for (const auto& each : stated) {
    const bool both = !each.starts_with("sm_"); // "compute_90" and "7.0" are machine code and PTX
    needs.machine_code.push_back(capability(each));
    if (both) needs.ptx.push_back(capability(each));
  }
}

std::vector<std::string> texts(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

std::string driver_for(const Version& cuda, const std::optional<Version>& stated) {
  const auto driver = stated ? stated : minimum_driver(cuda);
  return driver ? rules::driver_text(*driver) : std::string();
}

std::vector<Needs> tensorflow_needs() {
  std::vector<Needs> all;
  for (const auto& release : tensorflow_releases()) {
    Needs needs;
    needs.framework = "tensorflow";
    needs.version = release.version;
    needs.released = release.released;
    needs.python = release.python;
    needs.cuda = release.cuda.str();
    needs.cudnn = release.cudnn.str();
    needs.driver = driver_for(release.cuda, release.min_driver);
    add_code(needs, texts(release.capabilities));
    needs.install =
        (release.pins.empty() ? std::string(release.gpu_distribution) : "tensorflow[and-cuda]") +
        "==" + needs.version;
    needs.notes = release.notes;
    needs.source = source_words(knowledge_table("tensorflow_releases"), release.source);
    all.push_back(std::move(needs));
  }
  return all;
}

std::vector<Needs> jax_needs() {
  std::vector<Needs> all;
  for (const auto& release : jax_releases()) {
    for (const int cuda : {12, 13}) {
      const auto* plugin = release.plugin(cuda);
      if (plugin == nullptr) continue;
      Needs needs;
      needs.framework = "jax";
      needs.version = release.version;
      needs.variant = "cuda" + std::to_string(cuda);
      needs.released = release.released;
      needs.python = release.python ? release.python->str() + " or later" : "";
      needs.cuda = plugin->cuda.str();
      if (plugin->cudnn) needs.cudnn = plugin->cudnn->str();
      needs.driver = driver_for(plugin->cuda, std::nullopt);
      add_code(needs, texts(plugin->capabilities));
      needs.install = "jax[" + needs.variant + "]==" + needs.version;
      needs.source = "git tag of jax-ml/jax";
      all.push_back(std::move(needs));
    }
  }
  return all;
}

std::vector<Needs> torch_needs() {
  std::vector<Needs> all;
  for (const auto& build : torch_builds()) {
    Needs needs;
    needs.framework = "torch";
    needs.version = build.version;
    needs.variant = build.tag;
    needs.released = build.released;
    needs.python = build.python;
    needs.cuda = build.cuda.str();
    if (build.cudnn) needs.cudnn = build.cudnn->str();
    needs.driver = driver_for(build.cuda, build.min_driver);
    needs.machine_code = texts(build.sass);
    needs.ptx = texts(build.ptx);
    if (build.is_default) {
      needs.install = "torch==" + needs.version + ".*";
    } else {
      needs.notes =
          "in PyTorch's own index " + needs.variant + ": its install page has the command";
    }
    needs.source = build.source;
    all.push_back(std::move(needs));
  }
  return all;
}

std::vector<Needs> table_of(std::string_view framework) {
  if (framework == "jax") return jax_needs();
  if (framework == "torch") return torch_needs();
  return tensorflow_needs();
}

/// Newer than the table: what an installation says of itself.
std::optional<Needs> from_installation(const Facts& facts, std::string_view name,
                                       std::string_view version) {
  for (const auto& python : facts.pythons) {
    for (const auto& framework : python.frameworks) {
      const auto* build = framework.build.get();
      const auto have = framework.version.value_or("");
      if (framework.name != name || build == nullptr || !have.starts_with(version)) continue;
      Needs needs;
      needs.framework = name;
      needs.version = have;
      if (const auto* owner = rules::find_distribution(python, std::string(name)))
        needs.python = owner->requires_python;
      needs.cuda = build->cuda.value_or(false) ? build->cuda_version.value_or("") : std::string();
      needs.cudnn = build->cudnn_version.value_or("");
      if (const auto cuda = Version::parse(needs.cuda)) needs.driver = driver_for(*cuda, {});
      if (build->sass.known()) {
        needs.machine_code = build->sass.value();
        needs.ptx = build->ptx.value_or({});
      } else {
        add_code(needs, build->compute_capabilities);
      }
      needs.source = framework.directory;
      return needs;
    }
  }
  return std::nullopt;
}

bool same_minor(const Version& a, const Version& b) {
  return a.major() == b.major() && a.minor() == b.minor();
}

std::string table_end(const std::vector<Needs>& table) {
  const auto& last = table.back();
  return last.version + (last.released.empty() ? "" : " of " + last.released);
}

// --- a machine ---

/// Does the stated range take this Python? Nothing where it is not stated.
std::optional<bool> takes_python(const Needs& needs, const Version& python) {
  if (needs.python.empty()) return std::nullopt;
  const Version minor{{python.major(), python.minor()}};
  if (needs.python.ends_with("or later"))
    return minor >= Version::parse(needs.python).value_or(Version{});
  for (const auto word : split(std::string_view(needs.python), ' ')) {
    const auto dash = word.find('-');
    const auto first = Version::parse(word.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : Version::parse(word.substr(dash + 1));
    if (first && last && *first <= minor && minor <= *last) return true;
  }
  return false;
}

std::vector<std::string> stated(const Needs& needs) {
  std::vector<std::string> code;
  const auto bare = [](std::string text) {
    std::erase(text, '.');
    return text;
  };
  code.reserve(needs.machine_code.size() + needs.ptx.size());
  for (const auto& each : needs.machine_code) code.push_back("sm_" + bare(each));
  for (const auto& each : needs.ptx) code.push_back("compute_" + bare(each));
  return code;
}

bool newer(const Needs& needs, const std::string& than) {
  const auto a = Version::parse(needs.version);
  const auto b = Version::parse(than);
  return a && b && *a > *b;
}

struct Machine {
  std::optional<Version> driver;
  std::optional<int> driver_cuda;
  std::vector<rules::Target> gpus;
};

Fit fit(const Needs& needs, const std::optional<Version>& python, const Machine& machine) {
  Fit result{needs, {}, {}};
  const auto takes = python ? takes_python(needs, *python) : std::nullopt;
  if (takes == false) result.against.push_back("it is for Python " + needs.python);
  if (!takes) result.open.push_back("which Python it is for is not known");
  const auto minimum = Version::parse(needs.driver);
  const auto cuda = Version::parse(needs.cuda);
  if (!machine.driver) {
    result.open.push_back("no driver is loaded; it needs " + needs.driver + " or newer");
  } else if (minimum && *machine.driver < *minimum) {
    result.against.push_back("it needs driver " + needs.driver + " or newer");
  }
  const auto code = rules::stated_code(stated(needs));
  if (code.empty()) result.open.push_back("which GPUs it has code for is not known");
  for (const auto& gpu : machine.gpus) {
    if (code.empty()) break;
    const auto coverage = rules::coverage(code, gpu.capability);
    const bool compiles = !cuda || !machine.driver_cuda ||
                          *machine.driver_cuda >= cuda->major() * 1000 + cuda->minor() * 10;
    if (coverage == rules::Coverage::none)
      result.against.push_back("it has no code for compute capability " + gpu.capability.str());
    if (coverage == rules::Coverage::ptx && !compiles)
      result.against.push_back("its PTX is newer than the driver compiles");
  }
  return result;
}

} // namespace

Result<Compat> needs_of(const Facts& facts, std::string_view specification) {
  const auto text = trim(specification);
  const auto end = text.find_first_of("=[ ");
  auto name = lower(text.substr(0, end));
  if (name == "tf") name = "tensorflow";
  if (name == "pytorch") name = "torch";
  const auto none = [&] {
    return fail("'" + printable(text) +
                "' is no release: it takes tensorflow==2.16, jax==0.6.2, torch==2.6+cu126");
  };
  if (std::find(kFrameworks.begin(), kFrameworks.end(), name) == kFrameworks.end()) return none();
  std::string rest(end == std::string_view::npos ? std::string_view() : text.substr(end));
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    rest = close == std::string::npos ? "?" : rest.substr(close + 1);
  }
  rest = std::string(trim(rest));
  if (!rest.empty() && !rest.starts_with("==")) return none();
  auto wanted = rest.empty() ? std::string() : std::string(trim(rest.substr(2)));
  std::string variant;
  if (const auto plus = wanted.find('+'); plus != std::string::npos) {
    variant = wanted.substr(plus + 1);
    wanted = wanted.substr(0, plus);
  }
  const auto version = Version::parse(wanted);
  if (!rest.empty() && !version) return none();

  Compat compat;
  compat.asked = text;
  const auto table = table_of(name);
  const auto newest = Version::parse(table.back().version).value_or(Version{});
  if (!version) {
    for (const auto& each : table) {
      if (each.version == table.back().version) compat.needs.push_back(each);
    }
    compat.note = "the newest that gpuwhy knows, " + table_end(table);
    return compat;
  }
  std::string best; // the release itself, or the newest before it of the same minor
  for (const auto& each : table) {
    const auto listed = Version::parse(each.version).value_or(Version{});
    if (same_minor(listed, *version) && (best.empty() || listed <= *version)) best = each.version;
  }
  for (const auto& each : table) {
    if (each.version == best && (variant.empty() || each.variant == variant))
      compat.needs.push_back(each);
  }
  if (!compat.needs.empty()) {
    if (version->parts.size() > 2 && Version::parse(best) != version)
      compat.note = wanted + " is not in the table; it is taken for " + best;
    return compat;
  }
  if (!best.empty()) {
    compat.note = "the table has no " + printable(variant) + " of " + best;
    return compat;
  }
  compat.note = *version > newest
                    ? wanted + " is newer than gpuwhy's table, which ends with " + table_end(table)
                    : wanted + " is not in gpuwhy's table, which begins with " +
                          table.front().version + " and ends with " + table_end(table);
  if (auto installed = from_installation(facts, name, wanted)) {
    compat.needs.push_back(std::move(*installed));
    compat.note += "; this is what the installed one says of itself";
  }
  return compat;
}

Compat compatible_here(const Facts& facts) {
  Compat compat;
  Machine machine;
  const auto* module = facts.driver.module.get();
  const auto* nvml = facts.observed.nvml.get();
  std::string driver = module != nullptr ? module->version : "";
  if (driver.empty() && nvml != nullptr) driver = nvml->driver_version;
  machine.driver = Version::parse(driver);
  machine.driver_cuda = rules::driver_cuda(facts);
  machine.gpus = rules::targets(facts).gpus;
  compat.driver = driver;
  std::vector<std::string> names;
  names.reserve(machine.gpus.size());
  for (const auto& gpu : machine.gpus)
    names.push_back(gpu.name + ", compute capability " + gpu.capability.str());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  compat.gpu = join(names, "; ");
  std::set<std::string> told; // Pythons of one version are one table
  for (const auto& python : facts.pythons) {
    const auto version = Version::parse(python.version.value_or(""));
    const auto minor =
        version ? std::to_string(version->major()) + "." + std::to_string(version->minor())
                : std::string();
    if (!version || !told.insert(minor).second) continue;
    for (const auto name : kFrameworks) {
      FitTable table;
      table.framework = name;
      table.python = minor;
      table.interpreter = python.interpreter;
      const auto all = table_of(name);
      for (auto each = all.rbegin(); each != all.rend(); ++each) {
        table.fits.push_back(fit(*each, version, machine));
        auto& made = table.fits.back();
        if (name == "tensorflow" && made.against.empty() &&
            newer(*each, rules::release_for(python)))
          made.open.push_back(
              "it needs LD_LIBRARY_PATH: its wheel does not find all its libraries");
      }
      compat.here.push_back(std::move(table));
    }
  }
  return compat;
}

} // namespace gpuwhy
