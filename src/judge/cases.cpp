// Builds the cases: repeats the loader's search for every library that a framework build opens.
#include "judge/judge.h"

#include "base/text.h"
#include "base/version.h"
#include "judge/code.h"
#include "judge/decisive.h"
#include "judge/neighbours.h"
#include "judge/openings.h"
#include "knowledge/knowledge.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace gpuwhy {
namespace {

/// Sonames that are in the process before a framework opens CUDA: libc's, and what its own objects
/// need.
std::set<std::string> loaded_from_the_start(const Libraries& libraries,
                                            const std::vector<Case>& frameworks) {
  std::set<std::string> loaded = {"libc.so.6",
                                  "libm.so.6",
                                  "libdl.so.2",
                                  "libpthread.so.0",
                                  "librt.so.1",
                                  "libgcc_s.so.1",
                                  "libstdc++.so.6",
                                  "libutil.so.1",
                                  "libz.so.1",
                                  "ld-linux-x86-64.so.2",
                                  "ld-linux-aarch64.so.1"};
  const auto add = [&](const std::string& path) {
    const auto file = libraries.files.find(path);
    if (file == libraries.files.end()) return;
    for (const auto& name : file->second.needed) {
      if (!is_cuda_name(name)) loaded.insert(name); // those are the question
    }
  };
  for (const auto& framework : frameworks) {
    add(framework.build()->opener);
    for (const auto& object : framework.build()->loader_chain) add(object);
  }
  return loaded;
}

loader::Process process_of(const Case& subject, const std::vector<Case>& frameworks) {
  const auto& facts = subject.facts;
  loader::Setting setting;
  if (const auto* path = facts.environment.find("LD_LIBRARY_PATH"))
    setting.library_path = path->value;
  setting.executable = subject.python->executable;
  setting.working_directory = facts.platform.working_directory;
  setting.musl = facts.libraries.libc.known() && facts.libraries.libc.value().starts_with("musl");
  return {facts.libraries, setting, loaded_from_the_start(facts.libraries, frameworks)};
}

enum class Stage { import, use };

/// The process of a program, as one framework after the other loads into it.
class Loading {
public:
  Loading(const Case& subject, const std::vector<Case>& frameworks)
      : process_(process_of(subject, frameworks)) {}

  loader::Found open(const loader::Request& request) { return process_.open(request); }

  /// The framework's own steps of one stage, in the process as it is by then.
  void run(const Case& framework, const std::vector<Opening>& openings, Stage stage,
           std::vector<LibraryNeed>& needs) {
    for (const auto& opening : openings) {
      if (opening.at_import != (stage == Stage::import)) continue;
      auto found = process_.open(opening.request);
      for (const auto& path : found.loaded) loader_of_.emplace(path, &framework);
      const auto other = loader_of_.find(found.path);
      const bool shared =
          other != loader_of_.end() && other->second->framework != framework.framework;
      if (shared) found.because = importer_text(*other->second);
      if (opening.product.empty()) continue;
      needs.push_back({opening.request.name, opening.product, opening.required, std::move(found)});
    }
  }

