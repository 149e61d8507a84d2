// What was done and how to take it back, written before it is done: a run that is cut short at any
// moment can be undone. One directory a run, in $XDG_STATE_HOME/gpuwhy/fix, else
// ~/.local/state/gpuwhy/fix; in it journal.json and the old and new bytes of each file.
#pragma once

#include "base/result.h"
#include "mend/file.h"
#include "system/descriptor.h"
#include "system/system.h"

#include <string>
#include <vector>

namespace gpuwhy::mend {

struct Step {
  enum class Kind { file, packages };
  Kind kind = Kind::file;
  bool undone = false;
  // Of a file.
  std::string path;
  Original before;
  std::string after; // its new bytes
  // Of packages.
  std::string interpreter;
  bool uv = false;
  std::vector<std::string> packages; // before, as `pip freeze` has them
};

class Journal {
public:
  /// Waits for no one: while another gpuwhy writes, it fails.
  static Result<Journal> open(const Environment& environment);

  /// A new run.
  Result<void> begin();
  /// Before the step is made.
  Result<void> add(const Step& step);

  /// Makes the last run that is not undone the current one. False: there is none.
  Result<bool> take_last();
  const std::vector<Step>& steps() const { return steps_; }
  Result<void> mark_undone(std::size_t index);

  const std::string& directory() const { return run_; }

private:
  Result<void> write() const;
  Result<void> read(const std::string& run);
  Result<std::vector<std::string>> runs() const;

  std::string top_;
  std::string run_;
  std::vector<Step> steps_;
  Descriptor lock_;
};

} // namespace gpuwhy::mend
