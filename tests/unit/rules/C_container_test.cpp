// C01 C02 C03: was the container, or WSL, given the GPU and its driver?
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

Machine container(const std::string& kind) {
  Machine machine;
  machine.put_in_container(kind);
  return machine;
}

void show_nodes(Machine& machine) {
  machine.facts.access.nodes = Machine().facts.access.nodes;
}

TEST(C01, started_without_a_gpu) {
  const std::map<std::string, std::string> starts = {{"docker", "docker run --gpus all"},
                                                     {"podman", "--device nvidia.com/gpu=all"},
                                                     {"kubernetes", "nvidia.com/gpu=1"},
                                                     {"lxc", "lxc config device add"}};
  for (const auto& [kind, command] : starts) {
    auto machine = container(kind);
    EXPECT_EQ(machine.causes(), Ids{"C01"}) << kind; // not H03, H08, H09 nor C02
    const auto outcome = machine.ask("C01");
    EXPECT_TRUE(contains(join(outcome.edits.front().commands, ";"), command)) << kind;
    EXPECT_TRUE(machine.plan_works()) << kind;
    EXPECT_TRUE(machine.first_edit_mends("C01")) << kind;
  }
}

TEST(C01, the_images_of_cuda_set_all_themselves) {
  auto machine = container("docker");
  set_variable(machine.facts, "NVIDIA_VISIBLE_DEVICES", "all");
  EXPECT_EQ(machine.causes(), Ids{"C01"});
  EXPECT_TRUE(contains(machine.ask("C01").evidence.back().text, "proves nothing"));
}

TEST(C01, the_host_may_lack_the_driver_too) {
  Machine machine;
  machine.unload_module();
  machine.put_in_container("docker");
  const auto causes = machine.causes();
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes.front(), "C01");
  EXPECT_TRUE(contains(machine.ask("C01").edits.front().words,
                       "make sure that nvidia-smi works on the host"));
  EXPECT_FALSE(machine.plan_works()); // what the host has cannot be seen from here
}

TEST(C01, the_control_group_refuses) {
  auto machine = container("docker");
  show_nodes(machine);
  machine.refuse("/dev/nvidia0", "EPERM");
  machine.refuse("/dev/nvidiactl", "EPERM");
  const auto outcome = machine.ask("C01");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "not given the right to open it, or lost it")) << outcome.text;
  EXPECT_EQ(machine.causes(), Ids{"C01"});
}

TEST(C01, apptainer_without_nv) {
  auto machine = container("apptainer");
  machine.facts.access.root = false;
  show_nodes(machine);
  EXPECT_EQ(machine.causes(), Ids{"C01"});
  EXPECT_TRUE(contains(machine.ask("C01").text, "without --nv"));
  EXPECT_TRUE(machine.first_edit_mends("C01"));
}

TEST(C01, wsl_s_device_is_not_in_the_container) {
  Machine machine;
  machine.put_in_wsl();
  machine.put_in_container("docker");
  machine.facts.access.dxg = Fact<bool>::known(false, {"/dev/dxg", 0});
  EXPECT_EQ(machine.causes().front(), "C01");
}

TEST(C01, clear_with_nodes_and_does_not_arise_outside) {
  auto machine = container("docker");
  show_nodes(machine);
  EXPECT_EQ(machine.state("C01"), State::clear);
  EXPECT_EQ(Machine().state("C01"), State::not_applicable);
  auto none = container("docker");
  none.no_gpus();
  EXPECT_EQ(none.state("C01"), State::not_applicable); // H01
}

TEST(C01, unknown_where_nobody_looked) {
  auto nodes = container("docker");
  nodes.facts.access.nodes = Fact<std::vector<DeviceNode>>::unknown("/dev: Permission denied");
  EXPECT_EQ(nodes.state("C01"), State::unknown);
  Machine kind;
  kind.cuda_unasked();
  kind.facts.access.container = Fact<std::string>::unknown("/proc: not mounted");
  EXPECT_EQ(kind.state("C01"), State::unknown);
}

TEST(C02, nodes_without_the_driver_s_libraries) {
  auto machine = container("docker");
  show_nodes(machine);
  const auto outcome = machine.ask("C02");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(machine.causes(),
            Ids{"C02"}); // not H03: the library is the container runtime's to bring
  EXPECT_TRUE(contains(join(outcome.edits.front().commands, ";"), "nvidia-ctk runtime configure"));
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("C02"));
}

