#include "scratch.h"

#include "base/text.h"
#include "system/child.h"
#include "system/subprocess.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>

namespace gpuwhy {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Answer<ProcessResult> shell(const std::string& script, std::chrono::milliseconds deadline = 10s,
                            Environment environment = {{"PATH", "/usr/bin:/bin"}}) {
  return run_executable("/bin/sh", {{"sh", "-c", script}, std::move(environment), deadline});
}

/// The script says something, then hangs. A machine too busy to let it begin gives it longer.
ProcessResult shell_that_hangs(const std::string& script) {
  for (auto deadline = 200ms;; deadline *= 2) {
    auto result = shell(script, deadline).value();
    if (!result.output.empty() || deadline > 20s) return result;
  }
}

/// Children of this process, dead ones included.
int children() {
  std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  int count = 0;
  for (int process = 0; file >> process;) ++count;
  return count;
}

std::vector<std::byte> image_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> image(bytes.size());
  std::memcpy(image.data(), bytes.data(), bytes.size());
  return image;
}

bool gone_soon(pid_t process) {
  for (int i = 0; i < 2000; ++i) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string number, name, state;
    if (!(file >> number >> name >> state) || state == "Z" || state == "X") return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(Subprocess, gives_status_and_both_outputs) {
  const auto result = shell("echo out; echo err >&2; exit 3").value();
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST(Subprocess, has_exactly_the_environment_given) {
  const auto result =
      run_executable("/usr/bin/env", {{"env"}, {{"A", "1"}, {"B", "x=y"}}, 10s}).value();
  EXPECT_EQ(result.output, "A=1\nB=x=y\n");
}

TEST(Subprocess, reads_nothing_and_inherits_nothing) {
  const int leak = ::open("/dev/null", O_RDONLY); // without O_CLOEXEC, as some library would
  const int high = ::fcntl(leak, F_DUPFD, 900);
  const auto result = shell("cat; ls /proc/self/fd; readlink /proc/self/fd/0; ulimit -c").value();
  ::close(leak);
  ::close(high);
  EXPECT_EQ(result.output, "0\n1\n2\n3\n/dev/null\n0\n"); // 3 is the directory that ls reads
}

TEST(Subprocess, leads_a_session_of_its_own) {
  const auto result = shell("read -r a b c d e f rest < /proc/self/stat; echo $$ $f").value();
  const auto numbers = split(trim(result.output), ' ');
  ASSERT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers[0], numbers[1]);
}

TEST(Subprocess, starts_with_default_signals) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto result = shell("grep -E '^Sig(Blk|Ign)' /proc/self/status").value();
  ::signal(SIGPIPE, SIG_DFL);
  const auto lines = split_lines(result.output);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "SigBlk:\t0000000000000000");
  // Signals 32 and 33 are glibc's own: who ignores them hands that on, and sigaction(2) may not
  // touch them.
  constexpr std::uint64_t kOfGlibc = 3ULL << 31U;
  EXPECT_EQ(hex_to_number(lines[1].substr(8)).value_or(1) & ~kOfGlibc, 0U) << lines[1];
}

TEST(Subprocess, crash_is_told_by_its_signal) {
  const auto result = shell("kill -SEGV $$").value();
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_FALSE(result.timed_out);
}

TEST(Subprocess, hang_ends_at_the_deadline) {
  const auto start = Clock::now();
  const auto result = shell_that_hangs("echo begun; sleep 600");
  const auto taken = Clock::now() - start;
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_EQ(result.output, "begun\n");
  EXPECT_GE(taken, 200ms);
  EXPECT_LT(taken, 100s); // not the script's own end
}

TEST(Subprocess, stopped_or_deaf_child_ends_too) {
  EXPECT_TRUE(shell("kill -STOP $$", 100ms)->timed_out);
  EXPECT_TRUE(shell("trap '' TERM INT HUP; while :; do sleep 1; done", 100ms)->timed_out);
}

TEST(Subprocess, deadlines_beyond_reason_are_no_trap) {
  EXPECT_EQ(shell("echo x", std::chrono::milliseconds::max())->output, "x\n");
  EXPECT_TRUE(shell("sleep 60", 0ms)->timed_out);
  EXPECT_TRUE(shell("sleep 60", -5s)->timed_out);
}

