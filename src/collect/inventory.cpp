#include "collect/inventory.h"

#include "base/text.h"
#include "collect/python_environment.h"
#include "elf/library.h"

#include <algorithm>
#include <array>
#include <span>

namespace gpuwhy {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kMostDirectories = 2'000;
constexpr std::size_t kMostFiles = 5'000;
constexpr std::size_t kMostWanted = 500;
constexpr std::size_t kLongestName = 255;

bool starts_with_any(std::string_view name, std::span<const std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

/// ".so" at the end or before a version.
bool is_library_name(std::string_view name) {
  const auto at = name.find(".so");
  if (!name.starts_with("lib") || at == std::string_view::npos || name.size() > kLongestName)
    return false;
  const auto rest = name.substr(at + 3);
  return rest.empty() || rest.starts_with('.');
}

std::string identity_of(const FileStatus& status) {
  return std::to_string(status.device) + ":" + std::to_string(status.inode);
}

} // namespace

bool is_cuda_library(std::string_view name) {
  constexpr std::array kStarts = {"libcuda.so"sv,         "libcudart.so"sv,
                                  "libcublas.so"sv,       "libcublasLt.so"sv,
                                  "libcufft.so"sv,        "libcurand.so"sv,
                                  "libcusolver.so"sv,     "libcusparse.so"sv,
                                  "libcudnn"sv,           "libnvrtc"sv,
                                  "libnvJitLink.so"sv,    "libnccl.so"sv,
                                  "libcupti.so"sv,        "libnvinfer"sv,
                                  "libnvidia-ml.so"sv,    "libnvidia-ptxjitcompiler.so"sv,
                                  "libnvvm.so"sv,         "libdxcore.so"sv,
                                  "libnvshmem_host.so"sv, "libcusparseLt.so"sv,
                                  "libcufile.so"sv,       "libnvToolsExt.so"sv};
  return is_library_name(name) && starts_with_any(name, kStarts) && !contains(name, "static");
}

bool is_base_library(std::string_view name) {
  constexpr std::array kStarts = {
      "ld-linux"sv,      "ld64.so"sv,      "libc.so"sv,    "libm.so"sv,      "libdl.so"sv,
      "libpthread.so"sv, "librt.so"sv,     "libutil.so"sv, "libz.so"sv,      "libgcc_s.so"sv,
      "libstdc++.so"sv,  "libresolv.so"sv, "libmvec.so"sv, "libatomic.so"sv, "libc.musl"sv,
      "linux-vdso"sv,    "libpython"sv,    "libgomp.so"sv};
  return starts_with_any(name, kStarts);
}

bool Inventory::of_interest(std::string_view name) const {
  return is_cuda_library(name) || wanted_.contains(name);
}

void Inventory::add_existing(const std::string& path, std::string_view origin) {
  if (is_directory(system_, path)) add_directory(path, origin);
}

void Inventory::add_directory(const std::string& path, std::string_view origin) {
  auto& known = facts_.libraries.directories;
  if (listed_.contains(path) || listed_.size() >= kMostDirectories) return;
  auto& names = listed_[path];
  auto& directory = known[path];
  directory.path = path;
  if (directory.origin.empty()) directory.origin = origin;

  const auto status = system_.status(path);
  const bool there = status && status->type == FileStatus::Type::directory;
  if (!there) {
    const bool closed = !status && status.error().kind != Unavailable::Kind::absent;
    directory.status =
        closed ? LibraryDirectory::Status::unreadable : LibraryDirectory::Status::absent;
    return;
  }
  // /lib and /usr/lib are often one directory.
  const auto [first, is_new] = first_names_.try_emplace(identity_of(*status), path);
  if (!is_new) {
    names = listed_[first->second];
    directory.capabilities = known[first->second].capabilities;
    directory.status = known[first->second].status;
    for (const auto& name : directory.capabilities)
      add_directory(path + "/glibc-hwcaps/" + name, origin);
    return;
  }
  const auto entries = system_.list(path);
  if (!entries) {
    directory.status = LibraryDirectory::Status::unreadable;
    return;
  }
  bool capabilities = false;
  for (const auto& entry : *entries) {
    if (is_library_name(entry.name)) names.push_back(entry.name);
    capabilities = capabilities || entry.name == "glibc-hwcaps";
  }
  if (capabilities) add_capabilities(path, directory);
}

void Inventory::add_capabilities(const std::string& path, LibraryDirectory& directory) {
  const auto entries = system_.list(path + "/glibc-hwcaps");
  if (!entries) return;
  const auto& used = facts_.libraries.hardware_capabilities;
  for (const auto& entry : *entries) {
    if (std::find(used.begin(), used.end(), entry.name) == used.end()) continue;
    directory.capabilities.push_back(entry.name);
    add_directory(path + "/glibc-hwcaps/" + entry.name, directory.origin);
  }
}

void Inventory::add_file(const std::string& path) {
  auto& files = facts_.libraries.files;
  if (files.size() >= kMostFiles || files.contains(path)) return;
  const auto status = system_.status(path);
  if (status) {
    const auto known = by_identity_.find(identity_of(*status));
    if (known != by_identity_.end()) {
      // Another name of it: a link, or a hard link, which has a real path of its own.
      auto file = files.at(known->second);
      file.path = path;
      file.real_path = system_.real_path(path).value_or(path);
      set_version(file);
      files.emplace(path, std::move(file));
      return;
    }
  }
  auto file = classify_library(system_, path);
  set_version(file);
  if (!file.identity.empty()) by_identity_.emplace(file.identity, path);
  if (is_cuda_library(base_name(path)) || wanted_.contains(base_name(path))) want_needed(file);
  files.emplace(path, std::move(file));
}

void Inventory::want_needed(const LibraryFile& file) {
  for (const auto& name : file.needed) {
    if (wanted_.size() >= kMostWanted || is_base_library(name) || is_cuda_library(name)) continue;
    if (name.size() <= kLongestName && !contains(name, "/")) wanted_.insert(name);
  }
}

/// A wheel's libraries are named by soname alone; the wheel's own version is theirs.
void Inventory::set_version(LibraryFile& file) {
  const auto& path = file.path;
  const auto in_name =
      version_in_file_name(base_name(file.real_path.empty() ? path : file.real_path));
  file.version = in_name ? Fact<std::string>::known(*in_name, {file.real_path, 0})
                         : Fact<std::string>::absent({path, 0}, "its file name holds no version");
  if (in_name) return;
  const auto start = path.rfind("/nvidia/");
  if (start == std::string::npos || !path.starts_with('/')) return;
  const auto site = path.substr(0, start);
  const auto rest = std::string_view(path).substr(start + 8);
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos || !rest.substr(slash).starts_with("/lib/")) return;
  const auto package = "nvidia-" + replace_all(std::string(rest.substr(0, slash)), "_", "-");
  const WheelOwner* owner = nullptr;
  for (const auto& wheel : wheels_in(site)) {
    if (wheel.name != package && !wheel.name.starts_with(package + "-cu")) continue;
    if (owner != nullptr && owner->location != wheel.location) {
      file.version = Fact<std::string>::unknown(
          owner->name + " and " + wheel.name + " both own " + path, {path, 0});
      return;
    }
    owner = &wheel;
  }
  if (owner != nullptr && !owner->version.empty()) {
    file.version = Fact<std::string>::known(owner->version, {owner->location, 0});
  }
}

