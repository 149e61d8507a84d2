// Steps made on real files of a scratch directory, and taken back.
#include "mend/mender.h"
#include "mend/packages.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpuwhy::mend {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

mode_t mode(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

class Mender : public ::testing::Test {
protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "gpuwhy-mend-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    environment_ = {{"HOME", home_.string()}, {"SHELL", "/bin/bash"}, {"PATH", "/usr/bin:/bin"}};
  }
  void TearDown() override { fs::remove_all(home_); }

  static std::vector<Action> unset() {
    return {action_of("unset CUDA_VISIBLE_DEVICES", {"unset", "CUDA_VISIBLE_DEVICES"}, true)};
  }
  Result<void> apply(const std::vector<Action>& actions, const std::string& into = {}) {
    const auto work = plan_work(actions, variables_file(environment_, into));
    if (!work) return tl::unexpected(work.error());
    auto journal = Journal::open(environment_);
    if (!journal) return tl::unexpected(journal.error());
    if (auto begun = journal->begin(); !begun) return begun;
    return make(*work, *journal, environment_, [](const std::string&) {});
  }
  Result<void> take_back() {
    auto journal = Journal::open(environment_);
    if (!journal) return tl::unexpected(journal.error());
    const auto there = journal->take_last();
    if (!there) return tl::unexpected(there.error());
    if (!*there) return fail("nothing");
    return undo(*journal, environment_, [](const std::string&) {});
  }
  std::string failure(const std::vector<Action>& actions, const std::string& into = {}) {
    const auto done = apply(actions, into);
    return done ? "" : done.error().message;
  }

  fs::path home_;
  Environment environment_;
};

TEST_F(Mender, a_file_comes_back_byte_for_byte) {
  const auto file = home_ / ".bashrc";
  const std::string text("a\0b\xff\r\nno newline", 16);
  write(file, text);
  ::chmod(file.c_str(), 0640);
  ASSERT_TRUE(apply(unset()));
  EXPECT_NE(read(file).find("unset CUDA_VISIBLE_DEVICES\n"), std::string::npos);
  EXPECT_EQ(mode(file), 0640U);
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(file), text);
  EXPECT_EQ(mode(file), 0640U);
  EXPECT_FALSE(take_back()); // once
}

TEST_F(Mender, a_file_that_was_not_there_goes_again) {
  ASSERT_TRUE(apply(unset()));
  EXPECT_TRUE(fs::exists(home_ / ".bashrc"));
  ASSERT_TRUE(take_back());
  EXPECT_FALSE(fs::exists(home_ / ".bashrc"));
}

TEST_F(Mender, runs_are_taken_back_one_by_one) {
  write(home_ / ".bashrc", "a\n");
  ASSERT_TRUE(apply(unset()));
  const auto once = read(home_ / ".bashrc");
  ASSERT_TRUE(apply({action_of("export A=b", {"export", "A=b"}, true)}));
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(home_ / ".bashrc"), once);
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(home_ / ".bashrc"), "a\n");
}

TEST_F(Mender, one_file_may_be_changed_twice) {
  const auto file = (home_ / "keras.json").string();
  write(file, "{\"backend\": \"a\"}");
  const auto word = [&](const std::string& from, const std::string& to) {
    return action_of(
        "x", {"sed", "-i", "s/\"backend\": *\"" + from + "\"/\"backend\": \"" + to + "\"/", file},
        true);
  };
  ASSERT_TRUE(apply({word("a", "b"), word("b", "c")}));
  EXPECT_EQ(read(file), "{\"backend\": \"c\"}");
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(file), "{\"backend\": \"a\"}");
}

TEST_F(Mender, what_changed_since_is_not_overwritten) {
  write(home_ / ".bashrc", "a\n");
  ASSERT_TRUE(apply(unset()));
  write(home_ / ".bashrc", "mine\n");
  const auto done = take_back();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("was changed since"), std::string::npos);
  EXPECT_EQ(read(home_ / ".bashrc"), "mine\n");
}

TEST_F(Mender, nothing_is_written_through_links) {
  write(home_ / "target", "a\n");
  fs::create_symlink(home_ / "target", home_ / ".bashrc");
  EXPECT_NE(failure(unset()).find("a link"), std::string::npos);
  fs::remove(home_ / ".bashrc");
  fs::create_hard_link(home_ / "target", home_ / ".bashrc");
  EXPECT_NE(failure(unset()).find("hard links"), std::string::npos);
  EXPECT_EQ(read(home_ / "target"), "a\n");
}

