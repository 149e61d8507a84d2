#include "scratch.h"

#include "support/memory_system.h"
#include "system/live.h"
#include "system/rooted.h"

#include <cerrno>

namespace gpuwhy {
namespace {

using Kind = Unavailable::Kind;

class Rooted : public testing::Test {
protected:
  Rooted() {
    outside_.add_file("/etc/passwd", "the host's");
    outside_.add_file("/secret", "the host's");
    outside_.add_file("/image/etc/passwd", "app:x:1000:1000::/srv/app:/bin/sh\n");
    outside_.add_file("/image/usr/lib/libcuda.so.1", "library");
    outside_.add_link("/image/lib", "usr/lib");
    outside_.add_directory("/image/proc");
    outside_.add_directory("/image/sys");
    outside_.add_directory("/image/dev/pts");
    outside_.add_file("/proc/driver/nvidia/version", "the host's");
  }
  System& inside() {
    if (!inside_) inside_ = make_rooted_system(outside_, "/image/", {{"HOME", "/root"}});
    return *inside_;
  }

  MemorySystem outside_;
  std::unique_ptr<System> inside_;
};

TEST_F(Rooted, sees_what_is_inside) {
  EXPECT_EQ(inside().read("/lib/libcuda.so.1").value(), "library");
  EXPECT_EQ(inside().read("lib/./libcuda.so.1").value(), "library");
  EXPECT_EQ(inside().read_at("/usr/lib/libcuda.so.1", 3, 2).value(), "ra");
  EXPECT_EQ(inside().real_path("/lib/libcuda.so.1").value(), "/usr/lib/libcuda.so.1");
  EXPECT_EQ(inside().real_path("/").value(), "/");
  EXPECT_EQ(inside().read_link("/lib").value(), "usr/lib");
  EXPECT_EQ(inside().status("/lib")->type, FileStatus::Type::directory);
  EXPECT_EQ(inside().status_of_link("/lib")->type, FileStatus::Type::link);
  EXPECT_EQ(inside().status_of_link("/lib/")->type, FileStatus::Type::directory);
  EXPECT_EQ(inside().list("/lib")->front().name, "libcuda.so.1");
  EXPECT_EQ(inside().read("/lib/libcuda.so.1", 3).error().kind, Kind::unsuitable);
}

TEST_F(Rooted, cannot_be_left) {
  outside_.add_link("/image/up", "../../../secret");
  outside_.add_link("/image/absolute", "/secret");
  outside_.add_link("/image/etc/sideways", "/../../etc/passwd");
  outside_.add_link("/image/top", "/");
  EXPECT_EQ(inside().read("/../../etc/passwd")->substr(0, 3), "app");
  EXPECT_EQ(inside().read("../../etc/passwd")->substr(0, 3), "app");
  EXPECT_EQ(inside().read("/etc/sideways")->substr(0, 3), "app");
  EXPECT_EQ(inside().read("/top/../top/etc/passwd")->substr(0, 3), "app");
  EXPECT_EQ(inside().read("/up").error().kind, Kind::absent);
  EXPECT_EQ(inside().read("/absolute").error().kind, Kind::absent);
  EXPECT_EQ(inside().status("/absolute").error().kind, Kind::absent);
  EXPECT_EQ(inside().real_path("/absolute").error().kind, Kind::absent);
  EXPECT_EQ(inside().list("/..")->size(), inside().list("/")->size());
  EXPECT_EQ(outside_.touched("/secret"), 0);
}

TEST_F(Rooted, two_dots_leave_the_target_of_a_link_and_not_the_link) {
  outside_.add_link("/image/a/b/link", "/usr/lib");
  outside_.add_file("/image/usr/mark", "here");
  EXPECT_EQ(inside().read("/a/b/link/../mark").value(), "here");
}

TEST_F(Rooted, follows_forty_links_and_no_more) {
  outside_.add_link("/image/loop", "loop");
  outside_.add_link("/image/ping", "pong/x");
  outside_.add_link("/image/pong", "ping/x");
  EXPECT_EQ(inside().read("/loop").error().error, ELOOP);
  EXPECT_EQ(inside().status("/ping/x").error().error, ELOOP);
  outside_.add_file("/image/n0", "end");
  for (int i = 1; i <= 41; ++i) {
    outside_.add_link("/image/n" + std::to_string(i), "n" + std::to_string(i - 1));
  }
  EXPECT_EQ(inside().read("/n40").value(), "end");
  EXPECT_EQ(inside().read("/n41").error().error, ELOOP);
}

TEST_F(Rooted, reasons_speak_of_the_path_inside) {
  EXPECT_EQ(inside().read("/lib/none").error().reason, "/lib/none: No such file or directory");
  EXPECT_EQ(inside().read("/none/below").error().reason, "/none/below: No such file or directory");
  EXPECT_EQ(inside().status("/etc/passwd/below").error().error, ENOTDIR);
  EXPECT_EQ(inside().read("/etc/passwd/").error().error, ENOTDIR);
  outside_.unreadable("/image/etc");
  EXPECT_EQ(inside().read("/etc/passwd").error().kind, Kind::unreadable);
}

TEST_F(Rooted, an_image_has_no_kernel) {
  outside_.add_link("/image/etc/mtab", "/proc/self/mounts");
  EXPECT_EQ(inside().read("/proc/driver/nvidia/version").error().kind, Kind::not_looked);
  EXPECT_EQ(inside().read("/etc/mtab").error().kind, Kind::not_looked);
  EXPECT_EQ(inside().list("/sys/bus/pci/devices").error().kind, Kind::not_looked);
  EXPECT_EQ(inside().list("/dev").error().kind, Kind::not_looked);
  EXPECT_EQ(inside().open_device("/dev/nvidia0").error().kind, Kind::not_looked);
  EXPECT_EQ(inside().kernel_log().error().kind, Kind::not_looked);
  const auto probe = inside().run_probe("nvml", {}, std::chrono::seconds(1));
  EXPECT_EQ(probe.error().kind, Kind::not_looked);
  EXPECT_EQ(probe.error().reason, "probe nvml: another root");
}

TEST_F(Rooted, a_root_with_a_kernel_in_it_is_asked) {
  outside_.add_file("/image/proc/version", "Linux");
  outside_.add_device("/image/dev/null", 0666, 1, 3);
  EXPECT_EQ(inside().read("/proc/version").value(), "Linux");
  EXPECT_EQ(inside().read("/proc/driver/nvidia/version").error().kind, Kind::absent);
  EXPECT_EQ(inside().status("/dev/nvidia0").error().kind, Kind::absent);
}

TEST_F(Rooted, identity_is_of_the_root) {
  const auto& identity = inside().identity();
  EXPECT_EQ(identity.user_name, "app");
  EXPECT_EQ(identity.home, "/root");
  EXPECT_EQ(identity.host, "");
  EXPECT_EQ(identity.kernel_release, "");
  EXPECT_EQ(identity.working_directory, "/");
  EXPECT_EQ(inside().environment().size(), 1U);
}

TEST_F(Rooted, slash_as_root_changes_nothing) {
  const auto same = make_rooted_system(outside_, "/", {});
  EXPECT_EQ(same->read("/secret").value(), "the host's");
  EXPECT_EQ(same->read("/proc/driver/nvidia/version").value(), "the host's");
}

class RootedOnDisk : public Scratch {};

TEST_F(RootedOnDisk, cannot_be_left) {
  add_file("image/etc/hostname", "inside");
  add_link("image/absolute", "/etc/passwd");
  add_link("image/relative", "../../../../../../../../etc/passwd");
  const auto live = make_live_system();
  const auto inside = make_rooted_system(*live, path("image"), {});
  EXPECT_EQ(inside->read("/etc/hostname").value(), "inside");
  EXPECT_EQ(inside->read("/absolute").error().kind, Kind::absent);
  EXPECT_EQ(inside->read("/relative").error().kind, Kind::absent);
  EXPECT_EQ(inside->read("/../../../../../../../etc/passwd").error().kind, Kind::absent);
  EXPECT_EQ(inside->read("/").error().kind, Kind::unsuitable);
}

} // namespace
} // namespace gpuwhy
