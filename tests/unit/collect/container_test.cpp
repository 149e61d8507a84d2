#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

std::string container_of(MemorySystem& system) {
  return collected(kContainer, system).access.container.value_or("-");
}

TEST(Container, H100SaysDockerAndMountsItsDriver) {
  MemorySystem system;
  add_h100(system);
  const Facts facts = collected(kContainer, system);
  EXPECT_EQ(facts.access.container.value_or(""), "docker");
  EXPECT_EQ(facts.access.container.source().where, "/.dockerenv");
  EXPECT_EQ(facts.access.driver_mounts.value(), std::vector<std::string>{"/usr/local/nvidia"});
  EXPECT_EQ(facts.access.wsl.state(), Fact<std::string>::State::absent);
  EXPECT_FALSE(facts.access.dxg.value());
}

TEST(Container, DockerWithoutGpuHasNoDriverMounts) {
  MemorySystem system;
  add_docker_without_gpu(system);
  const Facts facts = collected(kContainer, system);
  EXPECT_EQ(facts.access.container.value_or(""), "docker");
  ASSERT_TRUE(facts.access.driver_mounts.known());
  EXPECT_TRUE(facts.access.driver_mounts.value().empty());
}

TEST(Container, PlainMachineIsNone) {
  MemorySystem system;
  add_nouveau_laptop(system);
  EXPECT_EQ(collected(kContainer, system).access.container.state(),
            Fact<std::string>::State::absent);
}

TEST(Container, HostWithContainersIsNone) {
  MemorySystem system;
  add_kernel(system, "");
  system.add_file("/proc/self/mountinfo",
                  "90 27 0:50 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw\n"
                  "27 1 254:0 / / rw - ext4 /dev/vda rw\n");
  EXPECT_EQ(container_of(system), "-");
}

TEST(Container, NothingReadableIsUnknown) {
  MemorySystem system;
  EXPECT_EQ(collected(kContainer, system).access.container.state(),
            Fact<std::string>::State::unknown);
}

TEST(Container, EachKindByItsMark) {
  const auto with = [](auto change) {
    MemorySystem system;
    add_kernel(system, "");
    change(system);
    return container_of(system);
  };
  EXPECT_EQ(with([](auto& s) { s.add_file("/run/.containerenv"); }), "podman");
  EXPECT_EQ(with([](auto& s) { s.set_variable("APPTAINER_CONTAINER", "/x.sif"); }), "apptainer");
  EXPECT_EQ(with([](auto& s) { s.set_variable("SINGULARITY_CONTAINER", "/x.sif"); }), "apptainer");
  EXPECT_EQ(with([](auto& s) { s.set_variable("KUBERNETES_SERVICE_HOST", "10.0.0.1"); }),
            "kubernetes");
  EXPECT_EQ(with([](auto& s) { s.add_file("/run/systemd/container", "systemd-nspawn\n"); }),
            "systemd-nspawn");
  EXPECT_EQ(
      with([](auto& s) { s.add_file("/proc/1/environ", std::string("A=1\0container=lxc\0", 18)); }),
      "lxc");
  EXPECT_EQ(with([](auto& s) { s.add_file("/proc/1/cgroup", "4:cpu:/kubepods/pod1/2\n"); }),
            "kubernetes");
  EXPECT_EQ(
      with([](auto& s) { s.add_file("/proc/1/cgroup", "0::/system.slice/docker-0123.scope\n"); }),
      "docker");
  EXPECT_EQ(with([](auto& s) { s.add_file("/run/systemd/container", "wsl\n"); }), "-");
}

TEST(Container, MountsOfAContainerWithGpu) {
  MemorySystem system;
  system.add_file(
      "/proc/self/mountinfo",
      "1 0 0:50 / / rw - overlay overlay rw\n"
      "2 1 8:1 /a /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14 ro - ext4 /dev/sda1 ro\n"
      "3 1 8:1 /b /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.14 ro - ext4 x ro\n"
      "4 1 8:1 /c /usr/bin/nvidia-smi ro - ext4 x ro\n"
      "5 1 0:5 /nvidia0 /dev/nvidia0 ro - devtmpfs udev rw\n"
      "6 1 0:5 /d /opt/with\\040blank/libcuda.so.1 ro - ext4 x ro\n"
      "7 1 short\n\\\n\\04\n");
  EXPECT_EQ(collected(kContainer, system).access.driver_mounts.value(),
            (std::vector<std::string>{"/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14",
                                      "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.14",
                                      "/usr/bin/nvidia-smi", "/opt/with blank/libcuda.so.1"}));
}

TEST(Container, Wsl) {
  MemorySystem second;
  add_wsl2(second);
  const Facts facts = collected(kContainer, second);
  EXPECT_EQ(facts.access.wsl.value_or(""), "2");
  EXPECT_TRUE(facts.access.dxg.value());
  EXPECT_EQ(facts.access.wsl_driver.value_or(""), "/usr/lib/wsl/lib/libcuda.so.1");
  EXPECT_EQ(facts.access.container.state(), Fact<std::string>::State::absent);

  MemorySystem first;
  first.set_identity(identity_of("4.4.0-19041-Microsoft"));
  EXPECT_EQ(collected(kContainer, first).access.wsl.value_or(""), "1");
  EXPECT_EQ(collected(kContainer, first).access.wsl_driver.state(),
            Fact<std::string>::State::absent);

  MemorySystem own_kernel;
  own_kernel.add_device("/dev/dxg", 0666, 10, 125);
  own_kernel.add_directory("/usr/lib/wsl/lib");
  EXPECT_EQ(collected(kContainer, own_kernel).access.wsl.value_or(""), "2");
}

TEST(Container, HostileMountsAreBounded) {
  MemorySystem system;
  std::string mounts;
  for (int i = 0; i < 500; ++i) mounts += "1 2 3 / /x\x1b[2J/libcuda.so.1 - a b c\n";
  system.add_file("/proc/self/mountinfo", mounts + std::string(100'000, ' '));
  const auto found = collected(kContainer, system).access.driver_mounts.value();
  EXPECT_EQ(found.size(), 64U);
  EXPECT_EQ(found[0].find('\x1b'), std::string::npos);
}

} // namespace
} // namespace gpuwhy
