// Builds the cases: repeats the loader's search for every library that a framework build opens.
#include "judge/judge.h"

#include "base/text.h"
#include "base/version.h"
#include "judge/code.h"
#include "judge/openings.h"
#include "knowledge/knowledge.h"

#include <algorithm>
#include <set>

namespace gpuwhy {
namespace {

/// Sonames that are in the process before the framework opens CUDA: what its own objects need, and
/// libc's.
std::set<std::string> loaded_from_the_start(const Libraries& libraries,
                                            const FrameworkBuild& build) {
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
  add(build.opener);
  for (const auto& object : build.loader_chain) add(object);
  return loaded;
}

loader::Process process_of(const Case& subject) {
  const auto& facts = subject.facts;
  loader::Setting setting;
  if (const auto* path = facts.environment.find("LD_LIBRARY_PATH"))
    setting.library_path = path->value;
  setting.executable = subject.python->executable;
  setting.working_directory = facts.platform.working_directory;
  setting.musl = facts.libraries.libc.known() && facts.libraries.libc.value().starts_with("musl");
  return {facts.libraries, setting, loaded_from_the_start(facts.libraries, *subject.build())};
}

void run(loader::Process& process, const std::vector<Opening>& openings,
         std::vector<LibraryNeed>& needs) {
  for (const auto& opening : openings) {
    auto found = process.open(opening.request);
    if (opening.product.empty()) continue;
    needs.push_back({opening.request.name, opening.product, opening.required, std::move(found)});
  }
}

void search_libraries(Case& subject) {
  const auto* build = subject.build();
  if (build == nullptr) return;
  auto process = process_of(subject);
  subject.libcuda = process.open({"libcuda.so.1", build->opener, build->loader_chain});
  if (!build->cuda.value_or(false)) return;
  if (subject.kind() == "tensorflow" &&
      tensorflow_opens_nvml(subject.framework->version.value_or(""))) {
    subject.libnvidia_ml = process.open({"libnvidia-ml.so.1", build->opener, build->loader_chain});
  }
  const auto openings = openings_of(subject);
  run(process, openings, subject.libraries);
  const auto failed = [](const LibraryNeed& need) {
    return need.required && need.found.outcome != loader::Outcome::found;
  };
  // PyTorch looks into sys.path if its first library does not load.
  const auto& needs = subject.libraries;
  if (!needs.empty() && failed(needs.front())) {
    if (const auto by_path = second_attempt(subject); !by_path.empty()) {
      auto again = process_of(subject);
      std::vector<LibraryNeed> second;
      run(again, by_path, second);
      run(again, openings, second);
      subject.libraries = std::move(second);
    }
  }
}

/// The first on sys.path is the one that an import takes.
const Framework* imported(const PythonEnvironment& python, std::string_view name) {
  for (const auto& framework : python.frameworks) {
    if (framework.name == name) return &framework;
  }
  return nullptr;
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
  return subject;
}

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

std::vector<Case> cases_of(const Facts& facts) {
  std::vector<Case> cases;
  for (const auto& python : facts.pythons) { // the selected one comes first
    const auto before = cases.size();
    for (const auto* name : {"tensorflow", "jax", "torch"}) {
      const auto* framework = imported(python, name);
      if (framework == nullptr) continue;
      Case subject{.facts = facts};
      subject.wanted = name;
      subject.python = &python;
      subject.framework = framework;
      search_libraries(subject);
      cases.push_back(std::move(subject));
    }
    if (const auto* keras = imported(python, "keras")) {
      auto subject = keras_case(facts, python, *keras);
      search_libraries(subject);
      cases.push_back(std::move(subject));
    }
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

} // namespace gpuwhy
