// Fills Libraries: directories are listed, and of the libraries in them those of interest are
// examined, each file once whatever its names.
#pragma once

#include "facts/facts.h"
#include "system/system.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// A name of the CUDA family: "libcudnn_ops.so.9", "libcuda.so.1", "libnvidia-ml.so.1".
bool is_cuda_library(std::string_view name);
/// What every process has, and no search is made for: "libc.so.6", "libstdc++.so.6".
bool is_base_library(std::string_view name);

class Inventory {
public:
  Inventory(System& system, Facts& facts) : system_(system), facts_(facts) {}

  /// Lists a directory, once; what it is there for is kept if it was not known before.
  void add_directory(const std::string& path, std::string_view origin);
  /// The same, unless there is no such directory.
  void add_existing(const std::string& path, std::string_view origin);
  /// Examines a file whatever its name.
  void add_file(const std::string& path);
  bool has_directory(const std::string& path) const { return listed_.contains(path); }

  /// Examines the files of interest that are not examined yet, and what those need in turn.
  void examine();
  /// Whether the facts shall tell of this name.
  bool of_interest(std::string_view name) const;
  /// Writes what was listed into the facts.
  void finish();

private:
  using Names = std::vector<std::string>;

  void add_capabilities(const std::string& path, LibraryDirectory& directory);
  void want_needed(const LibraryFile& file);
  struct WheelOwner {
    std::string name; // "nvidia-cudnn-cu12"
    std::string version;
    std::string location;
  };
  void set_version(LibraryFile& file);
  const std::vector<WheelOwner>& wheels_in(const std::string& site);

  System& system_;
  Facts& facts_;
  std::map<std::string, Names> listed_;            // every library's name, by directory
  std::map<std::string, std::string> first_names_; // directory's device:inode -> its first path
  std::map<std::string, std::vector<WheelOwner>> wheels_; // by site-packages
  std::map<std::string, std::string>
      by_identity_;                           // file's device:inode -> path of an examined name
  std::set<std::string, std::less<>> wanted_; // beyond the CUDA family
};

} // namespace gpuwhy