TEST(Subprocess, a_program_that_runs_on_is_read_as_it_writes) {
  const auto started = start_image(
      "sh", image_of("/bin/sh"),
      {{"sh", "-c", "echo one; sleep 0.3; echo two; sleep 60"}, {{"PATH", "/usr/bin:/bin"}}, 50s});
  ASSERT_TRUE(started);
  auto& child = **started;
  std::string text;
  for (int i = 0; i < 4000 && text != "one\ntwo\n"; ++i) {
    text += child.take_output(100);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(text, "one\ntwo\n");
  EXPECT_FALSE(child.ended());
  EXPECT_GT(child.output_descriptor(), 2);
}

TEST(Subprocess, flood_is_cut_and_does_not_block) {
  const auto result = shell("head -c 5000000 /dev/zero; head -c 3000000 /dev/zero >&2").value();
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output.size(), 64U << 10U);
  EXPECT_EQ(result.errors.size(), 64U << 10U);
  EXPECT_TRUE(shell("cat /dev/zero", 200ms)->timed_out);
}

TEST(Subprocess, closing_stdout_early_is_not_the_end) {
  const auto result = shell("exec >&- 2>&-; sleep 0.2; exit 7").value();
  EXPECT_EQ(result.exit_status, 7);
  EXPECT_TRUE(shell("exec >&- 2>&-; sleep 60", 200ms)->timed_out);
}

TEST(Subprocess, grandchild_with_the_pipe_is_killed_and_not_waited_for) {
  const auto start = Clock::now();
  const auto result = shell("sleep 600 & echo $!", 100s).value();
  EXPECT_LT(Clock::now() - start, 100s);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_TRUE(gone_soon(static_cast<pid_t>(to_number(trim(result.output)).value())));
}

TEST(Subprocess, grandchild_that_escaped_cannot_hold_us) {
  const auto start = Clock::now();
  // The shell goes when the other one has said its number, into the pipe and into a FIFO.
  const auto fifo = testing::TempDir() + "gpuwhy-escaped-" + std::to_string(::getpid());
  const auto script = "mkfifo " + fifo + "; setsid sh -c 'echo $$; echo >" + fifo +
                      "; exec sleep 600' & read line <" + fifo + "; rm " + fifo;
  const auto result = shell(script, 100s).value();
  EXPECT_LT(Clock::now() - start, 100s);
  EXPECT_EQ(result.exit_status, 0);
  ::kill(static_cast<pid_t>(to_number(trim(result.output)).value()), SIGKILL);
}

TEST(Subprocess, deadline_takes_the_whole_group) {
  const auto result = shell_that_hangs("sleep 600 & echo $!; wait");
  EXPECT_TRUE(result.timed_out);
  EXPECT_TRUE(gone_soon(static_cast<pid_t>(to_number(trim(result.output)).value())));
}

TEST(Subprocess, leaves_no_zombie_and_no_descriptor) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = descriptors();
  const int had = children();
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(shell("exit 1"));
    static_cast<void>(shell("sleep 60", 20ms));
    static_cast<void>(run_executable("/no/such/file", {{"x"}, {}, 1s}));
  }
  EXPECT_EQ(descriptors(), before);
  EXPECT_EQ(children(), had);
}

TEST(Subprocess, dies_with_us) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    // The grandchild names itself in a file that the test reads once we were killed.
    const auto script = "echo $$ > /proc/" + std::to_string(::getppid()) + "/fd/" +
                        std::to_string(ends[1]) + "; sleep 60";
    static_cast<void>(shell(script, 60s));
    ::_exit(0);
  }
  char text[32] = {};
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  ::kill(middle, SIGKILL);
  ::waitpid(middle, nullptr, 0);
  EXPECT_TRUE(gone_soon(std::atoi(text)));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Subprocess, ignored_sigchld_does_not_lose_the_status) {
  ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(shell("exit 9")->exit_status, 9);
  ::signal(SIGCHLD, SIG_DFL);
}

