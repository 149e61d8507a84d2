#include "system/program.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>

namespace gpuwhy {
namespace {

constexpr std::array kForwarded{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT};
constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/// What signal handlers read: plain values only.
struct State {
  volatile pid_t process = -1;
  volatile int master = -1; // our side of its terminal, or the reading end of its error pipe
  volatile int sink = -1;   // where that goes
  volatile int input = -1;  // our terminal, to be passed on; -1: the program reads it itself
  volatile bool raw = false;
  termios saved{};
  volatile sig_atomic_t interrupted = 0;
  volatile sig_atomic_t resized = 0;
  struct sigaction before[NSIG]{};
};
State state;

void restore_terminal() {
  if (!state.raw) return;
  ::tcsetattr(state.input, TCSADRAIN, &state.saved);
  state.raw = false;
}

void make_raw() {
  termios raw = state.saved;
  ::cfmakeraw(&raw);
  state.raw = ::tcsetattr(state.input, TCSADRAIN, &raw) == 0;
}

bool write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto count = ::write(descriptor, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd event{descriptor, POLLOUT, 0};
      ::poll(&event, 1, 1000);
      continue;
    }
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

/// A process of ours does nothing but pass bytes until nobody writes any more. Async-signal-safe.
void relay() {
  std::array<char, 4096> buffer;
  for (;;) {
    std::array<pollfd, 2> events{pollfd{state.master, POLLIN, 0}, pollfd{state.input, POLLIN, 0}};
    if (::poll(events.data(), events.size(), 200) < 0 && errno != EINTR) return;
    if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const auto count = ::read(state.master, buffer.data(), buffer.size());
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count <= 0 || !write_all(state.sink, buffer.data(), static_cast<std::size_t>(count)))
        return;
    }
    if ((events[1].revents & POLLIN) != 0) {
      const auto count = ::read(state.input, buffer.data(), buffer.size());
      if (count > 0) write_all(state.master, buffer.data(), static_cast<std::size_t>(count));
    }
    siginfo_t information{};
    const pid_t process = state.process;
    if (process > 0 &&
        ::waitid(P_PID, static_cast<id_t>(process), &information, WEXITED | WNOHANG | WNOWAIT) ==
            0 &&
        information.si_pid == process && (events[0].revents & POLLIN) == 0) {
      return;
    }
  }
}

/// Ours, not the program's, crash: it must not notice.
void on_crash(int number) {
  for (const int each : kCrashes) ::signal(each, SIG_DFL);
  constexpr std::string_view kWords =
      "\r\ngpuwhy: a fault in gpuwhy itself; your program runs on unobserved\r\n";
  write_all(STDERR_FILENO, kWords.data(), kWords.size());
  const pid_t process = state.process;
  if (process <= 0) {
    ::raise(number);
    return;
  }
  if (state.master >= 0) relay();
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  restore_terminal();
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void on_signal(int number, siginfo_t* information, void*) {
  const int kept = errno;
  if (number == SIGWINCH) {
    state.resized = 1;
  } else {
    if (number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP)
      state.interrupted = 1;
    // What the terminal sends goes to its whole foreground group, the program included; unless that
    // has a terminal of its own.
    const bool by_terminal = information != nullptr && information->si_code > 0;
    const pid_t process = state.process;
    if (process > 0 && (!by_terminal || state.input >= 0)) ::kill(process, number);
  }
  errno = kept;
}

void take_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  const auto take = [](int number, const struct sigaction& with) {
    ::sigaction(number, nullptr, &state.before[number]);
    if (state.before[number].sa_handler == SIG_IGN) return; // nohup: the program ignores it too
    ::sigaction(number, &with, nullptr);
  };
  for (const int number : kForwarded) take(number, action);
  take(SIGWINCH, action);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL; // ignored, the kernel would throw exit statuses away
  ::sigaction(SIGCHLD, &usual, &state.before[SIGCHLD]);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  for (const int number : {SIGPIPE, SIGTTOU}) {
    ::sigaction(number, nullptr, &state.before[number]);
    ::sigaction(number, &ignore, nullptr);
  }
  static std::array<char, 1U << 16U> stack;
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  struct sigaction crash {};
  crash.sa_handler = on_crash;
  crash.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int number : kCrashes) {
    ::sigaction(number, nullptr, &state.before[number]);
    ::sigaction(number, &crash, nullptr);
  }
}

void give_signals_back() {
  for (const int number : kForwarded) ::sigaction(number, &state.before[number], nullptr);
  for (const int number : kCrashes) ::sigaction(number, &state.before[number], nullptr);
  for (const int number : {SIGWINCH, SIGPIPE, SIGTTOU, SIGCHLD})
    ::sigaction(number, &state.before[number], nullptr);
}

/// What the child's standard files become; -1: as ours.
struct Files {
  std::array<int, 3> numbers{-1, -1, -1};
  bool own_terminal = false;
  Descriptor keep; // closes in the parent once the child has it
};

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

bool is_pipe(int descriptor) {
  struct stat found {};
  return ::fstat(descriptor, &found) == 0 && S_ISFIFO(found.st_mode);
}

