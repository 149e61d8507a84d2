// What will dlopen("libX.so.N") open? The search of the GNU (and musl) dynamic loader, repeated
// over an inventory (facts/libraries.h), without loading anything. Truth: ld.so(8), glibc's
// dl-load.c, and the experiments in tests/loader against the real loader.
//
//   loader::Process process(facts.libraries, setting);
//   const loader::Found found = process.open({"libcudnn.so.9", opener, chain});
//   if (found.outcome == loader::Outcome::found) use(found.path);
//   for (const auto& step : found.trace) ...     // every directory asked, in order, and why
#pragma once

#include "facts/libraries.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::loader {

/// The process in whose name the search is done.
struct Setting {
  std::string library_path;      // LD_LIBRARY_PATH as it stood at process start; empty: ignored
  std::string executable;        // real path: $ORIGIN in LD_LIBRARY_PATH
  std::string working_directory; // what an empty element of LD_LIBRARY_PATH means
  bool secure = false;           // AT_SECURE: LD_LIBRARY_PATH is ignored
  bool musl = false;
};

struct Request {
  std::string name;   // soname, or a path if it contains '/'
  std::string opener; // path of the object that calls dlopen or carries the DT_NEEDED
  std::vector<std::string>
      chain; // objects that led to the opener, nearest first, last the executable
};

enum class Step { already_loaded, path, rpath, library_path, runpath, cache, default_directory };

/// One place that was asked.
struct Asked {
  enum class Result { found, missing, skipped, stopped, not_looked };
  Step step = Step::default_directory;
  std::string place; // the file that would be opened
  std::string
      because; // "LD_LIBRARY_PATH[0]", "RUNPATH[3] of libtensorflow_framework.so.2", "ld.so.cache"
  Result result = Result::missing;
  std::string detail; // for skipped and stopped: why
};

enum class Outcome {
  found,              // it and all that it needs will be loaded
  missing,            // not in any place asked
  bad_file,           // the search ends at a file that cannot be loaded
  dependency_missing, // found, but a library that it needs fails; see `dependency`
  crashes,            // the file would kill the process (truncated) or hang it (special)
  unknown,            // the inventory lacks something that decides; see `not_looked`
};

struct Found {
  Outcome outcome = Outcome::unknown;
  std::string name;
  std::string path;                    // of the file found, or of the bad file
  Step step = Step::default_directory; // how it was found
  std::string because;
  std::string detail;                  // the loader's words for bad_file: "file too short"
  std::string dependency;              // soname that failed, for dependency_missing
  std::vector<Asked> trace;            // of the failing search where one fails, else of `name`
  std::vector<std::string> loaded;     // paths that this open adds to the process, in order
  std::vector<std::string> not_looked; // directories ("/d/") and files that the inventory lacks
};

/// By what the loader recognises an object that it has already.
struct Names {
  std::map<std::string, std::string> by_name;     // requested names, paths and sonames -> path
  std::map<std::string, std::string> by_identity; // device:inode -> path
};

/// The objects of one simulated process; open() in the order in which the program opens.
class Process {
public:
  /// `loaded` are sonames that are in the process from the start and need no search (libc.so.6
  /// ...).
  Process(const Libraries& libraries, Setting setting, const std::set<std::string>& loaded = {});
  /// dlopen: on success the library and what it needs stay loaded; on failure nothing does.
  Found open(const Request& request);

private:
  const Libraries& libraries_;
  Setting setting_;
  Names names_;
};

/// Elements of LD_LIBRARY_PATH as the loader splits them (':' and ';'; empty = working directory),
/// not expanded.
std::vector<std::string> split_library_path(std::string_view value);
/// `$ORIGIN`, `$LIB`, `$PLATFORM` (also `${...}`) expanded; `origin` is a directory.
std::string expand(std::string_view path, std::string_view origin, const Libraries& libraries);

} // namespace gpuwhy::loader
