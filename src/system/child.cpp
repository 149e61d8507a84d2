// See fork(2), signal-safety(7), pidfd_open(2), close_range(2).
#include "system/child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utility>

namespace gpuwhy {
namespace {

using std::chrono::milliseconds;

// For kernels without pidfds (before 5.3) and sandboxes that forbid them: how often to look.
constexpr milliseconds kTick{5};
// A killed process ends at once, unless it sleeps in a driver. Then waiting longer would not help.
constexpr milliseconds kGrace{500};

/// Everything the child needs, made before the fork: after it, the heap may be locked for ever.
struct Launch {
  const Executable& executable;
  std::vector<char*> arguments;
  std::vector<char*> variables;
  int input;
  int output;
  int errors;
  int status; // takes the errno of a failed start; closes itself when the program starts
  pid_t parent;
};

/// Descriptors that some library or our own caller opened without close-on-exec.
void close_others_on_exec() {
  constexpr unsigned kCloseRangeCloexec = 4;
  if (::syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, kCloseRangeCloexec) == 0) return;
  rlimit limit{}; // before Linux 5.11
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65'536));
  for (int number = STDERR_FILENO + 1; number < end; ++number) {
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
  }
}

[[noreturn]] void give_up(const Launch& launch, int error) {
  [[maybe_unused]] const auto ignored = ::write(launch.status, &error, sizeof error);
  ::_exit(127);
}

/// The child between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const Launch& launch) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(127); // died before the line above took effect
  // No PR_SET_NO_NEW_PRIVS: the driver libraries start the set-uid nvidia-modprobe, also here.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(launch.input, STDIN_FILENO) < 0 || ::dup2(launch.output, STDOUT_FILENO) < 0 ||
      ::dup2(launch.errors, STDERR_FILENO) < 0) {
    give_up(launch, errno);
  }
  close_others_on_exec();
  if (launch.executable.descriptor >= 0) {
    ::fexecve(launch.executable.descriptor, launch.arguments.data(), launch.variables.data());
  } else {
    ::execve(launch.executable.path.c_str(), launch.arguments.data(), launch.variables.data());
  }
  give_up(launch, errno);
}

struct PipeEnds {
  Descriptor read;
  Descriptor write;
};

bool make_pipe(PipeEnds& ends) {
  int numbers[2];
  if (::pipe2(numbers, O_CLOEXEC) != 0) return false;
  ends.read = Descriptor(numbers[0]);
  ends.write = Descriptor(numbers[1]);
  ends.read.keep_above_standard();
  ends.write.keep_above_standard();
  return ends.read && ends.write && ::fcntl(ends.read.get(), F_SETFL, O_NONBLOCK) == 0;
}

/// execve() wants writable strings for historical reasons; it does not write to them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> assignments(const Environment& environment) {
  std::vector<std::string> texts;
  texts.reserve(environment.size());
  for (const auto& [name, value] : environment) texts.emplace_back(name).append("=").append(value);
  return texts;
}

/// fork(), with signals held back so that no handler of ours runs in the child.
pid_t fork_quietly(const Launch& launch) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t process = ::fork();
  if (process == 0) become(launch);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return process;
}

/// If we were started with SIGCHLD ignored, the kernel would throw exit statuses away.
void let_children_be_waited_for() {
  struct sigaction action {};
  if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
    ::signal(SIGCHLD, SIG_DFL);
  }
}

} // namespace

Child::Child(const Executable& executable, const ChildCommand& command, Clock::time_point deadline)
    : deadline_(deadline) {
  PipeEnds output;
  PipeEnds errors;
  PipeEnds status;
  Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  input.keep_above_standard();
  if (!input || !make_pipe(output) || !make_pipe(errors) || !make_pipe(status)) {
    error_ = errno;
    return;
  }
  let_children_be_waited_for();
  const auto variables = assignments(command.environment);
  process_ =
      fork_quietly({executable, pointers(command.arguments), pointers(variables), input.get(),
                    output.write.get(), errors.write.get(), status.write.get(), ::getpid()});
  if (process_ < 0) {
    error_ = errno;
    return;
  }
  exit_event_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
  output_.descriptor = std::move(output.read);
  errors_.descriptor = std::move(errors.read);
  status.write.reset();
  watch_start(std::move(status.read));
}

