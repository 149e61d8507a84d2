// H03 H04 H05 H06: is NVIDIA's driver installed, loaded, the one that holds the GPU, and of one
// version?
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;

std::string command_line(const Outcome& outcome) {
  return outcome.edits.empty() ? "" : join(outcome.edits.front().commands, "; ");
}

TEST(H03, no_driver_is_the_first_and_only_cause) {
  Machine machine;
  machine.remove_driver();
  const auto outcome = machine.ask("H03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.text,
            "GeForce RTX 4090 (PCI 0000:01:00.0) has no driver: NVIDIA's is not installed");
  EXPECT_EQ(machine.causes(), Ids{"H03"});
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("H03"));
  EXPECT_EQ(machine.causes(), Ids{});
}

TEST(H03, the_fix_speaks_the_distribution_s_tongue) {
  const std::map<std::string, std::string> tools = {{"ubuntu", "ubuntu-drivers install"},
                                                    {"debian", "nvidia-driver libcuda1"},
                                                    {"fedora", "akmod-nvidia"},
                                                    {"arch", "pacman -S nvidia-open"}};
  for (const auto& [id, command] : tools) {
    Machine machine;
    machine.remove_driver();
    machine.facts.platform.distribution_id = Fact<std::string>::known(id);
    EXPECT_TRUE(contains(command_line(machine.ask("H03")), command)) << id;
  }
}

TEST(H03, only_the_libraries_are_installed) {
  Machine machine;
  machine.unload_module();
  machine.uninstall_driver();
  const auto outcome = machine.ask("H03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "only the libraries")) << outcome.text;
  EXPECT_EQ(machine.causes(), Ids{"H03"});
}

TEST(H03, the_module_runs_without_its_cuda_library) {
  Machine machine;
  machine.remove_driver_libraries();
  const auto outcome = machine.ask("H03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "libcuda.so.1 is not installed")) << outcome.text;
  EXPECT_EQ(command_line(outcome), "sudo apt install libnvidia-compute-550");
  EXPECT_EQ(machine.causes(), Ids{"H03"});
  EXPECT_TRUE(machine.first_edit_mends("H03"));
}

TEST(H03, a_stub_is_no_driver_library) {
  Machine machine;
  machine.remove_driver_libraries();
  DriverLibrary stub;
  stub.path = "/usr/local/cuda/lib64/stubs/libcuda.so";
  stub.stub = true;
  machine.facts.driver.libcuda.value().push_back(stub);
  EXPECT_EQ(machine.state("H03"), State::found);
}

TEST(H03, clear_with_a_driver) {
  Machine loaded;
  EXPECT_EQ(loaded.state("H03"), State::clear);
  Machine installed;
  installed.unload_module();
  EXPECT_EQ(installed.state("H03"), State::clear); // H06 asks why it is not loaded
}

TEST(H03, does_not_arise) {
  Machine none;
  none.no_gpus();
  EXPECT_EQ(none.state("H03"), State::not_applicable);
  Machine wsl;
  wsl.put_in_wsl();
  EXPECT_EQ(wsl.state("H03"), State::not_applicable);
}

TEST(H03, unknown_where_nobody_looked) {
  Machine module;
  module.remove_driver();
  module.facts.driver.module = {};
  EXPECT_EQ(module.state("H03"), State::unknown);
  Machine package;
  package.remove_driver();
  package.facts.driver.module_files =
      Fact<std::vector<std::string>>::unknown("/lib/modules: Permission denied");
  package.facts.driver.installed_package = {};
  EXPECT_EQ(package.state("H03"), State::unknown);
  Machine container;
  container.unload_module();
  container.put_in_container("docker");
  EXPECT_EQ(container.state("H03"), State::unknown); // only the host can tell
}

Machine nouveau(bool installed) {
  Machine machine;
  if (installed) {
    machine.unload_module();
  } else {
    machine.remove_driver();
  }
  machine.gpu().driver =
      Fact<std::string>::known("nouveau", {"/sys/bus/pci/devices/0000:01:00.0/driver", 0});
  machine.facts.driver.nouveau_loaded = Fact<bool>::known(true);
  return machine;
}

TEST(H04, nouveau_holds_the_gpu) {
  for (const bool installed : {true, false}) {
    auto machine = nouveau(installed);
    EXPECT_EQ(machine.causes(), Ids{"H04"}) << installed; // neither H03 nor H06
    const auto outcome = machine.ask("H04");
    EXPECT_EQ(contains(outcome.text, "is not installed"), !installed) << outcome.text;
    EXPECT_EQ(contains(command_line(outcome), "blacklist nouveau"), installed)
        << command_line(outcome);
    EXPECT_TRUE(machine.plan_works());
    EXPECT_TRUE(machine.first_edit_mends("H04"));
  }
}

TEST(H04, kept_for_a_virtual_machine) {
  auto machine = nouveau(true);
  machine.gpu().driver = Fact<std::string>::known("vfio-pci");
  const auto outcome = machine.ask("H04");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "set aside for a virtual machine"));
  EXPECT_FALSE(outcome.edits.front().apply); // whether that guest may lose it is not ours to say
  EXPECT_EQ(machine.causes(), Ids{"C05"}) << "that is what holds it, whatever nouveau would do";
}

