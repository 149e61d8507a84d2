// L04 L11 L08: the right name, and not the right thing behind it.
#include "rules/L_libraries/wheels.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;
using Status = LibraryFile::Status;
using Ids = std::vector<std::string>;

void set_cudnn(Bench& bench, const std::string& version) {
  for (auto& [path, file] : bench.facts.libraries.files) {
    if (contains(path, "/nvidia/cudnn/"))
      file.version = Fact<std::string>::known(version, {path, 0});
  }
  edit::install_distribution(bench.python(), distribution("nvidia-cudnn-cu12", version));
}

TEST(L04, an_older_minor_breaks) {
  Bench bench;
  set_cudnn(bench, "9.1.0.70");
  const auto outcome = bench.ask("L04");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(rule("L04").effect, Effect::breaks);
  EXPECT_EQ(bench.found("FLE"), Ids{"L04"});
  EXPECT_TRUE(contains(outcome.text, "9.1.0.70") && contains(outcome.text, "9.3")) << outcome.text;
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "nvidia-cudnn-cu12==9.3.0.75"));
  EXPECT_TRUE(bench.first_edit_mends("L04"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L04, a_later_minor_and_another_patch_are_fine) {
  for (const auto* version : {"9.5.1.17", "9.3.0.1", "9.3.9"}) {
    Bench bench;
    set_cudnn(bench, version);
    EXPECT_EQ(bench.state("L04"), State::clear) << version;
    EXPECT_EQ(bench.found("FLE"), Ids{}) << version;
  }
}

TEST(L04, an_older_one_in_front) {
  Bench bench;
  bench.add("/usr/local/cuda-12.4/lib64/libcudnn.so.9", Status::good, {}, "9.0.0");
  bench.library_path("/opt/x:/usr/local/cuda-12.4/lib64");
  bench.facts.libraries.directories["/opt/x"] = {.path = "/opt/x",
                                                 .status = LibraryDirectory::Status::absent,
                                                 .names = {},
                                                 .capabilities = {},
                                                 .origin = {}};
  EXPECT_EQ(bench.found("FLE"), Ids{"L04"});
  const auto outcome = bench.ask("L04");
  EXPECT_TRUE(contains(outcome.edits.front().words, "/usr/local/cuda-12.4/lib64"))
      << outcome.edits.front().words;
  EXPECT_EQ(outcome.edits.front().commands.front(), "export LD_LIBRARY_PATH=/opt/x");
  EXPECT_TRUE(bench.first_edit_mends("L04"));
}

TEST(L04, a_build_that_tells_its_minor) {
  Bench bench;
  bench.build().cudnn_version = Fact<std::string>::known("9.6.0");
  EXPECT_EQ(bench.state("L04"), State::found);
}

TEST(L04, unknown_without_a_version) {
  Bench bench;
  for (auto& [path, file] : bench.facts.libraries.files) {
    if (contains(path, "cudnn")) file.version = Fact<std::string>::unknown("stripped");
  }
  EXPECT_EQ(bench.state("L04"), State::clear); // the wheel tells it
  edit::uninstall_distribution(bench.python(), "nvidia-cudnn-cu12");
  EXPECT_EQ(bench.state("L04"), State::unknown);
}

TEST(L04, parts_of_another_version) {
  Bench bench;
  bench.add("/opt/old/libcudnn_ops.so.9", Status::good, {}, "9.1.0");
  bench.library_path("/opt/old");
  const auto outcome = bench.ask("L04");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "mixed")) << outcome.text;
  EXPECT_TRUE(bench.first_edit_mends("L04"));
}

/// cuDNN 9 asks for its exact version first, and finds its own.
TEST(L04, parts_with_exact_names_are_not_mixed) {
  Bench bench;
  bench.add("/opt/old/libcudnn_ops.so.9", Status::good, {}, "9.1.0");
  bench.add(kSite + "/nvidia/cudnn/lib/libcudnn_ops.so.9.3.0", Status::good, {}, "9.3.0");
  bench.library_path("/opt/old");
  EXPECT_EQ(bench.state("L04"), State::clear);
}

