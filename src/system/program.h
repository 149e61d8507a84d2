// Runs somebody's program as if we were not there: its standard files, terminal, signals and exit
// status are what they would be without us. See posix_openpt(3), termios(3), credentials(7),
// signal-safety(7).
//
//   - Where standard input and output are this terminal, the program gets a terminal of its own (a
//   pty) that
//     is joined to ours; elsewhere it inherits our files as they are. A standard error that is a
//     pipe is read on its way.
//   - Signals that are sent to us go on to the program; those that a terminal sends have reached it
//   already.
//   - Should we crash, the handler of the crash goes on passing bytes until the program has ended.
#pragma once

#include "system/descriptor.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace gpuwhy {

struct ProgramStart {
  std::vector<std::string> arguments;   // the first is looked for in PATH, as a shell does
  std::vector<std::string> environment; // "NAME=value": all of it
  bool output_to_errors = false;        // its standard output goes where our standard error goes
};

/// One at a time: signals belong to the process.
class Program {
public:
  /// Gets each piece of what the program writes, where that passes through us.
  using Listener = std::function<void(std::string_view)>;

  Program(const ProgramStart& start, Listener listener);
  ~Program(); // gives the terminal back; does not end the program
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// errno of a program that could not be started; 0: it runs.
  int error() const { return error_; }
  pid_t process() const { return process_; }
  bool reads_output() const { return reads_; }
  bool has_terminal() const { return terminal_; }
  /// Passes bytes and signals on until `until`, until the program has ended, or until one of `more`
  /// can be read. A descriptor of -1 in `more` is skipped.
  void attend(std::chrono::steady_clock::time_point until, const std::vector<int>& more);
  bool ended();
  /// As waitpid(2) gives it; valid once it has ended.
  int wait_status() const { return status_; }
  /// Passes on what is left. Where descendants still hold the terminal or the pipe, a process of
  /// ours stays behind to serve them.
  void finish();
  /// Whether somebody asked us (Ctrl-C, SIGINT, SIGTERM) to end.
  static bool interrupted();

private:
  bool pump(int timeout, const std::vector<int>& more);
  void suspend();

  Listener listener_;
  int error_ = 0;
  pid_t process_ = -1;
  int status_ = 0;
  Descriptor exit_event_; // a pidfd, where the kernel has them
  bool ended_ = false;
  bool reads_ = false;
  bool terminal_ = false;
};

/// "NAME=value", in the order in which we were given them.
std::vector<std::string> environment_strings();

/// A standard error that is a regular file is not read on its way; it can be read where it lies.
class ErrorFile {
public:
  ErrorFile(); // remembers how long it is now
  /// The end of what was written since, at most `most` bytes.
  std::string written(std::size_t most) const;

private:
  long long start_ = -1; // -1: not a regular file
};

/// Our children that come to us from others (PR_SET_CHILD_SUBREAPER) must be waited for by us.
void adopt_orphans();
void reap(int process);

/// Whether starting `command` changes user or group, or gives capabilities: the loader then drops
/// what would be loaded into it.
bool is_privileged(const std::string& command);

/// Ends this process as the program ended: by the same signal or with the same status.
[[noreturn]] void end_as(int wait_status);

} // namespace gpuwhy
