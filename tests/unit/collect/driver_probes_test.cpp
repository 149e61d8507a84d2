#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Cuda = Fact<CudaProbe>;
using Nvml = Fact<NvmlProbe>;

const std::string kH100Cuda =
    R"({"schema":"gpuwhy.probe.cuda/1","library":"/usr/local/nvidia/lib64/libcuda.so.580.159.04",)"
    R"("driver_version":13000,"init":0,"init_name":"CUDA_SUCCESS","count":1,"devices":[{"ordinal":0,)"
    R"("name":"NVIDIA H100 80GB HBM3","uuid":"GPU-00000000-1111-2222-3333-444444444444",)"
    R"("pci":"0000:00:06.0","compute_capability":"9.0","multiprocessors":132,"memory":85017493504,)"
    R"("compute_mode":0,"integrated":0}]})";

const std::string kH100Nvml =
    R"({"schema":"gpuwhy.probe.nvml/1","library":"/usr/local/nvidia/lib64/libnvidia-ml.so.580.159.04",)"
    R"("init":0,"init_name":"NVML_SUCCESS","driver_version":"580.159.04","cuda_version":13000,)"
    R"("count":1,"devices":[{"index":0,"name":"NVIDIA H100 80GB HBM3","uuid":"GPU-0","pci":"0000:00:06.0",)"
    R"("compute_capability":"9.0","memory_total":85520809984,"memory_used":0,"memory_free":85017493504,)"
    R"("compute_mode":0,"mig_mode":0,"ecc_mode":1,"ecc_uncorrected":0,)"
    R"("processes":[{"pid":17,"memory":1048576},{"pid":18},{"pid":-1.5}]}]})";

ProcessResult printed(std::string output) {
  ProcessResult result;
  result.output = std::move(output);
  return result;
}

Observed observed_with(const std::string& cuda, const std::string& nvml = "") {
  MemorySystem system;
  system.set_probe("cuda_init", printed(cuda));
  system.set_probe("nvml", printed(nvml));
  return collected(kDriverProbes, system).observed;
}

TEST(DriverProbes, H100) {
  const auto observed = observed_with(kH100Cuda + "\n", kH100Nvml + "\n");
  const auto& cuda = observed.cuda.value();
  EXPECT_EQ(cuda.init, 0);
  EXPECT_EQ(cuda.driver_version, 13000);
  ASSERT_EQ(cuda.devices.size(), 1U);
  EXPECT_EQ(cuda.devices[0].compute_capability.sm(), "sm_90");
  EXPECT_EQ(cuda.devices[0].memory, 85017493504U);
  EXPECT_EQ(cuda.devices[0].compute_mode.value_or(-1), 0);
  EXPECT_FALSE(cuda.devices[0].integrated.value());
  EXPECT_EQ(observed.cuda_unhidden.value().count, 1);
  const auto& nvml = observed.nvml.value();
  EXPECT_EQ(nvml.driver_version, "580.159.04");
  ASSERT_EQ(nvml.devices.size(), 1U);
  EXPECT_EQ(nvml.devices[0].memory_total.value(), 85520809984U);
  EXPECT_FALSE(nvml.devices[0].mig.value());
  EXPECT_TRUE(nvml.devices[0].ecc.value());
  ASSERT_EQ(nvml.devices[0].processes.value().size(), 2U);
  EXPECT_EQ(nvml.devices[0].processes.value()[0].pid, 17);
}

TEST(DriverProbes, NotAskedForIsNotLooked) {
  MemorySystem system;
  Scope scope;
  scope.probes = false;
  EXPECT_EQ(collected(kDriverProbes, system, scope).observed.cuda.state(), Cuda::State::not_looked);
  EXPECT_EQ(system.touched("cuda_init"), 0);
}

