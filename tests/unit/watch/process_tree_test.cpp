#include "system/live.h"
#include "watch/process_facts.h"
#include "watch/process_tree.h"

#include <atomic>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpuwhy::watch {
namespace {

TEST(ProcessTree, knows_libraries_by_their_names) {
  const auto libraries = libraries_in("7f00-7f01 r-xp 0 fd:00 12 /usr/lib/libcuda.so.580.1\n"
                                      "7f02-7f03 r-xp 0 fd:00 13 /venv/torch/lib/libtorch_cuda.so\n"
                                      "7f02-7f03 r--p 0 fd:00 13 /venv/torch/lib/libtorch_cuda.so\n"
                                      "7f04-7f05 r-xp 0 fd:00 14 /usr/lib/libc.so.6\n"
                                      "7f06-7f07 rw-p 0 00:00 0\n");
  EXPECT_EQ(libraries, (std::vector<std::string>{"libcuda.so.580.1", "libtorch_cuda.so"}));
  EXPECT_EQ(frameworks_of(libraries), std::vector<std::string>{"torch"});
  EXPECT_TRUE(frameworks_of({}).empty());
}

TEST(ProcessTree, sees_work_and_end_of_a_child) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::atomic<unsigned long> i = 0;; ++i) {
    }
  }
  const auto system = make_live_system();
  ProcessTree tree(*system, child, false);
  EXPECT_FALSE(tree.look(0).host);
  ::usleep(400'000);
  const auto tick = tree.look(0.4);
  ASSERT_TRUE(tick.host);
  EXPECT_GT(tick.host->cores, 0.02); // the machine may be busy
  EXPECT_EQ(tick.host->processes, 1);
  EXPECT_GT(tick.host->rss, 0U);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto last = tree.look(0.5);
  ASSERT_EQ(last.processes.size(), 1U);
  EXPECT_TRUE(last.processes[0].ended);
  EXPECT_FALSE(tree.alive());
}

TEST(ProcessFacts, of_this_process_and_of_none) {
  const auto system = make_live_system();
  const auto facts = read_process(*system, ::getpid());
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->problems.empty());
  EXPECT_FALSE(facts->command.empty());
  EXPECT_FALSE(facts->has_libcuda());
  EXPECT_FALSE(read_process(*system, 999'999'999));
}

} // namespace
} // namespace gpuwhy::watch
