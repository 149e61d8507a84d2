// A change of the facts, with the words and commands by which a person makes it real. Applying an
// edit and judging again is how a fix is proven. Pure: an edit touches Facts, never the machine.
#pragma once

#include "facts/facts.h"

#include <functional>
#include <string>
#include <vector>

namespace gpuwhy {

struct Edit {
  std::string words; // "remove /usr/local/cuda-11.8/lib64 from LD_LIBRARY_PATH (~/.bashrc:118)"
  std::vector<std::string> commands; // what to type, one shell command each; may be empty
  std::function<void(Facts&)> apply; // empty: the outcome cannot be simulated (advice)
};

namespace edit {

void set_variable(Facts& facts, std::string_view name, std::string_view value);
void unset_variable(Facts& facts, std::string_view name);
/// Drops every element of LD_LIBRARY_PATH that names `directory`.
void remove_from_library_path(Facts& facts, std::string_view directory);
/// Appends directories, parted by colons, as `export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:..."` does.
void extend_library_path(Facts& facts, std::string_view directories);
/// Adds a good library file (and its directory) to the inventory, as an installation would.
void add_library(Facts& facts, const std::string& directory, const LibraryFile& file);
void remove_library(Facts& facts, const std::string& path);
/// Puts a distribution into an environment, replacing one of the same name.
void install_distribution(PythonEnvironment& python, Distribution distribution);
void uninstall_distribution(PythonEnvironment& python, std::string_view name);
/// The driver works: probes answer with the GPUs of the bus (or one of compute capability as
/// given).
void driver_works(Facts& facts, std::string_view driver_version, int cuda_version);

} // namespace edit
} // namespace gpuwhy