Child::~Child() {
  end();
}

void Child::watch_start(Descriptor status) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now()).count();
    pollfd event{status.get(), POLLIN, 0};
    const int count = ::poll(&event, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return; // exec itself hangs; finish() will notice the deadline
    int error = 0;
    if (::read(status.get(), &error, sizeof error) == sizeof error) error_ = error;
    return;
  }
}

void Child::Pipe::drain(std::size_t limit) {
  // Bounded a call, or a flood would keep us from looking at the clock.
  for (int round = 0; descriptor && round < 16; ++round) {
    std::array<char, 16'384> buffer;
    const auto count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) return descriptor.reset();
    const auto room = limit - std::min(limit, text.size()); // the rest is read and dropped
    text.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
  }
}

/// True if something may have happened; false once `until` has passed.
bool Child::wait_for_events(Clock::time_point until) {
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  if (left <= milliseconds::zero()) return false;
  std::array<pollfd, 3> events{pollfd{output_.descriptor.get(), POLLIN, 0},
                               pollfd{errors_.descriptor.get(), POLLIN, 0},
                               pollfd{exit_event_.get(), POLLIN, 0}}; // poll() skips negative ones
  const auto wait = exit_event_ ? left : std::min(left, kTick);
  ::poll(events.data(), events.size(), static_cast<int>(wait.count()));
  return true;
}

/// Whether the process has ended; leaves it a zombie, so that its number cannot pass to a stranger.
bool Child::ended() {
  if (ended_ || process_ <= 0) return true;
  siginfo_t information{};
  const int result =
      ::waitid(P_PID, static_cast<id_t>(process_), &information, WEXITED | WNOWAIT | WNOHANG);
  if (result != 0) process_ = -1; // reaped by somebody else: the number is no longer ours to kill
  ended_ = result != 0 || information.si_pid == process_;
  return ended_;
}

std::string Child::take_output(std::size_t limit) {
  output_.drain(limit);
  errors_.drain(0);
  return std::exchange(output_.text, {});
}

ProcessResult Child::finish(std::size_t output_limit) {
  while (!ended()) {
    if (!wait_for_events(deadline_)) {
      timed_out_ = true;
      break;
    }
    output_.drain(output_limit);
    errors_.drain(output_limit);
  }
  end();
  // What the pipes still hold; not until their end, as a descendant that escaped may hold them.
  output_.drain(output_limit);
  errors_.drain(output_limit);

  ProcessResult result;
  result.timed_out = timed_out_;
  result.output = std::move(output_.text);
  result.errors = std::move(errors_.text);
  if (timed_out_ || !wait_status_) {
    result.signal = SIGKILL; // whether or not it was seen to die
  } else if (WIFSIGNALED(*wait_status_)) {
    result.signal = WTERMSIG(*wait_status_);
  } else {
    result.exit_status = WEXITSTATUS(*wait_status_);
  }
  return result;
}

/// Kills the group, waits a bounded time for the process and reaps it.
void Child::end() {
  if (process_ <= 0) return;
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL); // it may not have got as far as setsid()
  const auto until = Clock::now() + kGrace;
  while (!ended_ && !ended()) {
    pollfd event{exit_event_.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left <= milliseconds::zero()) break; // in uninterruptible sleep: init will reap it after us
    ::poll(&event, 1, static_cast<int>((exit_event_ ? left : std::min(left, kTick)).count()));
  }
  int status = 0;
  if (ended_ && ::waitpid(process_, &status, WNOHANG) == process_) wait_status_ = status;
  process_ = -1;
}

} // namespace gpuwhy
