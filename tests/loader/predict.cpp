// Says what our search predicts for the operations of driver.c, over an inventory that is filled,
// as the collector does it, with what the search says it lacks.
//
//   predict EXECUTABLE WORKING_DIRECTORY LIBRARY_PATH CACHE_FILE (open NAME | via LIBRARY NAME)...
#include "base/text.h"
#include "elf/ld_cache.h"
#include "elf/library.h"
#include "loader/message.h"
#include "system/system.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include "system/live.h"

using namespace gpuwhy;

namespace {

void add_directory(System& system, Libraries& libraries, const std::string& path) {
  LibraryDirectory directory;
  directory.path = path;
  if (const auto entries = system.list(path)) {
    for (const auto& entry : *entries) directory.names.push_back(entry.name);
  } else {
    directory.status = entries.error().kind == Unavailable::Kind::absent
                           ? LibraryDirectory::Status::absent
                           : LibraryDirectory::Status::unreadable;
  }
  if (const auto entries = system.list(path + "/glibc-hwcaps")) {
    for (const auto& entry : *entries) directory.capabilities.push_back(entry.name);
  }
  libraries.directories[path] = std::move(directory);
}

/// The program's own libraries are in the process before anything is opened.
loader::Process start(const Libraries& libraries, const loader::Setting& setting,
                      std::vector<std::string>& lacks) {
  loader::Process process(libraries, setting,
                          {"libc.so.6", "ld-linux-x86-64.so.2", "linux-vdso.so.1"});
  for (const auto& name : libraries.files.at(setting.executable).needed) {
    const auto found = process.open({name, setting.executable, {}});
    lacks.insert(lacks.end(), found.not_looked.begin(), found.not_looked.end());
  }
  return process;
}

std::vector<loader::Found> predict(const Libraries& libraries, const loader::Setting& setting,
                                   const std::vector<std::string>& operations,
                                   std::vector<std::string>& lacks) {
  std::vector<loader::Found> results;
  auto process = start(libraries, setting, lacks);
  const auto open = [&](const loader::Request& request) {
    auto found = process.open(request);
    lacks.insert(lacks.end(), found.not_looked.begin(), found.not_looked.end());
    return found;
  };
  for (std::size_t at = 0; at + 1 < operations.size();) {
    if (operations[at] == "open") {
      results.push_back(open({operations[at + 1], setting.executable, {}}));
      at += 2;
    } else {
      const auto opener = open({operations[at + 1], setting.executable, {}});
      results.push_back(open({operations[at + 2], opener.path, {setting.executable}}));
      at += 3;
    }
  }
  return results;
}

void print(const loader::Found& found) {
  if (found.outcome == loader::Outcome::found) {
    std::printf("found %s", found.path.c_str());
    for (const auto& path : found.loaded) std::printf(" %s", path.c_str());
    std::printf("\n");
  } else if (found.outcome == loader::Outcome::crashes) {
    std::printf("crash\n");
  } else if (found.outcome == loader::Outcome::unknown) {
    std::printf("unknown: %s\n", join(found.not_looked, " ").c_str());
  } else {
    std::printf("error %s\n", loader::message(found).c_str());
  }
  for (const auto& asked : found.trace) {
    std::printf("  asked %s\t%s\n", asked.place.c_str(), asked.because.c_str());
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 7) return 2;
  const auto system = make_live_system();
  loader::Setting setting;
  setting.executable = argv[1];
  setting.working_directory = argv[2];
  setting.library_path = argv[3];
  Libraries libraries;
  libraries.default_directories = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib",
                                   "/usr/lib"};
  libraries.hardware_capabilities = system->hardware_capabilities();
  libraries.lib_token = "lib/x86_64-linux-gnu";
  libraries.platform_token = "x86_64";
  const auto cache = system->read(argv[4], 64U << 20U);
  if (cache) {
    const auto bytes = std::as_bytes(std::span(cache->data(), cache->size()));
    if (auto entries = parse_ld_cache(bytes, system->identity().machine)) {
      libraries.cache = Fact<std::vector<CacheEntry>>::known(std::move(*entries));
    }
  }
  if (!libraries.cache.known()) {
    libraries.cache = Fact<std::vector<CacheEntry>>::absent(Source{}, "no cache");
  }
  libraries.files[setting.executable] = classify_library(*system, setting.executable);

  const std::vector<std::string> operations(argv + 5, argv + argc);
  std::vector<loader::Found> results;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> lacks;
    results = predict(libraries, setting, operations, lacks);
    if (lacks.empty()) break;
    for (const auto& path : lacks) {
      if (path.ends_with('/'))
        add_directory(*system, libraries, path.substr(0, path.size() - 1));
      else
        libraries.files[path] = classify_library(*system, path);
    }
  }
  for (const auto& found : results) print(found);
  return 0;
}