TEST(DriverProbes, OneRunUnlessAVariableHides) {
  MemorySystem system;
  system.set_probe("cuda_init", printed(kH100Cuda));
  system.set_environment({{"PATH", "/bin"}});
  collected(kDriverProbes, system);
  EXPECT_EQ(system.touched("cuda_init"), 1);
  EXPECT_EQ(system.touched("nvml"), 1);
  system.set_environment(
      {{"PATH", "/bin"}, {"CUDA_VISIBLE_DEVICES", ""}, {"CUDA_DEVICE_ORDER", "x"}});
  collected(kDriverProbes, system);
  EXPECT_EQ(system.touched("cuda_init"), 3);
  EXPECT_EQ(system.probe_environment("cuda_init"), (Environment{{"PATH", "/bin"}}));
  EXPECT_EQ(system.probe_environment("nvml").count("CUDA_VISIBLE_DEVICES"), 1U);
}

TEST(DriverProbes, HangsAreToldAndNotRepeated) {
  MemorySystem system;
  ProcessResult hung;
  hung.timed_out = true;
  hung.signal = 9;
  system.set_probe("cuda_init", hung);
  system.set_probe("nvml", hung);
  system.set_variable("CUDA_VISIBLE_DEVICES", "0");
  const auto observed = collected(kDriverProbes, system).observed;
  EXPECT_EQ(observed.cuda.reason(), "the driver did not answer cuInit within 10 s");
  EXPECT_EQ(observed.cuda_unhidden.reason(), observed.cuda.reason());
  EXPECT_EQ(observed.nvml.reason(), "the driver did not answer nvmlInit within 5 s");
  EXPECT_EQ(system.touched("cuda_init"), 1);
}

TEST(DriverProbes, CrashesNameTheSignal) {
  MemorySystem system;
  ProcessResult crashed;
  crashed.signal = 11;
  system.set_probe("cuda_init", crashed);
  const auto observed = collected(kDriverProbes, system).observed;
  EXPECT_NE(observed.cuda.reason().find("SIGSEGV"), std::string::npos);
  EXPECT_EQ(observed.nvml.state(), Nvml::State::unknown); // no such probe in this build
}

TEST(DriverProbes, WithoutALibraryTheLoaderSpeaks) {
  const auto observed = observed_with(
      R"({"schema":"gpuwhy.probe.cuda/1","load_error":"libcuda.so.1: cannot open shared object file"})");
  ASSERT_TRUE(observed.cuda.known());
  EXPECT_TRUE(observed.cuda.value().library.empty());
  EXPECT_NE(observed.cuda.value().load_error.find("cannot open"), std::string::npos);
}