TEST(C02, the_capabilities_leave_cuda_out) {
  auto machine = container("podman");
  show_nodes(machine);
  set_variable(machine.facts, "NVIDIA_DRIVER_CAPABILITIES", "utility");
  const auto outcome = machine.ask("C02");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "\"compute\" is missing")) << outcome.text;
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "compute,utility"));
  EXPECT_EQ(machine.causes(), Ids{"C02"});
  EXPECT_TRUE(machine.first_edit_mends("C02"));
  for (const auto* good : {"all", "compute,utility", "utility, compute"}) {
    auto other = container("podman");
    show_nodes(other);
    set_variable(other.facts, "NVIDIA_DRIVER_CAPABILITIES", good);
    EXPECT_FALSE(contains(other.ask("C02").text, "is missing")) << good;
  }
}

TEST(C02, asked_for_by_name_and_not_delivered) {
  auto machine = container("docker");
  set_variable(machine.facts, "NVIDIA_VISIBLE_DEVICES", "0");
  EXPECT_EQ(machine.causes(), Ids{"C02"});
  EXPECT_TRUE(contains(machine.ask("C02").text, "asked for"));
}

TEST(C02, clear_with_the_libraries) {
  Machine machine;
  machine.facts.access.container = Fact<std::string>::known("docker");
  EXPECT_EQ(machine.state("C02"), State::clear);
  EXPECT_EQ(machine.causes(), Ids{});
}

TEST(C02, unknown_where_nobody_looked) {
  auto machine = container("docker");
  machine.facts.access.nodes = {};
  EXPECT_EQ(machine.state("C02"), State::unknown);
}

TEST(C03, as_it_should_be) {
  Machine machine;
  machine.put_in_wsl();
  EXPECT_EQ(machine.state("C03"), State::clear);
  EXPECT_EQ(machine.causes(), Ids{});
}

TEST(C03, wsl_1_has_no_gpu) {
  Machine machine;
  machine.put_in_wsl();
  machine.facts.access.wsl = Fact<std::string>::known("1", {"uname -r", 0});
  machine.facts.access.dxg = Fact<bool>::known(false);
  EXPECT_EQ(machine.causes().front(), "C03");
  EXPECT_TRUE(contains(machine.ask("C03").text, "WSL 1"));
}

TEST(C03, no_device_or_no_driver_of_windows) {
  Machine device;
  device.put_in_wsl();
  device.facts.access.dxg = Fact<bool>::known(false, {"/dev/dxg", 0});
  EXPECT_EQ(device.causes().front(), "C03");
  Machine driver;
  driver.put_in_wsl();
  driver.facts.access.wsl_driver = Fact<std::string>::absent({"/usr/lib/wsl/lib/libcuda.so.1", 0});
  EXPECT_EQ(driver.causes().front(), "C03");
  EXPECT_TRUE(contains(driver.ask("C03").edits.front().words, "in Windows (not in WSL)"));
}

TEST(C03, a_linux_driver_hides_that_of_windows) {
  Machine machine;
  machine.put_in_wsl();
  DriverLibrary linux_driver;
  linux_driver.path = kSystemLibraries + "/libcuda.so.1";
  linux_driver.real_path = kSystemLibraries + "/libcuda.so.550.54.14";
  machine.facts.driver.libcuda.value().push_back(linux_driver);
  machine.add(linux_driver.path);
  auto& cache = machine.facts.libraries.cache.value();
  cache.insert(cache.begin(), {"libcuda.so.1", linux_driver.path, {}});
  const auto outcome = machine.ask("C03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "hides the one of Windows")) << outcome.text;
  EXPECT_EQ(machine.causes().front(), "C03");
  EXPECT_TRUE(machine.first_edit_mends("C03"));
}

TEST(C03, the_loader_does_not_look_there) {
  Machine machine;
  machine.put_in_wsl();
  machine.facts.libraries.cache.value().clear();
  const auto outcome = machine.ask("C03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "does not look in /usr/lib/wsl/lib"));
  EXPECT_TRUE(machine.first_edit_mends("C03"));
}

TEST(C03, unknown_where_nobody_looked) {
  Machine machine;
  machine.cuda_unasked();
  machine.facts.access.wsl = Fact<std::string>::unknown("no kernel release");
  EXPECT_EQ(machine.state("C03"), State::unknown);
  machine.put_in_wsl();
  machine.facts.access.dxg = {};
  EXPECT_EQ(machine.state("C03"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
