#include "collect/native_objects.h"

#include "base/text.h"
#include "collect/collector.h"
#include "collect/python_environment.h"
#include "elf/library.h"
#include "loader/search.h"

namespace gpuwhy {

const LibraryFile& NativeObjects::classify(const std::string& path) {
  const auto [entry, inserted] = facts_.libraries.files.try_emplace(path);
  if (inserted) entry->second = classify_library(system_, path);
  return entry->second;
}

void NativeObjects::check(Framework& framework, const std::string& path) {
  if (!system_.status_of_link(path)) {
    framework.broken.push_back(path + " is missing");
    return;
  }
  const auto& file = classify(path);
  if (file.status != LibraryFile::Status::good) {
    framework.broken.push_back(path + ": " +
                               (file.detail.empty() ? "cannot be loaded" : file.detail));
  }
}

void NativeObjects::add_interpreter(const PythonEnvironment& python, FrameworkBuild& build) {
  const auto& executable = python.executable;
  if (executable.empty()) return;
  const LibraryFile program = classify(executable);
  for (const auto& name : program.needed) {
    if (!name.starts_with("libpython") || contains(name, "/")) continue;
    auto directories = program.runpath.empty() ? program.rpath : program.runpath;
    directories.push_back(std::string(parent_path(parent_path(executable))) + "/lib");
    for (const auto& element : directories) {
      const auto directory = loader::expand(element, parent_path(executable), facts_.libraries);
      auto path = join_path(normalize_path(directory), name);
      if (!directory.starts_with('/') || !is_file(system_, path)) continue;
      classify(path);
      build.loader_chain.push_back(std::move(path));
      break;
    }
  }
  build.loader_chain.push_back(executable);
}

void NativeObjects::read_code(const std::string& library, FrameworkBuild& build,
                              const FatbinLimits& limits) {
  using Architectures = Fact<std::vector<std::string>>;
  const auto code = read_fatbin(system_, library, limits);
  if (!code) {
    build.sass = build.ptx = without_value<std::vector<std::string>>(code.error(), library);
  } else if (code->containers == 0) {
    const auto reason =
        library + (code->stopped.empty() ? ": holds no code for GPUs" : ": " + code->stopped);
    build.sass = build.ptx = Architectures::unknown(reason, {library, 0});
  } else {
    build.sass = Architectures::known(code->sass, {library, 0});
    build.ptx = Architectures::known(code->ptx, {library, 0});
  }
}

const Distribution* owner_of(const PythonEnvironment& python, const std::string& site,
                             std::string_view name) {
  for (const auto& distribution : python.distributions) {
    if (distribution.name == name && distribution.directory == site) return &distribution;
  }
  return nullptr;
}

} // namespace gpuwhy
