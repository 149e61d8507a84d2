// The file that the search meets is no library that this process can load.
// Truth: what glibc does with each kind of bad file, tried one by one (loader.md 1.5).
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/H_hardware/driver_installation.h"
#include "rules/L_libraries/cudnn_parts.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"
#include "rules/L_libraries/seen_searching.h"
#include "rules/L_libraries/wheels.h"

#include <array>

namespace gpuwhy::rules {
namespace {

using Status = LibraryFile::Status;

const LibraryDirectory* unreadable_directory(const Case& c, const std::string& path) {
  const auto& directories = c.facts.libraries.directories;
  const auto directory = directories.find(std::string(parent_path(path)));
  const bool bad = directory != directories.end() &&
                   directory->second.status == LibraryDirectory::Status::unreadable;
  return bad ? &directory->second : nullptr;
}

Status status_of(const Case& c, const std::string& path) {
  const auto file = c.facts.libraries.files.find(path);
  return file == c.facts.libraries.files.end() ? Status::good : file->second.status;
}

/// As if this user could read them: all that is looked for in an unreadable directory is taken to
/// be there.
Edit allow_reading(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& first = faults.front();
  const auto* directory = unreadable_directory(c, first.path);
  const std::string target = directory != nullptr ? directory->path : first.path;
  std::vector<LibraryFile> files;
  for (const auto& fault : faults) {
    if (parent_path(fault.path) != parent_path(first.path)) continue;
    LibraryFile file;
    const auto known = c.facts.libraries.files.find(fault.path);
    if (known != c.facts.libraries.files.end()) file = known->second;
    file.path = fault.path;
    if (file.real_path.empty()) file.real_path = file.identity = fault.path;
    if (file.soname.empty()) file.soname = fault.soname;
    file.status = Status::good;
    files.push_back(std::move(file));
  }
  Edit edit;
  edit.words = "make " + target + " readable";
  edit.commands = {"sudo chmod -R a+rX " + shell_word(target)};
  edit.apply = [files](Facts& facts) {
    for (const auto& file : files)
      edit::add_library(facts, std::string(parent_path(file.path)), file);
  };
  return edit;
}

/// Out of the way, or whole again.
Edit repair(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& fault = faults.front();
  const std::string directory(parent_path(fault.path));
  const bool unreadable = unreadable_directory(c, fault.path) != nullptr ||
                          status_of(c, fault.path) == Status::unreadable;
  if (unreadable) return allow_reading(c, faults);
  const bool better_without =
      fault.step == loader::Step::library_path && loads_without(c, fault.need->soname, directory);
  if (better_without) return shorten_library_path(c, directory);
  if (in_own_wheel(c, fault.path) && !wheel_distribution(c, fault.product).empty()) {
    return install_wheels(c, {fault.soname}, true);
  }
  const bool after_wheels =
      fault.step == loader::Step::cache || fault.step == loader::Step::default_directory;
  if (after_wheels && reaches_wheels(c) && !wheel_distribution(c, fault.product).empty()) {
    return install_wheels(c, {fault.soname}, false);
  }
  Edit edit;
  edit.words = "remove " + fault.path + ", or install again what put it there";
  edit.commands = {"sudo rm " + shell_word(fault.path)};
  if (status_of(c, fault.path) == Status::directory)
    edit.commands = {"sudo rmdir " + shell_word(fault.path)};
  edit.apply = [path = fault.path](Facts& facts) { edit::remove_library(facts, path); };
  return edit;
}

Outcome report(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& fault = faults.front();
  const auto* directory = unreadable_directory(c, fault.path);
  auto outcome = Outcome::found(directory != nullptr
                                    ? fault.soname + " cannot be reached: " + directory->path +
                                          " may not be read"
                                    : fault.path + " cannot be loaded: " + fault.detail);
  for (const auto& other : faults) {
    const auto status = status_of(c, other.path);
    const bool passed_over = unreadable_directory(c, other.path) != nullptr ||
                             status == Status::dangling || status == Status::unreadable ||
                             status == Status::wrong_class || status == Status::wrong_machine;
    outcome.evidence.push_back(
        {"through " + other.because + ": " + other.detail +
             (passed_over ? "; the search passes it over and finds no other copy"
                          : "; the search ends there, even if a good copy lies later"),
         {other.path, 0}});
    if (other.step == loader::Step::library_path) {
      outcome.evidence.push_back(
          {"LD_LIBRARY_PATH leads there" + set_where(c, "LD_LIBRARY_PATH", parent_path(other.path)),
           source_of(c, "LD_LIBRARY_PATH", parent_path(other.path))});
    }
  }
  return std::move(outcome).mend(repair(c, faults));
}

/// The end is lost, but nothing that loading touches: the loader takes the file, and whoever uses
/// what is gone dies of it (SIGBUS), or fails.
const std::string* cut_short(const Case& c) {
  for (const auto& need : c.libraries) {
    if (need.found.outcome != loader::Outcome::found) continue;
    if (status_of(c, need.found.path) == Status::incomplete) return &need.found.path;
    for (const auto& path : need.found.loaded) {
      if (status_of(c, path) == Status::incomplete) return &path;
    }
  }
  return nullptr;
}

Outcome report_cut(const Case& c, const std::string& path) {
  const auto& file = c.facts.libraries.files.at(path);
  const auto soname = file.soname.empty() ? std::string(base_name(path)) : file.soname;
  LibraryFault fault;
  const auto* need = c.library(product_of(soname));
  if (need == nullptr) need = &c.libraries.front();
  fault.need = need;
  fault.soname = soname;
  fault.product = std::string(product_of(soname));
  fault.path = path;
  fault.step = need->found.step;
  return Outcome::found(path + " is cut short: it loads, and whatever needs the lost part of " +
                        soname + " fails")
      .because(file.detail + "; what is gone is not touched by loading it", {path, 0})
      .with_effect(Effect::breaks)
      .mend(repair(c, {fault}));
}

/// A bad part of cuDNN is met at its first use only.
Outcome report_part(const Case& c, const CudnnPart& part) {
  const bool loads = status_of(c, part.path) == Status::incomplete;
  const bool hides = !loads && needed_to_list(c, part.soname);
  auto outcome = Outcome::found(part.path + ", a part of cuDNN, " +
                                (loads ? "is cut short: " : "cannot be loaded: ") + part.detail)
                     .because("found through " + part.because, {part.path, 0})
                     .with_effect(hides ? Effect::hides : Effect::breaks);
  if (in_own_wheel(c, part.path)) {
    return std::move(outcome).mend(install_wheels(c, {c.library("cudnn")->soname}, true));
  }
  return std::move(outcome).mend({"install cuDNN again", {}, {}});
}

/// The driver's own library is searched like any other.
Outcome report_driver(const Case& c) {
  const auto& found = c.libcuda;
  const LibraryNeed need{.soname = "libcuda.so.1", .product = {}, .found = found};
  LibraryFault fault;
  fault.fault = Fault::corrupt;
  fault.need = &need;
  fault.soname = need.soname;
  fault.path = found.path;
  fault.step = found.step;
  fault.because = found.because;
  fault.detail = found.detail;
  auto outcome = report(c, {fault});
  for (auto& edit : outcome.edits) {
    edit.apply = [first = edit.apply](Facts& facts) {
      first(facts);
      ask_driver(facts);
    };
  }
  return outcome;
}

Outcome check(const Case& c) {
  if (asks_no_libraries(c)) return Outcome::not_applicable();
  if (c.libcuda.outcome == loader::Outcome::bad_file ||
      c.libcuda.outcome == loader::Outcome::crashes)
    return report_driver(c);
  auto outcome = judge_faults(
      c, "every library file on the way is whole",
      [](const LibraryFault& fault) { return fault.fault == Fault::corrupt; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
  if (outcome.state != Outcome::State::clear) return outcome;
  for (const auto& part : cudnn_parts(c)) {
    if (part.state == CudnnPart::State::bad) return report_part(c, part);
  }
  if (const auto* path = cut_short(c)) return report_cut(c, *path);
  return outcome;
}

Outcome check_run(const use::RunStatistics& run) {
  static constexpr std::array<std::string_view, 12> kNames{
      "libcudart.so", "libcudnn.so",  "libcublas.so",    "libcublasLt.so",
      "libcufft.so",  "libcurand.so", "libcusolver.so",  "libcusparse.so",
      "libnccl.so",   "libcupti.so",  "libnvJitLink.so", "libnvrtc.so"};
  return not_loaded_in_run(run, kNames);
}

} // namespace

extern constexpr Rule L07{
    .id = "L07",
    .slug = "library-corrupt",
    .title = "A library file cannot be loaded",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(There is a file with the right name, but it is not a library that this
program can load: cut short by a full disk or an interrupted download, empty, a Git LFS pointer
or a web page saved under the name, built for another processor, a link to a file that is gone,
or not readable for this user.

An empty or foreign file **ends** the loader's search with an error, even if a good copy stands
later in the path. A broken link, an unreadable or a 32-bit file is passed over, and the search
goes on. A library that was cut in its middle kills the whole process without a word: at once, if
what is lost is needed for loading it, else when its kernels are first used.)",
    .fix = R"(Install again what the file belongs to (`pip install --force-reinstall`), or take
its directory out of `LD_LIBRARY_PATH` if a good copy is found without it. Check with `df` that
the disk is not full.)",
    .references = R"(- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html))",
    .explains = {},
    .check = check,
    .check_run = check_run,
};

} // namespace gpuwhy::rules