TEST(Subprocess, works_with_the_standard_descriptors_closed) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int number = 0; number < 3; ++number) ::close(number);
    const auto result = shell("echo out; echo err >&2");
    ::_exit(result && result->output == "out\n" && result->errors == "err\n" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Subprocess, several_at_once) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  const auto image = image_of("/bin/true");
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 5; ++k) {
        const auto text = std::to_string(i * 10 + k);
        if (shell("echo " + text)->output == text + "\n") ++good;
        const auto run = run_image("true", image, {{"true"}, {}, 10s}, ImagePlace::file);
        if (run && run->exit_status == 0 && run->signal == 0) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST(Subprocess, what_cannot_start_says_why) {
  const auto missing = run_executable("/no/such/program", {{"x"}, {}, 1s});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Unavailable::Kind::absent);
  EXPECT_EQ(run_executable("/etc/passwd", {{"x"}, {}, 1s}).error().kind,
            Unavailable::Kind::unreadable);
  EXPECT_FALSE(run_executable("/", {{"x"}, {}, 1s}));
}

/// From here on this process, which should be a child, gets `error` from each of `calls`.
bool forbid(const std::vector<unsigned>& calls, unsigned error) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

class ImageRun : public Scratch {
protected:
  static ChildCommand echo() { return {{"echo", "carried", "along"}, {}, 10s}; }
  const std::vector<std::byte> image_ = image_of("/bin/echo");
};

TEST_F(ImageRun, runs_from_memory) {
  EXPECT_EQ(run_image("echo", image_, echo())->output, "carried along\n");
}

TEST_F(ImageRun, runs_from_a_private_file_that_is_gone_before_the_end) {
  ::setenv("TMPDIR", directory().c_str(), 1);
  EXPECT_EQ(run_image("echo", image_, echo(), ImagePlace::file)->output, "carried along\n");
  EXPECT_TRUE(std::filesystem::is_empty(directory()));
  {
    const auto started = start_image("sleep", image_of("/bin/sleep"), {{"sleep", "600"}, {}, 100s},
                                     ImagePlace::file);
    ASSERT_TRUE(started);
    EXPECT_TRUE(std::filesystem::is_empty(directory())); // while the program still runs
    EXPECT_FALSE((*started)->ended());
  }
  ::setenv("TMPDIR", path("missing").c_str(), 1); // then the next place
  EXPECT_EQ(run_image("echo", image_, echo(), ImagePlace::file)->output, "carried along\n");
  ::unsetenv("TMPDIR");
}

TEST_F(ImageRun, runs_where_programs_in_memory_are_forbidden) {
  for (const unsigned call : {unsigned{SYS_memfd_create}, unsigned{SYS_execveat}}) {
    for (const unsigned error : {unsigned{EPERM}, unsigned{EACCES}, unsigned{ENOSYS}}) {
      EXPECT_TRUE(as_nobody([&] {
        if (!forbid({call}, error)) return false;
        const auto result = run_image("echo", image_, echo());
        return result && result->output == "carried along\n";
      })) << call
          << ' ' << error;
    }
  }
}

TEST_F(ImageRun, runs_on_kernels_without_the_newer_calls) {
  EXPECT_TRUE(as_nobody([&] {
    const int leak = ::open("/dev/null", O_RDONLY);
    return leak >= 0 && forbid({SYS_pidfd_open, SYS_close_range}, ENOSYS) &&
           run_image("echo", image_, echo())->output == "carried along\n" &&
           shell("ls /proc/self/fd")->output == "0\n1\n2\n3\n" &&
           shell("exec >&- 2>&-; sleep 60", 100ms)->timed_out && shell("exit 3")->exit_status == 3;
  }));
}

TEST_F(ImageRun, that_is_no_program_failed) {
  std::vector<std::byte> rubbish(100, std::byte{'x'});
  for (const auto place : {ImagePlace::memory_or_file, ImagePlace::file}) {
    const auto answer = run_image("rubbish", rubbish, {{"x"}, {}, 1s}, place);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Unavailable::Kind::failed);
    EXPECT_TRUE(answer.error().reason.starts_with("probe rubbish could not be started: "));
  }
  EXPECT_FALSE(run_image("empty", {}, {{"x"}, {}, 1s}));
}

} // namespace
} // namespace gpuwhy
