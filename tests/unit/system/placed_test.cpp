#include "system/placed.h"

#include "support/memory_system.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Kind = Unavailable::Kind;

class Placed : public testing::Test {
protected:
  Placed() {
    Identity ours;
    ours.user = 1000;
    ours.groups = {1000, 44};
    machine_.set_identity(ours);
    machine_.add_device("/dev/nvidiactl", 0660, 195, 255);
    machine_.details("/dev/nvidiactl").group = 44;
    machine_.add_file("/proc/self/cgroup", "ours");
    machine_.add_file("/proc/42/cgroup", "theirs");
    machine_.set_probe("cuda_init", ProcessResult{});
    there_.identity.user = 1001;
    there_.identity.groups = {44};
  }
  std::unique_ptr<System> place() { return make_placed_system(machine_, machine_, there_); }
  bool asks_probe() {
    return place()->run_probe("cuda_init", {}, std::chrono::milliseconds(1)).has_value();
  }

  MemorySystem machine_;
  Placement there_;
};

TEST_F(Placed, has_its_own_variables_and_self) {
  there_.environment = {{"A", "1"}};
  there_.process = 42;
  EXPECT_EQ(place()->environment().at("A"), "1");
  EXPECT_EQ(place()->read("/proc/self/cgroup").value(), "theirs");
  EXPECT_EQ(place()->identity().user, 1001U);
  there_.process = 0;
  EXPECT_EQ(place()->read("/proc/self/cgroup").value(), "ours");
}

TEST_F(Placed, answers_for_whoever_has_the_same_rights) {
  EXPECT_TRUE(place()->open_device("/dev/nvidiactl").value());
  EXPECT_TRUE(asks_probe());
}

TEST_F(Placed, permission_bits_of_that_user) {
  there_.identity.groups = {1001};
  const auto refused = place()->open_device("/dev/nvidiactl");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error, EACCES);
  EXPECT_FALSE(asks_probe());
}

TEST_F(Placed, who_may_more_than_we_cannot_be_answered_for) {
  Identity ours;
  ours.user = 1000;
  machine_.set_identity(ours);
  EXPECT_EQ(place()->open_device("/dev/nvidiactl").error().kind, Kind::not_looked);
  EXPECT_FALSE(asks_probe());
}

TEST_F(Placed, another_control_group) {
  there_.devices_as_ours = false;
  EXPECT_EQ(place()->open_device("/dev/nvidiactl").error().kind, Kind::not_looked);
  EXPECT_FALSE(asks_probe());
}

} // namespace
} // namespace gpuwhy
