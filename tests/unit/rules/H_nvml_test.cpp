// TensorFlow 2.21 lists no GPU without NVML, and what else the driver says that no rule explains.
#include "judge/judge.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

/// The bench's machine with the release that opens libnvidia-ml.so.1, and that library.
struct NvmlBench : Bench {
  NvmlBench() {
    framework().version = Fact<std::string>::known("2.21.0");
    const std::string path = kSystemLibraries + "/libnvidia-ml.so.1";
    add_cached(path);
    DriverLibrary driver;
    driver.path = path;
    driver.real_path = kSystemLibraries + "/libnvidia-ml.so.550.54.14";
    driver.version = Fact<std::string>::known("550.54.14");
    driver.size = 2'000'000;
    facts.driver.libnvidia_ml = Fact<std::vector<DriverLibrary>>::known({driver});
    answer(0);
  }
  void answer(int init) {
    NvmlProbe probe;
    probe.init = init;
    facts.observed.nvml = Fact<NvmlProbe>::known(probe, {"probe nvml", 0});
  }
  void remove() {
    edit::remove_library(facts, kSystemLibraries + "/libnvidia-ml.so.1");
    std::erase_if(facts.libraries.cache.value(),
                  [](const CacheEntry& entry) { return entry.soname == "libnvidia-ml.so.1"; });
    facts.driver.libnvidia_ml =
        Fact<std::vector<DriverLibrary>>::known({}, {"library directories", 0});
    NvmlProbe probe;
    probe.load_error =
        "libnvidia-ml.so.1: cannot open shared object file: No such file or directory";
    facts.observed.nvml = Fact<NvmlProbe>::known(probe, {"probe nvml", 0});
  }
  FrameworkVerdict verdict() const { return judge(facts).frameworks.front(); }
};

TEST(Nvml, IsOpenedByTheNewestReleaseOnly) {
  EXPECT_TRUE(tensorflow_opens_nvml("2.21.0"));
  EXPECT_FALSE(tensorflow_opens_nvml("2.18.1"));
  for (const auto& wanted : tensorflow_libraries("2.21.0", "12.5", "9.3"))
    EXPECT_NE(wanted.product, "nvidia-ml");
}

TEST(Nvml, AMachineThatHasItIsHealthy) {
  EXPECT_TRUE(NvmlBench().verdict().causes.empty());
  EXPECT_EQ(NvmlBench().state("H18"), Outcome::State::clear);
}

TEST(Nvml, MissingBesideARunningModuleIsHalfADriver) {
  NvmlBench bench;
  bench.remove();
  const auto verdict = bench.verdict();
  EXPECT_EQ(verdict.answer, Usable::no_gpu);
  ASSERT_EQ(verdict.causes.size(), 1U);
  EXPECT_EQ(verdict.causes.front().id, "H03");
  ASSERT_TRUE(verdict.causes.front().fix);
  EXPECT_EQ(verdict.causes.front().fix->commands.front(), "sudo apt install libnvidia-compute-550");
  EXPECT_TRUE(verdict.causes.front().fix->verified);
}

TEST(Nvml, MissingDoesNotMatterToAReleaseThatDoesNotOpenIt) {
  NvmlBench bench;
  bench.remove();
  bench.framework().version = Fact<std::string>::known("2.18.0");
  EXPECT_TRUE(bench.verdict().causes.empty());
}

TEST(Nvml, LeftOutOfAContainerByItsCapabilities) {
  NvmlBench bench;
  bench.remove();
  bench.facts.access.container = Fact<std::string>::known("docker", {"/.dockerenv", 0});
  DeviceNode node;
  node.path = "/dev/nvidiactl";
  node.usable = Fact<bool>::known(true);
  bench.facts.access.nodes = Fact<std::vector<DeviceNode>>::known({node});
  set_variable(bench.facts, "NVIDIA_DRIVER_CAPABILITIES", "compute");
  const auto outcome = bench.ask("C02");
  ASSERT_EQ(outcome.state, Outcome::State::found);
  EXPECT_TRUE(contains(outcome.text, "\"utility\" is missing"));
  EXPECT_TRUE(bench.first_edit_mends("C02"));
}

TEST(Nvml, ThatDoesNotStartIsTheDriversOwnWord) {
  NvmlBench bench;
  bench.answer(999);
  const auto verdict = bench.verdict();
  EXPECT_EQ(verdict.answer, Usable::no_gpu);
  ASSERT_FALSE(verdict.causes.empty());
  EXPECT_EQ(verdict.causes.front().id, "H18");
}

TEST(CuinitOther, IsFoundOnlyIfNothingElseExplainsTheFailure) {
  Bench bench;
  auto& probe = bench.facts.observed.cuda_unhidden.value();
  probe.init = 101;
  probe.count = 0;
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden;
  const auto alone = judge(bench.facts).frameworks.front();
  EXPECT_EQ(alone.answer, Usable::no_gpu);
  ASSERT_FALSE(alone.causes.empty());
  EXPECT_EQ(alone.causes.front().id, "H18");
  EXPECT_TRUE(contains(alone.causes.front().summary, "101, CUDA_ERROR_INVALID_DEVICE"));

  bench.facts.driver.module.value().version = "535.54.03"; // the library is 550.54.14
  const auto explained = judge(bench.facts).frameworks.front();
  ASSERT_FALSE(explained.causes.empty());
  EXPECT_EQ(explained.causes.front().id, "H05");
}

TEST(CuinitOther, IsUnknownIfTheDriverDidNotAnswerAndClearIfItDid) {
  Bench bench;
  EXPECT_EQ(bench.state("H18"), Outcome::State::clear);
  bench.facts.observed.cuda =
      Fact<CudaProbe>::unknown("the driver did not answer cuInit within 10 s");
  bench.facts.observed.cuda_unhidden = bench.facts.observed.cuda;
  EXPECT_EQ(bench.state("H18"), Outcome::State::unknown);
  bench.facts.observed.cuda_unhidden = bench.facts.observed.cuda = {};
  EXPECT_EQ(bench.state("H18"), Outcome::State::not_applicable);
}

TEST(LibraryNotOnPath, TheDriversOwnLibraryIsOnTheDiskButNotInTheCache) {
  Bench bench;
  const std::string directory = "/usr/local/nvidia/lib64";
  bench.facts.libraries.cache.value().clear();
  edit::remove_library(bench.facts, kSystemLibraries + "/libcuda.so.1");
  bench.add(directory + "/libcuda.so.1");
  bench.facts.driver.libcuda.value().front().path = directory + "/libcuda.so.1";
  bench.facts.libraries.configured_directories = {directory};
  CudaProbe probe;
  probe.load_error = "libcuda.so.1: cannot open shared object file: No such file or directory";
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden = Fact<CudaProbe>::known(probe);
  const auto verdict = judge(bench.facts).frameworks.front();
  ASSERT_FALSE(verdict.causes.empty());
  EXPECT_EQ(verdict.causes.front().id, "L05");
  EXPECT_EQ(verdict.causes.front().fix->commands.front(), "sudo ldconfig");
  EXPECT_TRUE(verdict.causes.front().fix->verified);
  EXPECT_EQ(verdict.causes.size(), 1U);
}

} // namespace
} // namespace gpuwhy::test