/// A terminal for the program, where we stand in the foreground of ours.
bool open_terminal(Files& files) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) return false;
  if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp() || ::tcgetattr(STDIN_FILENO, &state.saved) != 0)
    return false;
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) return false;
  std::array<char, 128> name{};
  if (::ptsname_r(master.get(), name.data(), name.size()) != 0) return false;
  Descriptor slave(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return false;
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(master.get(), TIOCSWINSZ, &size);
  ::tcsetattr(slave.get(), TCSANOW, &state.saved);
  files.numbers = {slave.get(), slave.get(), ::isatty(STDERR_FILENO) != 0 ? slave.get() : -1};
  files.own_terminal = true;
  files.keep = std::move(slave);
  ::fcntl(master.get(), F_SETFL, O_NONBLOCK);
  state.master = master.release();
  state.sink = STDOUT_FILENO;
  state.input = STDIN_FILENO;
  return true;
}

/// Reads a standard error that is a pipe on its way. Where standard output is the same pipe, both
/// take the same way, so that their order stays.
bool tee_errors(Files& files, bool output_to_errors) {
  if (!is_pipe(STDERR_FILENO)) return false;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  files.keep = Descriptor(ends[1]);
  files.numbers[STDERR_FILENO] = ends[1];
  if (output_to_errors || same_file(STDOUT_FILENO, STDERR_FILENO))
    files.numbers[STDOUT_FILENO] = ends[1];
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  state.master = ends[0];
  state.sink = STDERR_FILENO;
  return true;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void become(char* const* arguments, char* const* environment, const Files& files,
                         int status, const sigset_t& mask) {
  if (files.own_terminal) {
    ::setsid();
    ::ioctl(files.numbers[STDIN_FILENO], TIOCSCTTY, 0);
  }
  for (int number = 0; number < 3; ++number) {
    const int wanted = files.numbers[static_cast<std::size_t>(number)];
    if (wanted >= 0 && ::dup2(wanted, number) < 0) ::_exit(126);
  }
  give_signals_back();
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvpe(arguments[0], arguments, environment);
  const int error = errno;
  [[maybe_unused]] const auto ignored = ::write(status, &error, sizeof error);
  ::_exit(error == ENOENT ? 127 : 126);
}

} // namespace

Program::Program(const ProgramStart& start, Listener listener) : listener_(std::move(listener)) {
  Files files;
  terminal_ = !start.output_to_errors && open_terminal(files);
  reads_ = terminal_ || tee_errors(files, start.output_to_errors);
  if (start.output_to_errors && files.numbers[STDOUT_FILENO] < 0)
    files.numbers[STDOUT_FILENO] = STDERR_FILENO;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    error_ = errno;
    return;
  }
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  auto arguments = pointers(start.arguments);
  auto environment = pointers(start.environment);
  take_signals();
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  process_ = ::fork();
  if (process_ == 0) become(arguments.data(), environment.data(), files, writing.get(), before);
  const int error = errno;
  state.process = process_;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process_ < 0) {
    error_ = error;
    return;
  }
  writing.reset();
  files.keep.reset();
  exit_event_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
  ssize_t count = 0;
  do count = ::read(reading.get(), &error_, sizeof error_);
  while (count < 0 && errno == EINTR);
  if (count != sizeof error_) error_ = 0; // closed by the exec: it runs
  if (error_ == 0 && terminal_) make_raw();
}

Program::~Program() {
  restore_terminal();
  if (process_ > 0 && !ended_ && error_ != 0) ended();
  state.process = -1;
  if (state.master >= 0) ::close(state.master);
  state.master = -1;
  state.input = -1;
  state.sink = -1;
  give_signals_back();
}

bool Program::interrupted() {
  return state.interrupted != 0;
}

bool Program::ended() {
  if (ended_) return true;
  const pid_t found = ::waitpid(process_, &status_, WNOHANG);
  if (found != process_ && !(found < 0 && errno == ECHILD)) return false;
  ended_ = true;
  state.process = -1; // the number may be a stranger's from now on
  return true;
}

/// Ctrl-Z was typed: its session has no shell to stop it for, ours has.
void Program::suspend() {
  const pid_t group = ::tcgetpgrp(state.master);
  const pid_t target = group > 1 ? -group : process_;
  restore_terminal();
  ::kill(target, SIGSTOP);
  ::kill(0, SIGSTOP);
  make_raw(); // continued
  state.resized = 1;
  ::kill(target, SIGCONT);
}