TEST(H04, clear_when_one_gpu_is_nvidia_s) {
  auto machine = nouveau(true);
  auto second = machine.gpu();
  second.driver = Fact<std::string>::known("nvidia");
  machine.facts.hardware.gpus.value().push_back(second);
  EXPECT_EQ(machine.state("H04"), State::clear);
  Machine none;
  none.remove_driver();
  EXPECT_EQ(none.state("H04"), State::clear); // H03: nobody holds it
}

TEST(H04, unknown_without_the_driver_link) {
  auto machine = nouveau(true);
  machine.gpu().driver = Fact<std::string>::unknown("Permission denied");
  EXPECT_EQ(machine.state("H04"), State::unknown);
  machine.facts.driver.nouveau_loaded = Fact<bool>::known(false);
  EXPECT_EQ(machine.state("H04"), State::clear);
  machine.facts.hardware.gpus = {};
  EXPECT_EQ(machine.state("H04"), State::unknown);
}

/// The libraries on disk are of this version, the module is 550.54.14 still.
Machine updated(const std::string& version) {
  Machine machine;
  auto& library = machine.facts.driver.libcuda.value().front();
  library.version = Fact<std::string>::known(version);
  library.real_path = kSystemLibraries + "/libcuda.so." + version;
  machine.facts.libraries.files.at(library.path).real_path = library.real_path;
  machine.cuinit_answers(803);
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->library = library.real_path;
  }
  machine.nvml_answers(18);
  return machine;
}

TEST(H05, an_update_without_a_restart) {
  auto machine = updated("550.90.07");
  EXPECT_EQ(machine.causes(), Ids{"H05"});
  const auto outcome = machine.ask("H05");
  EXPECT_EQ(outcome.text, "the two halves of the driver differ: its kernel module is 550.54.14, "
                          "its library is 550.90.07");
  EXPECT_EQ(command_line(outcome), "sudo reboot");
  EXPECT_TRUE(machine.plan_works());
  EXPECT_TRUE(machine.first_edit_mends("H05"));
}

TEST(H05, the_last_digit_counts) {
  auto machine = updated("550.54.15");
  EXPECT_EQ(machine.state("H05"), State::found);
}

TEST(H05, an_older_library_is_left_over) {
  auto machine = updated("535.183.01");
  const auto outcome = machine.ask("H05");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.edits.front().words, "left over")) << outcome.edits.front().words;
  EXPECT_NE(command_line(outcome), "sudo reboot"); // a restart loads the same module again
  EXPECT_TRUE(machine.first_edit_mends("H05"));
}

TEST(H05, a_leftover_on_the_library_path_hides_the_right_one) {
  Machine machine;
  DriverLibrary old;
  old.path = "/opt/old/libcuda.so.1";
  old.real_path = "/opt/old/libcuda.so.535.183.01";
  old.version = Fact<std::string>::known("535.183.01");
  machine.facts.driver.libcuda.value().push_back(old);
  machine.add(old.path);
  machine.facts.libraries.files.at(old.path).real_path = old.real_path;
  machine.library_path("/opt/old");
  machine.cuinit_answers(803);
  for (auto* probe :
       {machine.facts.observed.cuda.get(), machine.facts.observed.cuda_unhidden.get()}) {
    probe->library = old.real_path;
  }
  const auto outcome = machine.ask("H05");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.edits.front().words, "remove /opt/old from LD_LIBRARY_PATH");
  EXPECT_EQ(machine.causes(), Ids{"H05"});
  EXPECT_TRUE(machine.first_edit_mends("H05"));
}

TEST(H05, told_by_the_driver_alone) {
  Machine machine;
  machine.cuinit_answers(803);
  machine.facts.driver.module = Fact<KernelModule>::unknown("/proc/driver: Permission denied");
  EXPECT_EQ(machine.state("H05"), State::found);
}

TEST(H05, clear_where_both_are_one) {
  Machine machine;
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.state("H05"), State::clear);
}

TEST(H05, a_compatibility_library_may_differ) {
  auto machine = updated("555.42.02");
  machine.facts.driver.libcuda.value().front().compat = true;
  EXPECT_EQ(machine.state("H05"), State::clear);
}

TEST(H05, unknown_without_a_version) {
  auto machine = updated("550.90.07");
  machine.cuda_unasked();
  machine.facts.driver.module = Fact<KernelModule>::unknown("/proc/driver: Permission denied");
  EXPECT_EQ(machine.state("H05"), State::unknown);
  machine = updated("550.90.07");
  machine.cuda_unasked();
  machine.facts.driver.libcuda = {};
  machine.facts.libraries.files.at(kSystemLibraries + "/libcuda.so.1").real_path =
      kSystemLibraries + "/libcuda.so.1";
  EXPECT_EQ(machine.state("H05"), State::unknown);
  EXPECT_EQ(machine.verdict().answer, Usable::unknown);
}

