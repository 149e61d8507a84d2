// H01 H02 H15: is there a GPU at all, is it NVIDIA's, is it switched on?
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

TEST(Machine, is_healthy_when_nothing_is_broken) {
  const Machine machine;
  const auto verdict = machine.verdict();
  EXPECT_EQ(verdict.answer, Usable::gpu)
      << (verdict.unknown.empty() ? "" : verdict.unknown.front());
  EXPECT_EQ(machine.causes(), Ids{});
  EXPECT_TRUE(verdict.plan.empty());
}

TEST(H01, nothing_on_the_bus) {
  Machine machine;
  machine.no_gpus();
  const auto outcome = machine.ask("H01");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.text, "this machine has no GPU on its PCI bus");
  EXPECT_EQ(machine.causes(), Ids{"H01"});
  EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
  EXPECT_FALSE(machine.plan_works()); // hardware is no command
}

TEST(H01, an_adapter_that_only_draws_a_screen) {
  Machine machine;
  machine.replace_gpu("other", "ASPEED AST2500");
  const auto outcome = machine.ask("H01");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.evidence.front().text, "only draws a screen"));
  EXPECT_EQ(machine.causes(), Ids{"H01"});
}

TEST(H01, a_virtual_machine_is_named) {
  Machine machine;
  machine.no_gpus();
  machine.facts.hardware.virtual_machine =
      Fact<std::string>::known("kvm", {"/sys/class/dmi/id/sys_vendor", 0});
  const auto outcome = machine.ask("H01");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "virtual machine (kvm)")) << outcome.text;
  EXPECT_TRUE(contains(outcome.edits.front().words, "passthrough"));
}

TEST(H01, a_container_says_whose_bus_it_is) {
  Machine machine;
  machine.no_gpus();
  machine.put_in_container("docker");
  EXPECT_EQ(machine.causes(), Ids{"H01"});
  EXPECT_TRUE(contains(machine.ask("H01").text, "the machine that runs this container"));
}

TEST(H01, clear_where_a_gpu_shows_itself_otherwise) {
  Machine bus;
  bus.remove_driver();
  EXPECT_EQ(bus.state("H01"), State::clear); // on the bus
  Machine module;
  module.no_gpus();
  module.facts.driver.module =
      Fact<KernelModule>::known({.version = "550.54.14", .open_module = {}});
  EXPECT_EQ(module.state("H01"), State::clear); // the module stays only where there is a GPU
  Machine jetson;
  jetson.no_gpus();
  jetson.facts.hardware.tegra = Fact<std::string>::known("Jetson Orin Nano");
  EXPECT_EQ(jetson.state("H01"), State::clear);
  Machine wsl;
  wsl.put_in_wsl();
  EXPECT_EQ(wsl.state("H01"), State::clear);
}

TEST(H01, unknown_where_the_bus_was_not_read) {
  Machine machine;
  machine.remove_driver();
  machine.facts.hardware.gpus =
      Fact<std::vector<PciGpu>>::unknown("/sys/bus/pci/devices: Permission denied");
  const auto outcome = machine.ask("H01");
  ASSERT_EQ(outcome.state, State::unknown);
  EXPECT_TRUE(contains(outcome.text, "Permission denied"));
  EXPECT_EQ(machine.causes(), Ids{"H18"})
      << "that libcuda.so.1 does not load is certain, why it does not is not";
  EXPECT_EQ(machine.verdict().answer, Usable::no_gpu);
}

TEST(H01, unknown_in_wsl_without_a_driver_of_windows) {
  Machine machine;
  machine.put_in_wsl();
  machine.facts.access.wsl_driver = Fact<std::string>::absent({"/usr/lib/wsl/lib/libcuda.so.1", 0});
  EXPECT_EQ(machine.state("H01"), State::unknown);
}

TEST(H02, of_another_maker) {
  for (const std::string vendor : {"amd", "intel"}) {
    Machine machine;
    machine.replace_gpu(vendor, vendor == "amd" ? "Radeon RX 7900 XTX" : "UHD Graphics 770");
    const auto outcome = machine.ask("H02");
    ASSERT_EQ(outcome.state, State::found) << vendor;
    EXPECT_TRUE(contains(outcome.text, vendor == "amd" ? "AMD" : "Intel")) << outcome.text;
    EXPECT_EQ(machine.causes(), Ids{"H02"}) << vendor;
    EXPECT_EQ(contains(outcome.edits.front().words, "rocm"), vendor == "amd");
  }
}