TEST(L11, another_major_in_the_wheel) {
  Bench bench;
  bench.remove_wheel("cudnn");
  edit::install_distribution(bench.python(), distribution("nvidia-cudnn-cu12", "8.9.7.29"));
  bench.add(kSite + "/nvidia/cudnn/lib/libcudnn.so.8", Status::good, {}, "8.9.7.29");
  EXPECT_EQ(bench.found("FLE"), Ids{"L11"});
  const auto outcome = bench.ask("L11");
  EXPECT_TRUE(contains(outcome.text, "nvidia-cudnn-cu12 8.9.7.29")) << outcome.text;
  EXPECT_TRUE(bench.first_edit_mends("L11"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L11, nvjitlink_older_than_cusparse) {
  Bench bench;
  edit::install_distribution(bench.python(), distribution("nvidia-nvjitlink-cu12", "12.1.105"));
  EXPECT_EQ(bench.found("FLE"), Ids{"L11"});
  EXPECT_TRUE(bench.first_edit_mends("L11"));
}

TEST(L11, harmless_deviations_are_clear) {
  Bench bench;
  edit::install_distribution(bench.python(), distribution("nvidia-cublas-cu12", "12.8.4.1"));
  edit::install_distribution(bench.python(), distribution("nvidia-nvjitlink-cu12", "12.8.93"));
  const auto outcome = bench.ask("L11");
  EXPECT_EQ(outcome.state, State::clear);
  EXPECT_TRUE(contains(outcome.text, "nvidia-cublas-cu12 12.8.4.1")) << outcome.text;
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L11, wheels_for_another_cuda_beside_the_right_ones) {
  Bench bench;
  edit::install_distribution(bench.python(), distribution("nvidia-cudnn-cu13", "9.12.0"));
  bench.add(kSite + "/nvidia/cu13/lib/libcudart.so.13");
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L11, unknown_where_the_search_is_open) {
  Bench bench;
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cufft/lib");
  EXPECT_EQ(bench.state("L11"), State::unknown);
}

TEST(Pins, specifiers) {
  using rules::satisfies;
  EXPECT_EQ(satisfies("9.3.0.75", "==9.3.0.75"), true);
  EXPECT_EQ(satisfies("9.3.0.75", "==9.3.0"), false);
  EXPECT_EQ(satisfies("12.8.4.1", ">=12.5.3.2,<13.0"), true);
  EXPECT_EQ(satisfies("13.0.0", ">=12.5.3.2,<13.0"), false);
  EXPECT_EQ(satisfies("12.5", ">12.5"), false);
  EXPECT_EQ(satisfies("12.5", "!=12.5.0"), false);
  EXPECT_EQ(satisfies("8.6.0.163", "==8.6.*"), true);
  EXPECT_EQ(satisfies("8.7", "==8.6.*"), false);
  EXPECT_EQ(satisfies("", ">=1"), std::nullopt);
  EXPECT_EQ(satisfies("1.0", "~=1.0"), std::nullopt);
  EXPECT_EQ(satisfies("1.0", ""), std::nullopt);
}

void stub_answers(Bench& bench, const std::string& path) {
  CudaProbe probe;
  probe.library = path;
  probe.init = 34;
  probe.init_name = "CUDA_ERROR_STUB_LIBRARY";
  bench.facts.observed.cuda_unhidden = Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden;
}

TEST(L08, a_stub_through_ld_library_path) {
  Bench bench;
  bench.add("/usr/local/cuda/lib64/stubs/libcuda.so.1");
  bench.library_path("/usr/local/cuda/lib64/stubs");
  stub_answers(bench, "/usr/local/cuda/lib64/stubs/libcuda.so.1");
  EXPECT_EQ(bench.found("FLE"), Ids{"L08"});
  EXPECT_TRUE(bench.first_edit_mends("L08"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L08, a_stub_in_the_cache_known_by_its_size) {
  Bench bench;
  edit::remove_library(bench.facts, kSystemLibraries + "/libcuda.so.1");
  auto stub = library("/usr/local/nvidia/lib64/libcuda.so.1");
  stub.size = 70'368;
  add_file(bench.facts, stub);
  add_file(bench.facts, library(kSystemLibraries + "/libcuda.so.1"));
  bench.facts.libraries.cache.value() = {{"libcuda.so.1", stub.path, {}}};
  bench.facts.observed = {};
  EXPECT_EQ(bench.found("FLE"), Ids{"L08"});
  EXPECT_TRUE(bench.first_edit_mends("L08"));
}

TEST(L08, the_probe_alone_tells) {
  Bench bench;
  stub_answers(bench, "");
  EXPECT_EQ(bench.state("L08"), State::found);
}

TEST(L08, unknown_where_nobody_looked) {
  Bench bench;
  bench.facts.observed = {};
  bench.facts.libraries.cache = {};
  EXPECT_EQ(bench.state("L08"), State::unknown);
}

TEST(L08, a_driver_is_no_stub) {
  Bench bench;
  bench.facts.observed = {};
  EXPECT_EQ(bench.state("L08"), State::clear);
}

} // namespace
} // namespace gpuwhy::test
