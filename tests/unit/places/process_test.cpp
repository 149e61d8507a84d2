#include "places/process.h"

#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy::places {
namespace {

class Process : public testing::Test {
protected:
  Process() {
    system_.add_file("/etc/passwd",
                     "root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n");
    system_.add_file("/opt/gpu/bin/python3.11", "\x7f"
                                                "ELF");
    system_.add_link("/opt/gpu/bin/python", "python3.11");
    system_.add_file("/proc/42/status",
                     "Name:\tpython\nState:\tS (sleeping)\nUid:\t1001\t1001\t1001\t1001\n"
                     "Gid:\t1001\t1001\t1001\t1001\nGroups:\t44 1001\n");
    system_.add_file("/proc/42/environ",
                     std::string("A=1\0CUDA_VISIBLE_DEVICES=\0A=2\0PATH=/opt/gpu/bin\0", 48));
    system_.add_file("/proc/42/cmdline", std::string("python\0train.py\0", 16));
    system_.add_link("/proc/42/exe", "/opt/gpu/bin/python3.11");
    system_.add_link("/proc/42/cwd", "/home/ann/work");
    system_.add_link("/proc/42/root", "/");
    system_.add_link("/proc/42/ns/mnt", "mnt:[1]");
    system_.add_link("/proc/self/ns/mnt", "mnt:[1]");
    system_.add_file("/proc/42/cgroup", "0::/user.slice/user-1001.slice\n");
    system_.add_file("/proc/self/cgroup", "0::/user.slice/user-1000.slice\n");
    system_.add_file("/proc/42/maps",
                     "7f0-7f1 r-xp 0 08:01 5 /usr/lib/libcuda.so.550.54.14\n"
                     "7f1-7f2 r--p 0 08:01 5 /usr/lib/libcuda.so.550.54.14\n"
                     "7f2-7f3 r--p 0 08:01 6 /usr/lib/libc.so.6\n7f3-7f4 rw-p 0 00:00 0 [heap]\n");
    system_.add_link("/proc/42/fd/0", "/dev/null");
    system_.add_link("/proc/42/fd/9", "/dev/nvidiactl");
  }
  Result<FoundPlace> find(int pid = 42) { return find_process({system_, {}, {}, {}}, pid); }

  MemorySystem system_;
};

TEST_F(Process, is_read) {
  const auto place = find();
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->environment.at("A"), "1"); // getenv() takes the first
  EXPECT_EQ(place->environment.at("CUDA_VISIBLE_DEVICES"), "");
  EXPECT_EQ(place->origins.at("A").path, "/proc/42/environ");
  EXPECT_EQ(place->interpreter, "/opt/gpu/bin/python"); // its name on PATH, not the file behind
  EXPECT_EQ(place->identity.user, 1001U);
  EXPECT_EQ(place->identity.home, "/home/ann");
  EXPECT_EQ(place->identity.working_directory, "/home/ann/work");
  EXPECT_EQ(place->identity.groups, (std::vector<std::uint32_t>{44, 1001, 1001}));
  EXPECT_EQ(place->place.loaded.value(), std::vector<std::string>{"/usr/lib/libcuda.so.550.54.14"});
  EXPECT_EQ(place->devices.opened, std::vector<std::string>{"/dev/nvidiactl"});
  EXPECT_EQ(place->devices.kind, DeviceRules::Kind::as_ours);
  EXPECT_EQ(place->root, "");
}

TEST_F(Process, in_a_container) {
  system_.add_link("/proc/42/ns/mnt", "mnt:[2]");
  const auto place = find();
  EXPECT_EQ(place->root, "/proc/42/root");
  EXPECT_EQ(place->devices.kind, DeviceRules::Kind::unknown);
}

TEST_F(Process, in_a_changed_root) {
  system_.add_link("/proc/42/root", "/srv/root");
  system_.add_link("/proc/42/exe", "/srv/root/opt/gpu/bin/python3.11");
  system_.add_link("/proc/42/cwd", "/srv/root/work");
  const auto place = find();
  EXPECT_EQ(place->root, "/proc/42/root");
  EXPECT_EQ(place->interpreter, "/opt/gpu/bin/python3.11");
  EXPECT_EQ(place->identity.working_directory, "/work");
}

TEST_F(Process, of_another_control_group) {
  system_.add_file("/proc/42/cgroup", "0::/system.slice/train.service\n");
  EXPECT_EQ(find()->devices.kind, DeviceRules::Kind::unknown);
}

TEST_F(Process, says_what_is_in_the_way) {
  EXPECT_EQ(find(7).error().message, "no process 7");
  system_.unreadable("/proc/42/environ");
  EXPECT_EQ(
      find().error().message,
      "/proc/42/environ: Permission denied: process 42 (python) belongs to ann; run gpuwhy as "
      "that user, as root, or with CAP_SYS_PTRACE");
  system_.add_file("/proc/42/status", "Name:\tpython\nState:\tZ (zombie)\n");
  EXPECT_EQ(find().error().message, "process 42 has ended (state Z (zombie))");
}

TEST_F(Process, kernel_threads_and_other_programs) {
  system_.remove("/proc/42/exe");
  EXPECT_EQ(find().error().message,
            "process 42 (python) is a thread of the kernel: it runs no program");
  system_.add_link("/proc/42/exe", "/usr/bin/bash");
  const auto place = find();
  EXPECT_EQ(place->interpreter, "");
  ASSERT_EQ(place->problems.size(), 1U);
}

TEST_F(Process, maps_that_cannot_be_read) {
  system_.unreadable("/proc/42/maps");
  EXPECT_TRUE(find()->place.loaded.open());
}

} // namespace
} // namespace gpuwhy::places