TEST_F(Mender, no_fifo_and_no_directory) {
  ASSERT_EQ(::mkfifo((home_ / ".bashrc").c_str(), 0600), 0);
  EXPECT_NE(failure(unset()).find("not a regular file"), std::string::npos);
  fs::remove(home_ / ".bashrc");
  fs::create_directory(home_ / ".bashrc");
  EXPECT_NE(failure(unset()).find("not a regular file"), std::string::npos);
}

TEST_F(Mender, no_directory_that_others_may_write_to) {
  fs::create_directory(home_ / "open");
  ::chmod((home_ / "open").c_str(), 0777);
  EXPECT_NE(failure(unset(), home_ / "open/rc").find("others than you"), std::string::npos);
  fs::create_directory(home_ / "open/below");
  EXPECT_NE(failure(unset(), home_ / "open/below/rc").find("others than you"), std::string::npos);
}

TEST_F(Mender, only_one_works_at_a_time) {
  const auto first = Journal::open(environment_);
  ASSERT_TRUE(first);
  const auto second = Journal::open(environment_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another gpuwhy"), std::string::npos);
}

/// The process dies after the journal has the step, before or after the file was written.
TEST_F(Mender, a_run_that_was_cut_short_is_taken_back) {
  for (const bool written : {false, true}) {
    const auto file = home_ / ".bashrc";
    write(file, "a\n");
    const pid_t child = ::fork();
    if (child == 0) {
      const auto work = plan_work(unset(), file);
      auto journal = Journal::open(environment_);
      if (!work || !journal || !journal->begin()) ::_exit(1);
      Step step;
      step.path = work->front().path;
      step.before = work->front().before;
      step.after = work->front().after;
      if (!journal->add(step)) ::_exit(1);
      if (written && !replace(step.path, step.before, step.after)) ::_exit(1);
      write(home_ / ".gpuwhy-new..bashrc", "half"); // what a crash within a write leaves
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(take_back()) << written;
    EXPECT_EQ(read(file), "a\n") << written;
    ASSERT_TRUE(apply(unset())); // the half-written file is no obstacle
    ASSERT_TRUE(take_back());
  }
}

/// A pip of a few lines: the packages are lines of a file.
TEST_F(Mender, packages_come_back_by_version) {
  const auto python = home_ / "python";
  const auto state = home_ / "packages";
  write(state, "a==1\nb==1\n");
  write(python, "#!/bin/sh\nf=" + state.string() + R"(
shift 2
case $1 in
freeze) cat $f ;;
uninstall) shift 2; for p; do sed -i "/^$p==/d" $f; done ;;
install) shift; for p; do case $p in -*) ;; bad*) exit 7 ;; *) sed -i "/^${p%%==*}==/d" $f; echo $p >> $f ;; esac; done ;;
esac
)");
  ::chmod(python.c_str(), 0755);
  const auto pip = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {python, "-m", "pip"});
    return action_of("x", words, true);
  };
  ASSERT_TRUE(apply({pip({"uninstall", "-y", "a"}), pip({"install", "b==2", "c==3"})}));
  EXPECT_EQ(read(state), "b==2\nc==3\n");
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(state), "b==1\na==1\n");

  const auto failed = apply({pip({"install", "c==3"}), pip({"install", "bad"}), unset().front()});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("status 7"), std::string::npos);
  EXPECT_FALSE(fs::exists(home_ / ".bashrc")); // it stopped there
  ASSERT_TRUE(take_back());
  EXPECT_EQ(read(state), "b==1\na==1\n");
}

TEST(WayBack, away_first_and_what_no_index_has_is_told) {
  Step where;
  where.interpreter = "/v/bin/python";
  std::vector<std::string> lost;
  const auto commands =
      way_back(where, {"a==1", "b @ file:///x", "c==1"}, {"a==2", "c==1", "d==1"}, lost);
  using Words = std::vector<std::string>;
  EXPECT_EQ(commands,
            (std::vector<Words>{{"/v/bin/python", "-m", "pip", "uninstall", "-y", "d"},
                                {"/v/bin/python", "-m", "pip", "install", "--no-deps", "a==1"}}));
  EXPECT_EQ(lost, Words{"b @ file:///x"});
}

TEST(VariablesFile, is_that_of_the_shell) {
  const auto file = [](const std::string& shell) {
    return variables_file({{"HOME", "/h"}, {"SHELL", shell}}, {});
  };
  EXPECT_EQ(file("/bin/bash"), "/h/.bashrc");
  EXPECT_EQ(file("/usr/bin/zsh"), "/h/.zshrc");
  EXPECT_EQ(file("/usr/bin/fish"), "/h/.config/fish/config.fish");
  EXPECT_EQ(file("/bin/dash"), "/h/.profile");
  EXPECT_EQ(variables_file({}, "/k/kernel.json"), "/k/kernel.json");
}

} // namespace
} // namespace gpuwhy::mend