  /// PyTorch looks into sys.path if its first library does not load.
  void bring_in(const Case& framework, std::vector<LibraryNeed>& needs) {
    const auto openings = openings_of(framework);
    const auto by_path = second_attempt(framework);
    if (!by_path.empty() && !openings.empty()) {
      auto trial = process_;
      if (trial.open(openings.front().request).outcome != loader::Outcome::found)
        run(framework, by_path, Stage::import, needs);
    }
    run(framework, openings, Stage::import, needs);
  }

private:
  loader::Process process_;
  std::map<std::string, const Case*> loader_of_; // path -> whose search brought it
};

void search_libraries(Case& subject) {
  const auto* build = subject.build();
  if (build == nullptr) return;
  auto frameworks = imported_with(subject);
  if (frameworks.empty()) frameworks.push_back(subject);
  Loading loading(subject, frameworks);
  subject.libcuda = loading.open({"libcuda.so.1", build->opener, build->loader_chain});
  if (!build->cuda.value_or(false)) return;
  if (subject.kind() == "tensorflow" &&
      tensorflow_opens_nvml(subject.framework->version.value_or(""))) {
    subject.libnvidia_ml = loading.open({"libnvidia-ml.so.1", build->opener, build->loader_chain});
  }
  for (const auto& each : frameworks) {
    std::vector<LibraryNeed> ignored;
    const bool own = each.framework == subject.framework;
    if (each.build()->cuda.value_or(false))
      loading.bring_in(each, own ? subject.libraries : ignored);
  }
  loading.run(subject, openings_of(subject), Stage::use, subject.libraries);
}

Case framework_case(const Facts& facts, const PythonEnvironment& python,
                    const Framework& framework) {
  Case subject{.facts = facts};
  subject.wanted = framework.name;
  subject.python = &python;
  subject.framework = &framework;
  search_libraries(subject);
  return subject;
}

/// One more for Keras, on top of its backend.
Case keras_case(const Facts& facts, const PythonEnvironment& python, const Framework& keras) {
  Case subject{.facts = facts};
  subject.wanted = "keras";
  subject.python = &python;
  subject.keras = &keras;
  subject.backend = keras_backend(facts, keras);
  const auto& name = subject.backend;
  if (name == "tensorflow" || name == "jax" || name == "torch")
    subject.framework = imported(python, name);
  search_libraries(subject);
  return subject;
}

constexpr std::array<std::string_view, 3> kFrameworks{"tensorflow", "jax", "torch"};

/// What the program computes with comes first, the framework that does most at the head.
void sort_by_use(const ProgramFacts& program, std::vector<Case>& cases, std::size_t from) {
  const auto rank = [&](const Case& subject) {
    return std::find(program.frameworks.begin(), program.frameworks.end(), subject.wanted) -
           program.frameworks.begin();
  };
  std::vector<const Case*> sorted;
  for (auto at = from; at < cases.size(); ++at) sorted.push_back(&cases[at]);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Case* a, const Case* b) { return rank(*a) < rank(*b); });
  std::vector<Case> result(cases.begin(), cases.begin() + static_cast<std::ptrdiff_t>(from));
  for (const auto* each : sorted) result.push_back(*each);
  cases.swap(result);
}

} // namespace

std::string keras_backend(const Facts& facts, const Framework& keras) {
  const auto version = Version::parse(keras.version.value_or(""));
  if (version && version->major() < 3) return "tensorflow";
  const auto* variable = facts.environment.find("KERAS_BACKEND");
  if (variable != nullptr && !variable->value.empty()) return variable->value;
  return keras.configured_backend.value_or("tensorflow");
}

std::vector<Case> cases_without_shell(const Facts& facts) {
  std::vector<Case> cases;
  for (const auto& python : facts.pythons) { // the selected one comes first
    const auto before = cases.size();
    for (const auto name : kFrameworks) {
      if (const auto* framework = imported(python, name))
        cases.push_back(framework_case(facts, python, *framework));
    }
    if (const auto* keras = imported(python, "keras"))
      cases.push_back(keras_case(facts, python, *keras));
    if (!python.selected) continue;
    for (const auto& name : missing_frameworks(facts, python)) {
      Case subject{.facts = facts};
      subject.wanted = name;
      subject.python = &python;
      cases.push_back(std::move(subject));
    }
    sort_by_use(facts.program, cases, before);
    if (cases.size() > before) continue;
    Case subject{.facts = facts};
    subject.python = &python;
    cases.push_back(std::move(subject));
  }
  if (cases.empty()) cases.push_back(Case{.facts = facts});
  return cases;
}

std::vector<Case> cases_of(const Facts& facts) {
  auto cases = cases_without_shell(facts);
  if (!facts.place.shell.known()) return cases;
  for (auto& subject : cases) {
    if (subject.python != nullptr && subject.python->selected)
      subject.decisive = find_decisive(facts, subject.wanted);
  }
  return cases;
}

std::optional<Case> case_again(const Facts& facts, const Case& subject) {
  for (const auto& python : facts.pythons) {
    if (subject.python != nullptr && python.interpreter != subject.python->interpreter) continue;
    const auto* framework = imported(python, subject.wanted);
    if (framework != nullptr && subject.wanted == "keras")
      return keras_case(facts, python, *framework);
    if (framework != nullptr) return framework_case(facts, python, *framework);
    if (subject.framework != nullptr || subject.keras != nullptr) return std::nullopt;
    Case again{.facts = facts};
    again.wanted = subject.wanted;
    again.python = &python;
    return again;
  }
  if (subject.python != nullptr) return std::nullopt;
  return Case{.facts = facts};
}

} // namespace gpuwhy
