#include "collect/loader_configuration.h"

#include "base/text.h"
#include "base/version.h"
#include "collect/python_environment.h"
#include "elf/image.h"
#include "elf/ld_cache.h"
#include "elf/ld_conf.h"

#include <algorithm>
#include <span>

namespace gpuwhy {
namespace {

constexpr std::size_t kLargestLoader = 8U << 20U;
constexpr std::size_t kLargestCache = 64U << 20U;
constexpr std::size_t kLongestDirectory = 128;
constexpr std::size_t kMostDefaults = 16;
constexpr const char* kCache = "/etc/ld.so.cache";

/// The loader's file, by the names that the ABIs of 64-bit Linux prescribe.
std::string find_loader(System& system, const std::string& machine) {
  std::vector<std::string> paths;
  if (machine == "x86_64") paths = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-x86-64.so.2"};
  if (machine == "aarch64") paths = {"/lib/ld-linux-aarch64.so.1"};
  if (machine == "ppc64le") paths = {"/lib64/ld64.so.2"};
  for (const auto& path : paths) {
    if (is_file(system, path)) return path;
  }
  return {};
}

std::string find_musl(System& system, const std::string& machine) {
  const auto path = "/lib/ld-musl-" + machine + ".so.1";
  return is_file(system, path) ? path : std::string();
}

/// "GNU C Library (...) stable release version 2.36." stands in libc and in the loader.
std::string version_in(std::string_view loader) {
  constexpr std::string_view kWords = "release version ";
  const auto at = loader.find(kWords);
  const auto version = at == std::string_view::npos
                           ? std::nullopt
                           : Version::parse(loader.substr(at + kWords.size(), 16));
  return version && version->parts.size() >= 2 ? version->str() : std::string();
}

/// Before 2.34 the file behind the link was called ld-2.31.so.
std::string version_in_name(std::string_view name) {
  if (!name.starts_with("ld-")) return {};
  const auto version = Version::parse(name.substr(3));
  return version && version->parts.size() >= 2 ? version->str() : std::string();
}

void read_musl(System& system, Libraries& libraries, const std::string& machine) {
  const auto path = find_musl(system, machine);
  if (path.empty()) {
    libraries.libc = Fact<std::string>::unknown(
        "no dynamic loader of a kind that is known was found", {"/lib64", 0});
    return;
  }
  libraries.libc = Fact<std::string>::known("musl", {path, 0});
  auto directories = system.read("/etc/ld-musl-" + machine + ".path", 64U << 10U)
                         .value_or("/lib:/usr/local/lib:/usr/lib");
  std::replace(directories.begin(), directories.end(), '\n', ':');
  for (const auto directory : split(directories, ':')) {
    if (trim(directory).starts_with('/'))
      libraries.default_directories.emplace_back(trim(directory));
  }
}

std::vector<std::string> usual_directories(System& system, const std::string& machine) {
  const auto triplet = machine + "-linux-gnu";
  if (is_directory(system, "/usr/lib/" + triplet))
    return {"/lib/" + triplet, "/usr/lib/" + triplet, "/lib", "/usr/lib"};
  return {"/lib64", "/usr/lib64"};
}

/// $LIB is where the loader itself was told that libraries go: "lib64", "lib/x86_64-linux-gnu".
std::string lib_token(std::string_view directory) {
  if (directory.starts_with("/usr/")) directory.remove_prefix(4);
  return directory.starts_with('/') ? std::string(directory.substr(1)) : std::string(directory);
}

} // namespace

std::vector<std::string> default_directories_in(std::string_view loader) {
  std::vector<std::string> best;
  std::vector<std::string> row;
  std::size_t at = 0;
  while (at < loader.size()) {
    const auto start = loader.find('/', at);
    if (start == std::string_view::npos) break;
    const auto end = loader.find('\0', start);
    if (end == std::string_view::npos) break;
    const auto text = loader.substr(start, end - start);
    const bool follows = !row.empty() && start == at;
    const bool whole = start == 0 || loader[start - 1] == '\0';
    const bool path = text.size() > 2 && text.size() < kLongestDirectory && text.ends_with('/') &&
                      std::all_of(text.begin(), text.end(),
                                  [](char letter) { return letter > ' ' && letter < '\x7f'; });
    if (!path || !whole || !follows) row.clear();
    // A string cut short by a byte of code is no row: go on behind its slash.
    at = path && whole ? end + 1 : start + 1;
    if (!path || !whole) continue;
    row.emplace_back(text.substr(0, text.size() - 1));
    const bool libraries = contains(row.front(), "/lib");
    if (libraries && row.size() > best.size() && row.size() <= kMostDefaults) best = row;
  }
  return best;
}

/// The loader's texts: its .rodata, a tenth of the file; the whole where there is no section table.
std::string texts_of(System& system, const std::string& loader) {
  if (const auto image = read_elf(system, loader)) {
    const auto section = find_section(system, loader, *image, ".rodata");
    if (section && *section && (*section)->size <= kLargestLoader) {
      const auto texts =
          system.read_at(loader, (*section)->offset, static_cast<std::size_t>((*section)->size));
      if (texts) return *texts;
    }
  }
  return system.read(loader, kLargestLoader).value_or("");
}

void read_loader_configuration(System& system, Libraries& libraries) {
  const auto& machine = system.identity().machine;
  libraries.hardware_capabilities = system.hardware_capabilities();
  libraries.platform_token = machine;
  const auto path = find_loader(system, machine);
  if (path.empty()) return read_musl(system, libraries, machine);

  const auto real = system.real_path(path).value_or(path);
  const auto texts = texts_of(system, path);
  auto version = version_in_name(base_name(real));
  libraries.default_directories = default_directories_in(texts);
  if (version.empty()) version = version_in(texts);
  if (libraries.default_directories.empty())
    libraries.default_directories = usual_directories(system, machine);
  libraries.lib_token = lib_token(libraries.default_directories.front());
  libraries.libc =
      Fact<std::string>::known(version.empty() ? "glibc" : "glibc " + version, {real, 0});
  libraries.configured_directories = read_ld_conf(system).directories;
}

Fact<std::vector<CacheEntry>> read_loader_cache(System& system) {
  const auto bytes = system.read(kCache, kLargestCache);
  if (!bytes) return without_value<std::vector<CacheEntry>>(bytes.error(), kCache);
  auto entries = parse_ld_cache(std::as_bytes(std::span(bytes->data(), bytes->size())),
                                system.identity().machine);
  // The loader does without a cache that it cannot use; so does the search.
  if (!entries) return Fact<std::vector<CacheEntry>>::absent({kCache, 0}, entries.error().message);
  return Fact<std::vector<CacheEntry>>::known(std::move(*entries), {kCache, 0});
}

} // namespace gpuwhy
