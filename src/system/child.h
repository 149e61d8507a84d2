// One child process: started, watched, ended. The half of subprocess.h that knows processes.
#pragma once

#include "system/descriptor.h"
#include "system/subprocess.h"

#include <optional>
#include <sys/types.h>

namespace gpuwhy {

using Clock = std::chrono::steady_clock;

/// What to execute: an open file, or where there is none, a path.
struct Executable {
  int descriptor = -1;
  std::string path;
};

class Child {
public:
  /// Returns once the program runs, `error` being 0, or has failed to start with this errno.
  Child(const Executable& executable, const ChildCommand& command, Clock::time_point deadline);
  ~Child(); // kills and reaps what is left

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int error() const { return error_; }
  /// Collects output until the program ends or the deadline passes.
  ProcessResult finish(std::size_t output_limit);

  /// For a program that runs on: what it has written to stdout since the last call, never more than
  /// `limit` bytes of it; the rest, and all of stderr, is dropped. Does not wait.
  std::string take_output(std::size_t limit);
  /// Becomes readable when there is output; closed (-1) once the program has closed its end.
  int output_descriptor() const { return output_.descriptor.get(); }
  bool ended();
  pid_t process() const { return process_; }

private:
  struct Pipe {
    Descriptor descriptor;
    std::string text;
    void drain(std::size_t limit);
  };

  void watch_start(Descriptor status);
  bool wait_for_events(Clock::time_point until);
  void end();

  Clock::time_point deadline_;
  int error_ = 0;
  pid_t process_ = -1;
  Descriptor exit_event_; // a pidfd, where the kernel has them
  Pipe output_;
  Pipe errors_;
  bool ended_ = false; // a zombie: it has ended and its number is still ours
  bool timed_out_ = false;
  std::optional<int> wait_status_; // as waitpid(2) gives it
};

} // namespace gpuwhy
