// One fault for each library that a build opens and does not get: the rules of this folder share
// them out, so that one broken thing has one name.
#pragma once

#include "rules/rule.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

enum class Fault {
  missing,     // no copy that this program could have been meant to use
  wrong_major, // only another major version of it is there
  wrong_wheel, // its pip wheel is installed in a version of another major
  not_on_path, // there, under its right name, where the loader does not look
  shadowed,    // another good copy is met first, which cannot be loaded
  corrupt,     // the file that the search meets cannot be loaded
  open,        // the inventory does not tell
};

struct LibraryFault {
  Fault fault = Fault::open;
  const LibraryNeed* need = nullptr;
  bool in_use = false; // opened at its first use: the GPU is listed without it
  std::string soname;  // that fails: the library itself, or one that it needs
  std::string product; // of `soname`
  std::string path;    // the file in question; for an unreadable directory, its path
  loader::Step step = loader::Step::default_directory; // by which the search met it
  std::string because;                                 // "LD_LIBRARY_PATH[0]"
  std::string detail; // "file too short", "ELF 32-bit ..."; for open: what was not looked at
};

/// In the order of opening, those without which no GPU is listed first; a soname is named once.
std::vector<LibraryFault> library_faults(const Case& c);
/// Nothing is asked of libraries: not installed, or no CUDA build.
bool asks_no_libraries(const Case& c);
/// "libcudart.so.12 and libcublas.so.12"
std::string listing(const std::vector<std::string>& words);
/// The required libraries that load from wheels beside the framework, and from elsewhere.
struct Providers {
  std::size_t wheels = 0;
  std::size_t others = 0;
  bool by_wheels() const { return wheels > 0 && wheels >= others; }
};
Providers providers_of(const Case& c);
/// Installed in the environment itself, or on this system, but not in somebody else's environment.
bool in_own_environment(const Case& c, std::string_view path);
bool in_other_environment(const Case& c, std::string_view path);

/// What is opened at its first use only does not hide the GPU: what uses it fails.
Outcome with_their_effect(Outcome outcome, const std::vector<LibraryFault>& faults);

/// The whole check of a rule that owns one fault of some products: found on its faults, unknown
/// where the loader's search is open, clear else. `report` makes the outcome of the faults that are
/// its own.
template <class Wanted, class Report>
Outcome judge_faults(const Case& c, std::string clear, Wanted wanted, Report report) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  std::vector<LibraryFault> own;
  const LibraryFault* open = nullptr;
  const auto faults = library_faults(c);
  for (const auto& fault : faults) {
    if (fault.fault == Fault::open)
      open = fault.in_use ? open : &fault;
    else if (wanted(fault))
      own.push_back(fault);
  }
  if (!own.empty()) return with_their_effect(report(own), own);
  if (open != nullptr)
    return Outcome::unknown("the search for " + open->soname + " meets " + open->detail +
                            ", which was not looked at");
  return Outcome::clear(std::move(clear));
}

} // namespace gpuwhy::rules
