// A program of several files: the one that is started, what it imports from its own project, and
// one order in which all of it runs. Truth: Python's import system, sys.path as `python FILE` makes
// it.
#pragma once

#include "program/unit.h"
#include "system/system.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::program {

/// A call, import, assignment or deletion, where it runs.
struct Step {
  const Unit* unit = nullptr;
  NodeId node = kNoNode;
  bool certain = true; // nothing decides whether what led here runs
};

struct Project {
  std::vector<std::unique_ptr<Unit>> files; // the one that is started first
  std::vector<Step> order;                  // the first run of each statement
  std::vector<std::string> notes;           // what was left out

  const Unit& entry() const { return *files.front(); }
};

/// What was odd in a file, or could not be read.
struct ReadNote {
  std::uint32_t line = 0; // 0: the whole file
  std::string text;
};

/// Python, or a notebook with the lines that it hands to a shell; fails for what is neither text
/// nor notebook, and for what a program wrote.
Result<std::unique_ptr<Unit>> read_python(const std::string& path, std::string bytes,
                                          std::vector<ReadNote>& notes);
/// The same of a source that was read already.
Result<std::unique_ptr<Unit>> read_source(const std::string& path, Source source,
                                          std::vector<ReadNote>& notes);
/// `entry` is a path as the user named it; so are those of the files that it imports.
Result<Project> read_project(System& system, const std::string& entry);

/// The node lies under `if __name__ == "__main__":`, which an imported file does not run.
bool for_main_only(const Module& module, NodeId id);
/// Full names of the modules that an import statement may load: "a", "a.b", and for `from a import
/// b` also "a.b"; with leading dots where it is relative.
std::vector<std::string> modules_of_import(const Module& module, NodeId statement);

} // namespace gpuwhy::program