/// NVIDIA's wheels of a site-packages: as its environment was read, or, of a foreign one
/// (LD_LIBRARY_PATH can lead anywhere), by the names of their metadata.
const std::vector<Inventory::WheelOwner>& Inventory::wheels_in(const std::string& site) {
  const auto [entry, is_new] = wheels_.try_emplace(site);
  auto& wheels = entry->second;
  if (!is_new) return wheels;
  for (const auto& python : facts_.pythons) {
    for (const auto& distribution : python.distributions) {
      if (distribution.directory != site || !distribution.name.starts_with("nvidia-")) continue;
      wheels.push_back({distribution.name, distribution.version, distribution.location});
    }
  }
  if (!wheels.empty()) return wheels;
  const auto entries = system_.list(site);
  if (!entries) return wheels;
  constexpr std::string_view kSuffix =
      ".dist-info"; // NAME-VERSION.dist-info, the name with '_' for '-'
  for (const auto& each : *entries) {
    const std::string_view name = each.name;
    const auto dash = name.find('-');
    if (!name.starts_with("nvidia_") || !name.ends_with(kSuffix) ||
        dash > name.size() - kSuffix.size())
      continue;
    wheels.push_back({replace_all(std::string(name.substr(0, dash)), "_", "-"),
                      std::string(name.substr(dash + 1, name.size() - kSuffix.size() - dash - 1)),
                      join_path(site, each.name)});
    if (wheels.size() >= kMostWanted) break;
  }
  return wheels;
}

void Inventory::examine() {
  // What a library needs may lie in a directory that was done with before.
  for (std::size_t before = facts_.libraries.files.size() + 1;
       before != facts_.libraries.files.size();) {
    before = facts_.libraries.files.size();
    for (const auto& [directory, names] : listed_) {
      for (const auto& name : names) {
        if (of_interest(name)) add_file(join_path(directory, name));
      }
    }
  }
}

void Inventory::finish() {
  for (auto& [path, names] : listed_) {
    auto& kept = facts_.libraries.directories[path].names;
    kept.clear();
    for (const auto& name : names) {
      if (of_interest(name)) kept.push_back(name);
    }
  }
}

} // namespace gpuwhy