Outcome refusal(Machine& machine, const std::string& part, bool mends = true) {
  EXPECT_EQ(machine.causes(), Ids{"H06"});
  auto outcome = machine.ask("H06");
  EXPECT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, part)) << outcome.text;
  auto copy = machine;
  EXPECT_EQ(copy.first_edit_mends("H06"), mends);
  EXPECT_EQ(machine.plan_works(), mends);
  return outcome;
}

TEST(H06, not_built_for_the_running_kernel) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.module_files =
      Fact<std::vector<std::string>>::known({}, {"/lib/modules/6.8.0-45-generic", 0});
  machine.facts.driver.dkms =
      Fact<std::vector<std::string>>::known({"nvidia/550.54.14 (6.8.0-40-generic)"});
  const auto outcome = refusal(machine, "not built for the running kernel 6.8.0-45-generic");
  EXPECT_TRUE(contains(command_line(outcome), "dkms autoinstall"));
}

TEST(H06, the_running_kernel_was_replaced) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.module_files = Fact<std::vector<std::string>>::absent(
      {"/lib/modules/6.8.0-45-generic", 0}, "no such directory");
  EXPECT_EQ(command_line(refusal(machine, "was replaced by an update")), "sudo reboot");
}

TEST(H06, blacklisted) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.blacklisted =
      Fact<std::vector<std::string>>::known({"/etc/modprobe.d/off.conf:3: blacklist nvidia"});
  const auto outcome = refusal(machine, "kept out by /etc/modprobe.d/off.conf:3");
  EXPECT_TRUE(contains(command_line(outcome), "sed -i.bak '3s/^/#/' /etc/modprobe.d/off.conf"));
}

TEST(H06, secure_boot_refuses_the_module) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.secure_boot = Fact<bool>::known(true);
  machine.add_log(
      "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7");
  const auto outcome = refusal(machine, "signed modules only");
  EXPECT_TRUE(contains(command_line(outcome), "mokutil --import"));
}

TEST(H06, the_branch_dropped_the_gpu) {
  Machine machine;
  machine.unload_module();
  machine.gpu().last_driver_branch = Fact<int>::known(470);
  machine.gpu().compute_capability = Fact<ComputeCapability>::known({3, 5});
  machine.gpu().product = Fact<std::string>::known("Tesla K40c");
  const auto outcome = machine.ask("H06");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "branch 470 is the last")) << outcome.text;
  EXPECT_TRUE(contains(command_line(outcome), "nvidia-driver-470"));
  EXPECT_EQ(machine.causes().front(), "H06");
}

TEST(H06, the_wrong_flavour) {
  Machine old;
  old.unload_module();
  old.gpu().compute_capability = Fact<ComputeCapability>::known({6, 1});
  EXPECT_TRUE(contains(old.ask("H06").text, "older than the open flavour")) << old.ask("H06").text;
  Machine blackwell;
  blackwell.unload_module();
  blackwell.gpu().compute_capability = Fact<ComputeCapability>::known({12, 0});
  blackwell.facts.driver.installed_package =
      Fact<std::string>::known("nvidia-driver-570 570.124.06-0ubuntu1 (dpkg)");
  EXPECT_TRUE(contains(blackwell.ask("H06").text, "needs the open flavour"))
      << blackwell.ask("H06").text;
}

TEST(H06, loaded_but_takes_no_gpu) {
  Machine machine;
  machine.cuinit_answers(100);
  machine.facts.observed.nvml = {};
  machine.gpu().driver = Fact<std::string>::absent({"driver", 0});
  machine.gpu().compute_capability = Fact<ComputeCapability>::known({6, 1});
  machine.facts.access.nodes.value().erase(machine.facts.access.nodes.value().begin());
  EXPECT_EQ(machine.state("H06"), State::found);
  EXPECT_EQ(machine.causes().front(), "H06");
}

TEST(H06, built_and_not_loaded_for_a_reason_nobody_told) {
  Machine machine;
  machine.unload_module();
  refusal(machine, "built for this kernel, but not loaded", false);
}

TEST(H06, clear_when_loaded) {
  Machine machine;
  machine.cuinit_answers(999);
  EXPECT_EQ(machine.state("H06"), State::clear);
}

TEST(H06, unknown_where_nobody_looked) {
  Machine machine;
  machine.unload_module();
  machine.facts.driver.module = Fact<KernelModule>::unknown("/proc: not mounted");
  EXPECT_EQ(machine.state("H06"), State::unknown);
  machine.facts.driver.module = Fact<KernelModule>::absent(Source{});
  machine.facts.driver.module_files = {};
  machine.facts.driver.dkms = {};
  machine.facts.driver.installed_package = {};
  EXPECT_EQ(machine.state("H06"), State::unknown);
}

} // namespace
} // namespace gpuwhy::test
