#include "scratch.h"

#include "base/text.h"
#include "system/cpu.h"
#include "system/identity.h"
#include "system/kernel_log.h"
#include "system/live.h"
#include "system/probe_images.h"
#include "system/subprocess.h"

#include <atomic>
#include <cerrno>
#include <thread>

namespace gpuwhy {
namespace {

using Kind = Unavailable::Kind;

class Live : public Scratch {
protected:
  std::unique_ptr<System> system_ = make_live_system();
};

TEST_F(Live, reads_a_file) {
  const auto file = add_file("a", "hello\n");
  EXPECT_EQ(system_->read(file).value(), "hello\n");
  EXPECT_EQ(system_->read(add_file("empty")).value(), "");
  const auto status = system_->status(file).value();
  EXPECT_EQ(status.type, FileStatus::Type::regular);
  EXPECT_EQ(status.size, 6U);
  EXPECT_NE(status.inode, 0U);
}

TEST_F(Live, tells_absent_from_unsuitable) {
  const auto missing = system_->read(path("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Kind::absent);
  EXPECT_EQ(missing.error().error, ENOENT);
  EXPECT_EQ(missing.error().reason, path("missing") + ": No such file or directory");
  EXPECT_EQ(system_->status(add_file("file") + "/below").error().kind, Kind::absent);
  EXPECT_EQ(system_->read(directory()).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_at(directory(), 0, 1).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->list(path("file")).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->list(path("missing")).error().kind, Kind::absent);
  EXPECT_EQ(system_->list(path("file/below")).error().kind, Kind::absent);
  EXPECT_EQ(system_->read(add_link("dangling", "nowhere")).error().kind, Kind::absent);
  EXPECT_EQ(system_->read("").error().kind, Kind::absent);
  EXPECT_EQ(system_->read(path("file") + std::string("\0x", 2)).error().kind, Kind::failed);
}

TEST_F(Live, unreadable_is_an_answer_of_its_own) {
  const auto file = add_file("secret", "x");
  std::filesystem::create_directory(path("closed"));
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  ASSERT_EQ(::chmod(path("closed").c_str(), 0), 0);
  ASSERT_EQ(::chmod(directory().c_str(), 0755), 0);
  EXPECT_TRUE(as_nobody([&] {
    const auto is_unreadable = [](const auto& answer) {
      return !answer && answer.error().kind == Kind::unreadable && answer.error().error == EACCES;
    };
    return is_unreadable(system_->read(file)) && is_unreadable(system_->read_at(file, 0, 1)) &&
           is_unreadable(system_->list(path("closed"))) &&
           is_unreadable(system_->status(path("closed/below"))) && system_->status(file);
  }));
  ::chmod(path("closed").c_str(), 0700); // or nobody could remove it
}

TEST_F(Live, never_waits_for_a_fifo) {
  const auto fifo = path("libcudnn.so.9");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0644), 0);
  EXPECT_EQ(system_->read(fifo).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_at(fifo, 0, 64).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->open_device(fifo).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->list(fifo).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->status(fifo)->type, FileStatus::Type::fifo);
}

TEST_F(Live, never_reads_a_device) {
  EXPECT_EQ(system_->read("/dev/zero").error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_at(add_link("lib.so", "/dev/zero"), 0, 64).error().kind,
            Kind::unsuitable);
}

TEST_F(Live, opens_character_devices_only) {
  EXPECT_TRUE(system_->open_device("/dev/null").value());
  EXPECT_EQ(system_->status("/dev/null")->device_major, 1U);
  EXPECT_EQ(system_->status("/dev/null")->device_minor, 3U);
  EXPECT_EQ(system_->open_device(add_file("file")).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->open_device(path("missing")).error().kind, Kind::absent);
}

TEST_F(Live, follows_links_but_not_in_circles) {
  add_link("a", "b");
  add_link("b", "a");
  const auto loop = system_->real_path(path("a"));
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().kind, Kind::failed);
  EXPECT_EQ(loop.error().error, ELOOP);
  EXPECT_EQ(system_->read(path("a")).error().error, ELOOP);
  EXPECT_EQ(system_->status_of_link(path("a"))->type, FileStatus::Type::link);
  EXPECT_EQ(system_->read_link(path("a")).value(), "b");
  const auto file = add_file("deep/file", "x");
  add_link("short", "deep/../deep/file");
  EXPECT_EQ(system_->real_path(path("short")).value(), file);
  EXPECT_EQ(system_->read_link(file).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_link(path("missing")).error().kind, Kind::absent);
  const std::string far(3000, 'x');
  EXPECT_EQ(system_->read_link(add_link("far", far)).value(), far);
}

TEST_F(Live, a_limit_holds_for_a_sparse_giant) {
  const auto file = add_file("libtorch_cuda.so", "start");
  ASSERT_EQ(::truncate(file.c_str(), 10LL << 30), 0);
  const auto answer = system_->read(file);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_at(file, 0, 5).value(), "start");
  EXPECT_EQ(system_->read_at(file, 9ULL << 30, 3).value(), std::string(3, '\0'));
  // A header may claim anything: no memory is spent on the claim.
  EXPECT_EQ(system_->read_at(file, 0, 10ULL << 30).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read_at(file, ~0ULL, ~0ULL).value(), "");
  EXPECT_EQ(system_->read_at(file, (10ULL << 30) - 2, ~0ULL).value().size(), 2U);
}

