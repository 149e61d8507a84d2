#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Strings = std::vector<std::string>;
using Files = Fact<Strings>;

TEST(KernelModules, OpenModuleOfTheH100) {
  MemorySystem system;
  add_h100(system);
  const Facts facts = collected(kKernelModules, system);
  ASSERT_TRUE(facts.driver.module.known());
  EXPECT_EQ(facts.driver.module.value().version, "580.159.04");
  EXPECT_TRUE(facts.driver.module.value().open_module.value());
  EXPECT_TRUE(facts.driver.uvm_loaded.value());
  EXPECT_FALSE(facts.driver.nouveau_loaded.value());
  EXPECT_EQ(facts.driver.module_files.state(), Files::State::unknown);
  EXPECT_EQ(facts.driver.dkms.state(), Files::State::absent);
}

TEST(KernelModules, ProprietaryModule) {
  MemorySystem system;
  add_docker_without_gpu(system);
  const Facts facts = collected(kKernelModules, system);
  EXPECT_EQ(facts.driver.module.value().version, "550.54.14");
  EXPECT_FALSE(facts.driver.module.value().open_module.value());
}

TEST(KernelModules, NouveauLaptopHasNone) {
  MemorySystem system;
  add_nouveau_laptop(system);
  const Facts facts = collected(kKernelModules, system);
  EXPECT_EQ(facts.driver.module.state(), Fact<KernelModule>::State::absent);
  EXPECT_TRUE(facts.driver.nouveau_loaded.value());
  EXPECT_FALSE(facts.driver.uvm_loaded.value());
  ASSERT_TRUE(facts.driver.module_files.known());
  EXPECT_TRUE(facts.driver.module_files.value().empty());
}

TEST(KernelModules, WithoutProcNothingIsSaid) {
  MemorySystem system;
  const Facts facts = collected(kKernelModules, system);
  EXPECT_EQ(facts.driver.module.state(), Fact<KernelModule>::State::unknown);
  EXPECT_EQ(facts.driver.uvm_loaded.state(), Fact<bool>::State::unknown);
}

TEST(KernelModules, LoadedModuleWithHiddenVersionIsUnknown) {
  MemorySystem system;
  add_kernel(system, "nvidia 1 0 - Live 0x0\n");
  EXPECT_EQ(collected(kKernelModules, system).driver.module.state(),
            Fact<KernelModule>::State::unknown);
  system.add_file("/sys/module/nvidia/version", "535.183.01\n");
  EXPECT_EQ(collected(kKernelModules, system).driver.module.value().version, "535.183.01");
}

TEST(KernelModules, OddVersionFilesAreUnknown) {
  for (const std::string& text :
       {std::string(), std::string("NVRM version: \n"), std::string(4'096, 'x'),
        std::string("NVRM version: NVIDIA UNIX x86_64 Kernel Module  \x1b[31m\n"),
        "NVRM version: Kernel Module " + std::string(3'000, '9') + ".1\n",
        std::string("NVRM version: Kernel Module 99999999999999999.9\n")}) {
    MemorySystem system;
    system.add_file("/proc/driver/nvidia/version", text);
    EXPECT_EQ(collected(kKernelModules, system).driver.module.state(),
              Fact<KernelModule>::State::unknown);
  }
}

TEST(KernelModules, FindsModuleFilesWhereverDistributionsPutThem) {
  MemorySystem system;
  system.set_identity(identity_of("6.8.0-40-generic"));
  const std::string base = "/lib/modules/6.8.0-40-generic/";
  const Strings places{base + "updates/dkms/nvidia.ko.zst", base + "updates/dkms/nvidia-current.ko",
                       base + "extra/nvidia.ko.xz", base + "kernel/drivers/video/nvidia.ko",
                       base + "kernel/nvidia-550-open/nvidia.ko"};
  for (const auto& place : places) system.add_file(place);
  for (const char* name : {"nvidia-uvm.ko", "nvidia-drm.ko", "nvidia-current-uvm.ko",
                           "nvidia.ko.bak", "nvidiafb.ko", "xnvidia.ko"}) {
    system.add_file(base + "updates/dkms/" + name);
  }
  auto files = collected(kKernelModules, system).driver.module_files.value();
  std::sort(files.begin(), files.end());
  auto wanted = places;
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(files, wanted);
}

TEST(KernelModules, ModulesDepNamesTheRest) {
  MemorySystem system;
  system.set_identity(identity_of("6.9.1"));
  system.add_file("/lib/modules/6.9.1/modules.dep",
                  "own/place/nvidia.ko.gz: kernel/x.ko\ngone/nvidia.ko:\n");
  system.add_file("/lib/modules/6.9.1/own/place/nvidia.ko.gz");
  EXPECT_EQ(collected(kKernelModules, system).driver.module_files.value(),
            Strings{"/lib/modules/6.9.1/own/place/nvidia.ko.gz"});
}

TEST(KernelModules, RunningKernelWasRemovedByAnUpdate) {
  MemorySystem system;
  system.set_identity(identity_of("6.9.1-arch1-1"));
  system.add_file("/lib/modules/6.10.0-arch1-1/modules.dep", "");
  const auto files = collected(kKernelModules, system).driver.module_files;
  EXPECT_EQ(files.state(), Files::State::absent);
  EXPECT_NE(files.reason().find("6.10.0"), std::string::npos);
}

TEST(KernelModules, DkmsTreesBuiltAndNot) {
  MemorySystem system;
  system.set_identity(identity_of("6.8.0"));
  const std::string tree = "/var/lib/dkms/nvidia/";
  system.add_file(tree + "550.54.14/6.5.0-14-generic/x86_64/module/nvidia.ko");
  system.add_file(tree + "550.54.14/build/make.log");
  system.add_link(tree + "550.54.14/source", "/usr/src/nvidia-550.54.14");
  system.add_file(tree + "560.35.03/build/make.log");
  system.add_link(tree + "kernel-6.5.0-14-generic-x86_64", "550.54.14/6.5.0-14-generic/x86_64");
  system.add_file("/var/lib/dkms/zfs/2.2/6.8.0/x86_64/module/zfs.ko");
  EXPECT_EQ(collected(kKernelModules, system).driver.dkms.value(),
            (Strings{"nvidia/550.54.14 (6.5.0-14-generic)", "nvidia/560.35.03 (not built)"}));
}

} // namespace
} // namespace gpuwhy
