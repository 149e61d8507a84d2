// Makes the steps of a plan that need no root and can be undone, and takes them back.
//
//   auto work = plan_work(actions, environment, into);   // what would be written and run
//   make(work, ...)                                       // journal, then the step, one by one
//   undo(...)                                             // the last run, backwards
#pragma once

#include "base/result.h"
#include "mend/action.h"
#include "mend/journal.h"

#include <functional>
#include <string>
#include <vector>

namespace gpuwhy::mend {

/// One thing to be done, in the order of the plan; the variables of a plan are one.
struct Work {
  Step::Kind kind = Step::Kind::file;
  // Of a file.
  std::string path;
  Original before;
  std::string after;
  // Of packages.
  Action packages;
};

/// Where variables go: a kernel.json, or the start-up file of the user's shell.
std::string variables_file(const Environment& environment, const std::string& into);

/// Reads the files that would be changed. `file` is for the variables.
Result<std::vector<Work>> plan_work(const std::vector<Action>& actions, const std::string& file);

/// Each line says what comes next, before it is done.
using Say = std::function<void(const std::string&)>;

/// Stops at the first failure; what was done until then is in the journal.
Result<void> make(const std::vector<Work>& work, Journal& journal, const Environment& environment,
                  const Say& say);

/// The journal's current run, backwards. Stops at the first step that cannot be taken back.
Result<void> undo(Journal& journal, const Environment& environment, const Say& say);

} // namespace gpuwhy::mend