TEST(DriverProbes, CodesGetTheirNamesFromTheTable) {
  const auto observed = observed_with(
      R"({"schema":"gpuwhy.probe.cuda/1","library":"/x","init":803,"driver_version":13000})",
      R"({"schema":"gpuwhy.probe.nvml/1","library":"/y","init":18})");
  EXPECT_EQ(observed.cuda.value().init_name, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
  EXPECT_EQ(observed.nvml.value().init_name, "NVML_ERROR_LIB_RM_VERSION_MISMATCH");
}

TEST(DriverProbes, ALostGpuKeepsItsError) {
  const auto observed =
      observed_with("", R"({"schema":"gpuwhy.probe.nvml/1","library":"/y","init":0,"devices":[)"
                        R"({"index":0,"error":15,"error_name":"NVML_ERROR_GPU_IS_LOST"}]})");
  EXPECT_EQ(observed.nvml.value().devices[0].error.value_or(0), 15);
  EXPECT_FALSE(observed.nvml.value().devices[0].memory_total.known());
}

TEST(DriverProbes, GarbageIsUnknownWithAReason) {
  for (const std::string& output :
       {std::string(), std::string("hello"), std::string("{"), std::string("[]"),
        std::string("null"), std::string("{}"), std::string(R"({"schema":1})"),
        std::string(R"({"schema":"other"})"), std::string(R"({"schema":"gpuwhy.probe.cuda/1"})"),
        std::string(R"({"schema":"gpuwhy.probe.cuda/1","library":"/x"})"),
        std::string(R"({"schema":"gpuwhy.probe.cuda/1","init":"0"})"),
        std::string(R"({"schema":"gpuwhy.probe.cuda/1","init":1e400})"),
        std::string(R"({"schema":"gpuwhy.probe.cuda/1","init":99999999999999999999})"),
        std::string(R"({"schema":"gpuwhy.probe.cuda/1","init":-9223372036854775808})"),
        std::string("{\"schema\":\"gpuwhy.probe.cuda/1\",\"init\":0,\"x\":\"\xff\"}"),
        std::string(200'000, '['), "{\"a\":" + std::string(200'000, '['),
        std::string(1'000, '\0')}) {
    const auto observed = observed_with(output);
    EXPECT_EQ(observed.cuda.state(), Cuda::State::unknown) << printable(output).substr(0, 80);
    EXPECT_FALSE(observed.cuda.reason().empty());
  }
}

TEST(DriverProbes, WrongTypesCostOnlyTheirField) {
  const auto observed = observed_with(
      R"({"schema":"gpuwhy.probe.cuda/1","library":[],"init":100,"init_name":{},"driver_version":"x",)"
      R"("count":1e9,"devices":[null,3,"x",[],{"ordinal":"0","name":7,"uuid":null,"pci":{},)"
      R"("compute_capability":"9","multiprocessors":-1.0,"memory":-5},{"compute_capability":"9.999"},)"
      R"({"name":"\u001b[2J"}]})");
  const auto& cuda = observed.cuda.value();
  EXPECT_EQ(cuda.init, 100);
  EXPECT_EQ(cuda.init_name, "CUDA_ERROR_NO_DEVICE");
  ASSERT_EQ(cuda.devices.size(), 3U);
  EXPECT_EQ(cuda.devices[0].memory, 0U);
  EXPECT_EQ(cuda.devices[2].name.find('\x1b'), std::string::npos);
}

TEST(DriverProbes, LoadLinksAndInstances) {
  // The first device as one of two H200 answered (driver 580.159.04), its load and instances made
  // up.
  const auto observed = observed_with(
      "",
      R"({"schema":"gpuwhy.probe.nvml/1","init":0,"devices":[{"index":0,"utilization_gpu":37,)"
      R"("temperature":36,"pcie_generation":5,"pcie_lanes":16,"pcie_lanes_now":8,"nvlinks":18,)"
      R"("nvlink_version":6,"neighbours":[{"index":1,"level":30,"nvlink":1},{"index":"x"},7],)"
      R"("instances":[{"uuid":"MIG-a","memory_total":10,"memory_free":9},3]},{"temperature":"hot"}]})");
  const auto& devices = observed.nvml.value().devices;
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].utilization.value(), 37);
  EXPECT_EQ(devices[0].temperature.value(), 36);
  EXPECT_EQ(devices[0].pcie_generation.value(), 5);
  EXPECT_EQ(devices[0].pcie_lanes.value(), 16);
  EXPECT_EQ(devices[0].pcie_lanes_now.value(), 8);
  EXPECT_EQ(devices[0].nvlinks.value(), 18);
  EXPECT_EQ(devices[0].nvlink_version.value(), 6);
  ASSERT_EQ(devices[0].neighbours.size(), 1U);
  EXPECT_TRUE(devices[0].neighbours[0].nvlink);
  EXPECT_EQ(devices[0].neighbours[0].level, 30);
  ASSERT_EQ(devices[0].instances.size(), 1U);
  EXPECT_EQ(devices[0].instances[0].memory_free, 9U);
  EXPECT_FALSE(devices[1].temperature.known());
  EXPECT_TRUE(devices[1].neighbours.empty());
}

TEST(DriverProbes, ListsAreBounded) {
  std::string devices = "{}";
  for (int i = 0; i < 2'000; ++i) devices += ",{}";
  const auto observed =
      observed_with(R"({"schema":"gpuwhy.probe.cuda/1","init":0,"devices":[)" + devices + "]}");
  EXPECT_EQ(observed.cuda.value().devices.size(), 256U);
}

} // namespace
} // namespace gpuwhy