TEST(H02, clear_with_an_nvidia_gpu_beside_it) {
  Machine machine;
  machine.remove_driver();
  PciGpu intel;
  intel.vendor = "intel";
  machine.facts.hardware.gpus.value().insert(machine.facts.hardware.gpus.value().begin(), intel);
  EXPECT_EQ(machine.state("H02"), State::clear);
}

TEST(H02, clear_for_a_rocm_build_on_amd) {
  Machine machine;
  machine.replace_gpu("amd", "Radeon RX 7900 XTX");
  machine.build().rocm = Fact<bool>::known(true);
  machine.build().cuda = Fact<bool>::known(false);
  EXPECT_EQ(machine.state("H02"), State::clear);
}

TEST(H02, unknown_with_a_plugin_or_without_the_bus) {
  Machine plugin;
  plugin.replace_gpu("intel", "Arc A770");
  plugin.python().distributions.push_back(
      distribution("intel-extension-for-tensorflow", "2.15.0.1"));
  EXPECT_EQ(plugin.state("H02"), State::unknown);
  Machine bus;
  bus.remove_driver();
  bus.facts.hardware.gpus = {};
  EXPECT_EQ(bus.state("H02"), State::unknown);
}

Machine optimus() {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.prime_select = Fact<std::string>::known("intel", {"/etc/prime-discrete", 1});
  return machine;
}

TEST(H15, prime_select_intel_with_the_gpu_still_on_the_bus) {
  auto machine = optimus();
  EXPECT_EQ(machine.causes(), Ids{"H15"}); // not H06, though the module is not loaded
  const auto outcome = machine.ask("H15");
  EXPECT_EQ(outcome.edits.front().commands, (Ids{"sudo prime-select on-demand", "sudo reboot"}));
  EXPECT_TRUE(machine.first_edit_mends("H15"));
  EXPECT_TRUE(optimus().plan_works());
}

TEST(H15, prime_select_intel_took_the_gpu_from_the_bus) {
  for (const bool intel : {true, false}) {
    auto machine = optimus();
    std::vector<PciGpu> gpus;
    if (intel) {
      gpus.emplace_back();
      gpus.back().vendor = "intel";
    }
    machine.facts.hardware.gpus =
        Fact<std::vector<PciGpu>>::known(gpus, {"/sys/bus/pci/devices", 0});
    EXPECT_EQ(machine.causes(), Ids{"H15"}) << "intel GPU: " << intel; // neither H01 nor H02
    EXPECT_TRUE(machine.first_edit_mends("H15"));
  }
}

TEST(H15, suse_says_offload) {
  auto machine = optimus();
  machine.facts.platform.distribution_id = Fact<std::string>::known("opensuse-leap");
  EXPECT_EQ(machine.ask("H15").edits.front().commands.front(), "sudo prime-select offload");
}

TEST(H15, does_not_wake) {
  Machine machine;
  machine.unload_module();
  machine.gpu().power_state = Fact<std::string>::known("D3cold", {"power_state", 0});
  machine.add_log(
      "pci 0000:01:00.0: Unable to change power state from D3cold to D0, device inaccessible");
  EXPECT_EQ(machine.causes(), Ids{"H15"});
}

TEST(H15, sleeping_is_healthy) {
  Machine machine;
  machine.unload_module();
  machine.gpu().power_state = Fact<std::string>::known("D3cold", {"power_state", 0});
  EXPECT_EQ(machine.state("H15"), State::clear);
  machine.add_log(
      "pci 0000:02:00.0: Unable to change power state from D3cold to D0"); // another device
  EXPECT_EQ(machine.state("H15"), State::clear);
}

TEST(H15, clear_with_another_choice) {
  for (const auto* choice : {"on-demand", "nvidia"}) {
    Machine machine;
    machine.unload_module();
    machine.facts.driver.prime_select = Fact<std::string>::known(choice);
    EXPECT_EQ(machine.state("H15"), State::clear) << choice;
  }
}

TEST(H15, unknown_where_the_choice_was_not_read) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.prime_select =
      Fact<std::string>::unknown("/etc/prime-discrete: Permission denied");
  EXPECT_EQ(machine.state("H15"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
