// One program as facts: the files that it consists of, what it computes with, the variables that it
// sets, and what in its code keeps work off the GPU. `gpuwhy check PROGRAM` judges them together
// with the machine.
#pragma once

#include "facts/program.h"
#include "program/project.h"
#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy::lint {

/// `path` is a program, a notebook or the folder of a project. Never fails: what could not be
/// judged is in `problem` and `notes`.
ProgramFacts read_program(System& system, const std::string& path, const program::Machine& machine);

/// The file of a folder that is started, and the other programs in it.
struct Entry {
  std::string path; // empty: none was found
  std::vector<std::string> others;
};
Entry find_entry(System& system, const std::string& folder);

/// The module's own statements call a framework, or train something: not only its functions do.
bool works_when_started(const program::Module& module);
/// "tensorflow", "keras", "jax", "torch": those that the files import, the one that does most
/// first.
std::vector<std::string> frameworks_of(const program::Project& project);
/// Changes of variables that bear on the GPU, in the order in which they surely run.
std::vector<ProgramVariable> variables_of(const program::Project& project);
/// What the rules say of all files, less what this program does not reach.
std::vector<CodeFinding> findings_of(const program::Project& project);

} // namespace gpuwhy::lint