TEST_F(Live, a_limit_holds_where_the_size_says_nothing) {
  EXPECT_EQ(system_->status("/proc/self/maps")->size, 0U);
  EXPECT_GT(system_->read("/proc/self/maps").value().size(), 100U);
  EXPECT_EQ(system_->read("/proc/self/maps", 100).error().kind, Kind::unsuitable);
  EXPECT_EQ(system_->read("/proc/self/stat", 1U << 20U).value().find("("),
            system_->read_at("/proc/self/stat", 0, 4096).value().find("("));
  const auto file = add_file("exact", "12345");
  EXPECT_TRUE(system_->read(file, 5));
  EXPECT_FALSE(system_->read(file, 4));
  EXPECT_TRUE(system_->read(add_file("nothing"), 0));
}

TEST_F(Live, a_growing_file_stays_within_the_limit) {
  const auto file = add_file("growing");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    std::ofstream out(file, std::ios::app);
    const std::string block(4096, 'x');
    for (int i = 0; i < 20'000 && !stop; ++i) out << block << std::flush;
  });
  for (int i = 0; i < 200; ++i) {
    const auto bytes = system_->read(file, 65'536);
    EXPECT_TRUE(!bytes || bytes->size() <= 65'536U);
  }
  stop = true;
  writer.join();
}

TEST_F(Live, ranges_follow_a_file_that_is_replaced) {
  const auto file = add_file("lib.so", "first version");
  EXPECT_EQ(system_->read_at(file, 0, 5).value(), "first");
  std::filesystem::rename(add_file("new", "second"), file);
  EXPECT_EQ(system_->read_at(file, 0, 100).value(), "second");
  add_file("lib.so", "rewritten in place");
  EXPECT_EQ(system_->read_at(file, 10, 100).value(), "in place");
  std::filesystem::remove(file);
  EXPECT_EQ(system_->read_at(file, 0, 5).error().kind, Kind::absent);
  add_link("lib.so", "other");
  add_file("other", "linked");
  EXPECT_EQ(system_->read_at(file, 0, 100).value(), "linked");
  EXPECT_EQ(system_->read_at(file, 6, 100).value(), "");
}

TEST_F(Live, lists_sorted_and_says_which_are_directories) {
  add_file("b/file");
  add_file("c");
  add_link("a", "b");
  const auto entries = system_->list(directory()).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_FALSE(entries[0].directory);
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_TRUE(entries[1].directory);
  EXPECT_EQ(entries[2].name, "c");
}

TEST_F(Live, leaves_no_descriptor_open) {
  const auto count = [&] { return system_->list("/proc/self/fd").value().size(); };
  const auto file = add_file("a", "x");
  ASSERT_TRUE(system_->read_at(file, 0, 1)); // one may stay, for the next range
  const auto before = count();
  for (int i = 0; i < 50; ++i) {
    static_cast<void>(system_->read(file));
    static_cast<void>(system_->read(directory()));
    static_cast<void>(system_->list(file));
    static_cast<void>(system_->open_device("/dev/null"));
    static_cast<void>(system_->read_at(add_file(std::to_string(i), "x"), 0, 1));
  }
  EXPECT_EQ(count(), before);
}

TEST_F(Live, knows_who_asks) {
  const auto& identity = system_->identity();
  EXPECT_EQ(identity.user, ::geteuid());
  EXPECT_FALSE(identity.groups.empty());
  EXPECT_EQ(identity.working_directory, std::filesystem::current_path().string());
  EXPECT_FALSE(identity.kernel_release.empty());
  EXPECT_EQ(system_->environment().at("PATH"), std::getenv("PATH"));
}

TEST(Account, is_found_by_number) {
  constexpr std::string_view kPasswd = "root:x:0:0:root:/root:/bin/bash\n+::::::\nbroken\n"
                                       "ada:x:1000:1000:Ada,,,:/home/ada:/bin/sh";
  EXPECT_EQ(find_account(kPasswd, 1000)->name, "ada");
  EXPECT_EQ(find_account(kPasswd, 1000)->home, "/home/ada");
  EXPECT_FALSE(find_account(kPasswd, 7));
  EXPECT_FALSE(find_account("", 0));
}

TEST(Cpu, agrees_with_the_dynamic_loader) {
  const std::string loader = "/lib64/ld-linux-x86-64.so.2";
  const auto help = run_executable(loader, {{"ld.so", "--help"}, {}, std::chrono::seconds(10)});
  if (!help || !contains(help->output, "glibc-hwcaps")) GTEST_SKIP() << "no glibc 2.33 here";
  std::vector<std::string> expected;
  for (const auto line : split_lines(help->output)) {
    const auto words = trim(line);
    if (words.starts_with("x86-64-v") && contains(words, "(supported, searched)")) {
      expected.emplace_back(words.substr(0, words.find(' ')));
    }
  }
  EXPECT_EQ(cpu_capabilities(), expected);
}

TEST(KernelLog, loses_its_priorities_only) {
  EXPECT_EQ(strip_priorities("<6>[ 1.0] NVRM: loading\n<12>x\n<no>y\nz <4>\n"),
            "[ 1.0] NVRM: loading\nx\n<no>y\nz <4>\n");
  EXPECT_EQ(strip_priorities(""), "");
}

TEST_F(Live, kernel_log_is_text_or_a_reason) {
  const auto log = system_->kernel_log();
  if (log) {
    EXPECT_FALSE(log->starts_with("<"));
  } else {
    EXPECT_TRUE(log.error().reason.starts_with("kernel log: "));
  }
}

TEST_F(Live, a_probe_that_is_not_carried_failed) {
  const auto answer = system_->run_probe("no_such", {}, std::chrono::seconds(1));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::failed);
  EXPECT_EQ(answer.error().reason, "probe no_such is not carried in this build");
}

} // namespace
} // namespace gpuwhy
