// Builds the cases: repeats the loader's search for every library that a framework build opens.
#include "judge/judge.h"

#include "base/text.h"
#include "base/version.h"
#include "knowledge/knowledge.h"

#include <set>

namespace gpuwhy {
namespace {

/// Sonames that are in the process before the framework opens CUDA: what its own objects need, and libc's.
std::set<std::string> loaded_from_the_start(const Libraries& libraries, const FrameworkBuild& build) {
  std::set<std::string> loaded = {"libc.so.6",  "libm.so.6",     "libdl.so.2",       "libpthread.so.0",
                                  "librt.so.1", "libgcc_s.so.1", "libstdc++.so.6",   "libutil.so.1",
                                  "libz.so.1",  "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
  const auto add = [&](const std::string& path) {
    const auto file = libraries.files.find(path);
    if (file == libraries.files.end()) return;
    loaded.insert(file->second.needed.begin(), file->second.needed.end());
  };
  add(build.opener);
  for (const auto& object : build.loader_chain) add(object);
  return loaded;
}

void search_libraries(Case& subject) {
  const auto* build = subject.build();
  if (build == nullptr) return;
  const auto& facts = subject.facts;
  loader::Setting setting;
  if (const auto* path = facts.environment.find("LD_LIBRARY_PATH")) setting.library_path = path->value;
  setting.executable = subject.python->executable;
  setting.working_directory = facts.platform.working_directory;
  setting.musl = facts.libraries.libc.known() && facts.libraries.libc.value().starts_with("musl");
  loader::Process process(facts.libraries, setting, loaded_from_the_start(facts.libraries, *build));
  const auto open = [&](const std::string& soname) {
    return process.open({soname, build->opener, build->loader_chain});
  };
  subject.libcuda = open("libcuda.so.1");
  if (!build->cuda.value_or(false)) return;
  if (tensorflow_opens_nvml(subject.framework->version.value_or(""))) {
    subject.libnvidia_ml = open("libnvidia-ml.so.1");
  }
  for (const auto& wanted : tensorflow_libraries(
           subject.framework->version.value_or(""), build->cuda_version.value_or(""),
           build->cudnn_version.value_or(""))) {
    LibraryNeed need;
    need.soname = wanted.soname;
    need.product = wanted.product;
    need.required = wanted.required;
    need.found = open(wanted.soname);
    subject.libraries.push_back(std::move(need));
  }
}

} // namespace

std::vector<Case> cases_of(const Facts& facts) {
  std::vector<Case> cases;
  for (const auto& python : facts.pythons) { // the selected one comes first
    const Framework* imported = nullptr; // the first on sys.path is the one that an import takes
    for (const auto& framework : python.frameworks) {
      if (framework.name == "tensorflow" && imported == nullptr) imported = &framework;
    }
    if (imported == nullptr && !python.selected) continue;
    Case subject{.facts = facts};
    subject.python = &python;
    subject.framework = imported;
    search_libraries(subject);
    cases.push_back(std::move(subject));
  }
  if (cases.empty()) cases.push_back(Case{.facts = facts});
  return cases;
}

} // namespace gpuwhy
