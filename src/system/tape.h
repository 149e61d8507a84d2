// The tape: what a machine said, question by question, so that a better collector can ask it again.
// JSON lines; the first is {"schema": "gpuwhy.tape/1"}, each other one question with its answer.
#pragma once

#include "base/result.h"
#include "system/system.h"

#include <functional>
#include <iosfwd>

namespace gpuwhy {

/// What may be written to a tape. None of it changes what the recording system answers.
struct TapePolicy {
  /// Applied to every string (home, host and user names), except the contents of binary files. For
  /// a tape that can be replayed it must treat a path and each part of that path alike.
  std::function<std::string(std::string)> redact = {};
  /// Which variables may be written; all, if empty. Counts for /proc/PID/environ too.
  std::function<bool(std::string_view)> allow_variable = {};
  /// Applied to the whole text of a file that was read, and of the kernel's log (path ""), before
  /// `redact`.
  std::function<std::string(std::string_view path, std::string text)> contents = {};
};

/// Asks another System, once a question, and remembers: a question asked again gets the first
/// answer, so that the tape tells one consistent story. For one thread.
class RecordingSystem : public System {
public:
  virtual void write(std::ostream& out) const = 0;
};

/// `inner` must outlive it.
std::unique_ptr<RecordingSystem> make_recording_system(System& inner, TapePolicy policy = {});

/// A System that answers from a tape: every recorded question, and each range of a file that lies
/// inside what was recorded of it. Anything else is `not_looked`.
Result<std::unique_ptr<System>> read_tape(std::string_view text);

} // namespace gpuwhy
