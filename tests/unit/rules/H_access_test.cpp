// H08 H09: may this user open the device files, and does nvidia_uvm work? The codes are those that
// driver 580 gave when a node was taken away (loader.md 3.11).
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

TEST(H08, the_nodes_belong_to_a_group) {
  Machine machine;
  for (const auto* path : {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"})
    machine.refuse(path, "EACCES", "0660");
  machine.cuinit_answers(100);
  machine.nvml_answers(4);
  const auto outcome = machine.ask("H08");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.text, "this user may not open /dev/nvidiactl (mode 0660)");
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "usermod -aG"));
  EXPECT_EQ(machine.causes(), Ids{"H08"}); // and not H09, though uvm does not open either
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("H08"));
}

TEST(H08, the_nodes_are_root_s_alone) {
  Machine machine;
  machine.refuse("/dev/nvidia0", "EACCES", "0600");
  machine.cuinit_answers(100);
  EXPECT_EQ(machine.causes(), Ids{"H08"});
  EXPECT_TRUE(
      contains(machine.ask("H08").edits.front().commands.front(), "NVreg_DeviceFileMode=0666"));
}

TEST(H08, uvm_alone_is_closed) {
  Machine machine;
  machine.refuse("/dev/nvidia-uvm", "EACCES", "0600");
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.causes(), Ids{"H08"}); // 999, but its cause is known
}

TEST(H08, one_gpu_of_two_opens) {
  Machine machine;
  machine.facts.access.nodes.value().push_back(node("/dev/nvidia1", 195, 1));
  machine.refuse("/dev/nvidia0", "EACCES", "0600");
  machine.cuda_unasked();
  EXPECT_EQ(machine.state("H08"), State::clear);
}

TEST(H08, a_missing_node_for_a_user) {
  for (const auto* path : {"/dev/nvidiactl", "/dev/nvidia0"}) {
    Machine machine;
    machine.remove_node(path);
    machine.cuinit_answers(100);
    EXPECT_EQ(machine.causes(), Ids{"H08"}) << path;
    EXPECT_TRUE(contains(machine.ask("H08").text, path));
    EXPECT_TRUE(machine.first_edit_mends("H08"));
  }
}

TEST(H08, root_makes_missing_nodes) {
  Machine machine;
  machine.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({}, {"/dev", 0});
  machine.facts.access.root = true;
  machine.cuda_unasked();
  EXPECT_EQ(machine.state("H08"), State::clear);
  EXPECT_EQ(machine.state("H09"), State::clear);
  machine.facts.access.user_namespace = Fact<std::string>::known("mapped"); // root in name only
  EXPECT_EQ(machine.state("H08"), State::found);
}

TEST(H08, a_node_of_a_driver_that_is_gone) {
  Machine machine;
  machine.refuse("/dev/nvidiactl", "ENXIO");
  machine.cuinit_answers(100);
  EXPECT_TRUE(contains(machine.ask("H08").text, "ENXIO"));
  EXPECT_EQ(machine.causes(), Ids{"H08"});
}

TEST(H08, a_control_group_s_no_outside_a_container) {
  Machine machine;
  machine.refuse("/dev/nvidiactl", "EPERM");
  machine.cuinit_answers(100);
  EXPECT_TRUE(contains(machine.ask("H08").edits.front().words, "batch job"));
  EXPECT_EQ(machine.causes(), Ids{"H08"});
}

TEST(H08, unknown_where_nodes_were_not_tried) {
  Machine tried;
  tried.cuda_unasked();
  tried.device_node("/dev/nvidia0").usable = {};
  EXPECT_EQ(tried.state("H08"), State::unknown);
  Machine listed;
  listed.cuda_unasked();
  listed.facts.access.nodes = Fact<std::vector<DeviceNode>>::unknown("/dev: Permission denied");
  EXPECT_EQ(listed.state("H08"), State::unknown);
  EXPECT_EQ(listed.verdict().answer, Usable::unknown);
}

/// A control node that could not be tried leaves the question open, as a GPU's does.
TEST(H08, unknown_where_the_control_node_was_not_tried) {
  Machine machine;
  machine.cuda_unasked();
  machine.device_node("/dev/nvidiactl").usable = Fact<bool>::unknown("not tried");
  EXPECT_EQ(machine.state("H08"), State::unknown);
}

TEST(H08, does_not_arise_without_the_module) {
  Machine machine;
  machine.remove_driver();
  EXPECT_EQ(machine.state("H08"), State::not_applicable);
}

TEST(H09, uvm_is_not_loaded) {
  Machine machine;
  machine.facts.driver.uvm_loaded = Fact<bool>::known(false);
  machine.facts.access.uvm_major = Fact<int>::absent({"/proc/devices", 0});
  machine.remove_node("/dev/nvidia-uvm");
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.causes(), Ids{"H09"});
  const auto outcome = machine.ask("H09");
  EXPECT_EQ(outcome.text, "CUDA cannot start: the module nvidia_uvm is not loaded");
  EXPECT_EQ(outcome.edits.front().commands.front(), "sudo modprobe nvidia_uvm");
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("H09"));
}

TEST(H09, only_the_node_is_missing) {
  Machine machine;
  machine.remove_node("/dev/nvidia-uvm");
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.causes(), Ids{"H09"});
}

TEST(H09, predicted_without_a_probe) {
  Machine machine;
  machine.remove_node("/dev/nvidia-uvm");
  machine.cuda_unasked();
  EXPECT_EQ(machine.causes(), Ids{"H09"});
}

TEST(H09, the_node_has_the_number_of_an_earlier_load) {
  Machine machine;
  machine.device_node("/dev/nvidia-uvm").major = 237;
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.causes(), Ids{"H09"});
  EXPECT_TRUE(contains(machine.ask("H09").text, "earlier load"));
}

TEST(H09, stuck_after_a_suspend) {
  Machine machine;
  machine.cuinit_answers(999);
  const auto outcome = machine.ask("H09");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "stuck")) << outcome.text;
  EXPECT_TRUE(contains(join(outcome.edits.front().commands, ";"), "rmmod nvidia_uvm"));
  EXPECT_EQ(machine.causes(), Ids{"H09"});
}

TEST(H09, root_s_driver_loads_it) {
  Machine machine;
  machine.remove_node("/dev/nvidia-uvm");
  machine.facts.driver.uvm_loaded = Fact<bool>::known(false);
  machine.facts.access.root = true;
  machine.cuda_unasked();
  EXPECT_EQ(machine.state("H09"), State::clear);
}

TEST(H09, clear_with_a_good_node) {
  Machine machine;
  machine.cuinit_answers(100);
  EXPECT_EQ(machine.state("H09"), State::clear);
}

TEST(H09, another_code_tells_that_uvm_is_not_in_the_way) {
  Machine machine; // 803 comes before the driver needs uvm
  machine.cuinit_answers(803);
  EXPECT_EQ(machine.state("H09"), State::clear);
}

TEST(H09, unknown_where_nodes_were_not_listed) {
  Machine machine;
  machine.cuda_unasked();
  machine.facts.access.nodes = Fact<std::vector<DeviceNode>>::unknown("/dev: Permission denied");
  EXPECT_EQ(machine.state("H09"), State::unknown);
  machine.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({}, {"/dev", 0});
  machine.facts.driver.module = Fact<KernelModule>::unknown("/proc: not mounted");
  EXPECT_EQ(machine.state("H09"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