/// Waits for something to pass on, and passes it; false once nothing more can come.
bool Program::pump(int timeout, const std::vector<int>& more) {
  if (state.resized != 0 && state.input >= 0) {
    state.resized = 0;
    winsize size{};
    if (::ioctl(state.input, TIOCGWINSZ, &size) == 0) ::ioctl(state.master, TIOCSWINSZ, &size);
  }
  std::vector<pollfd> events{
      {state.master, POLLIN, 0}, {state.input, POLLIN, 0}, {exit_event_.get(), POLLIN, 0}};
  for (const int each : more) events.push_back({each, POLLIN, 0});
  if (::poll(events.data(), events.size(), timeout) <= 0) return true;
  std::array<char, 16'384> buffer;
  if (events[0].revents != 0) {
    const auto count = ::read(state.master, buffer.data(), buffer.size());
    if (count > 0) {
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      // A reader that went away is the program's business: it gets its SIGPIPE.
      if (!write_all(state.sink, bytes.data(), bytes.size())) {
        ::close(state.master);
        state.master = -1;
        return false;
      }
      if (listener_) listener_(bytes);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      ::close(state.master);
      state.master = -1;
      restore_terminal();
      state.input = -1;
      return false;
    }
  }
  if ((events[1].revents & POLLIN) != 0 && state.master >= 0) {
    const auto count = ::read(state.input, buffer.data(), 4096);
    if (count > 0) {
      termios theirs{};
      const bool cooked = ::tcgetattr(state.master, &theirs) == 0 && (theirs.c_lflag & ISIG) != 0;
      const std::string_view typed(buffer.data(), static_cast<std::size_t>(count));
      if (cooked && typed.find(static_cast<char>(theirs.c_cc[VINTR])) != std::string_view::npos)
        state.interrupted = 1;
      if (cooked && typed.find(static_cast<char>(theirs.c_cc[VSUSP])) != std::string_view::npos) {
        suspend();
      } else {
        write_all(state.master, typed.data(), typed.size());
      }
    }
  } else if ((events[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
    state.input = -1; // the terminal is gone; the kernel tells the program by SIGHUP through us
  }
  return true;
}

void Program::attend(std::chrono::steady_clock::time_point until, const std::vector<int>& more) {
  using std::chrono::milliseconds;
  for (;;) {
    if (ended()) return;
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) return;
    constexpr milliseconds kTick{
        20}; // where the kernel has no pidfds: how often to look for the end
    const auto wait = exit_event_ ? left : std::min(left, kTick);
    pump(static_cast<int>(wait.count()), more);
    for (const int each : more) {
      pollfd event{each, POLLIN, 0};
      if (each >= 0 && ::poll(&event, 1, 0) > 0) return;
    }
  }
}

void Program::finish() {
  // What it wrote last is in the pipe or the terminal still.
  for (int round = 0; round < 4096 && state.master >= 0; ++round) {
    pollfd event{state.master, POLLIN, 0};
    if (::poll(&event, 1, 0) <= 0) break;
    const int input = state.input;
    state.input = -1;
    const bool open = pump(0, {});
    state.input = input;
    if (!open) break;
  }
  restore_terminal();
  state.input = -1;
  if (state.master < 0) return;
  pollfd event{state.master, POLLIN, 0};
  if (::poll(&event, 1, 0) > 0) return; // hung up: nobody holds it
  if (::fork() == 0) {
    give_signals_back();
    ::signal(SIGINT, SIG_IGN); // the terminal's keys are not meant for it
    ::signal(SIGQUIT, SIG_IGN);
    ::signal(SIGTTOU, SIG_IGN);
    relay();
    ::_exit(0);
  }
}

std::vector<std::string> environment_strings() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

ErrorFile::ErrorFile() {
  struct stat found {};
  if (::fstat(STDERR_FILENO, &found) == 0 && S_ISREG(found.st_mode)) start_ = found.st_size;
}

std::string ErrorFile::written(std::size_t most) const {
  if (start_ < 0) return {};
  const Descriptor file(::open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0 || found.st_size <= start_) return {};
  const auto size = std::min(static_cast<std::size_t>(found.st_size - start_), most);
  std::string text(size, '\0');
  const auto count =
      ::pread(file.get(), text.data(), size, found.st_size - static_cast<off_t>(size));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void reap(int process) {
  ::waitpid(process, nullptr, WNOHANG);
}

bool is_privileged(const std::string& command) {
  std::vector<std::string> places;
  if (contains(command, "/")) {
    places.push_back(command);
  } else {
    const char* path = std::getenv("PATH");
    for (const auto part : split(path == nullptr ? "/bin:/usr/bin" : path, ':'))
      places.push_back(join_path(part.empty() ? "." : part, command));
  }
  for (const auto& place : places) {
    struct stat found {};
    if (::stat(place.c_str(), &found) != 0 || !S_ISREG(found.st_mode) ||
        ::access(place.c_str(), X_OK) != 0)
      continue;
    const bool changes_user = (found.st_mode & S_ISUID) != 0 && found.st_uid != ::geteuid();
    const bool changes_group = (found.st_mode & S_ISGID) != 0 && found.st_gid != ::getegid();
    return changes_user || changes_group ||
           ::getxattr(place.c_str(), "security.capability", nullptr, 0) > 0;
  }
  return false;
}

void end_as(int wait_status) {
  if (!WIFSIGNALED(wait_status)) std::exit(WEXITSTATUS(wait_status));
  const int number = WTERMSIG(wait_status);
  const rlimit no_core{0, 0}; // the program's own core dump, if there is one, is enough
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(number, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(number);
  std::exit(128 + number);
}

} // namespace gpuwhy
