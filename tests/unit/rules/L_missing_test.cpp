// L01 L02 L03 L09: a library that the loader does not find.
#include "rules/L_libraries/wheels.h"
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;
using Ids = std::vector<std::string>;

std::string all_evidence(const Outcome& outcome) {
  std::string text = outcome.text;
  for (const auto& evidence : outcome.evidence)
    text += "\n" + evidence.text + " @" + evidence.source.str();
  return text;
}

TEST(Healthy, nothing_is_found_and_nothing_is_open) {
  const Bench bench;
  EXPECT_EQ(bench.found("FLE"), Ids{});
  for (const auto* rule : all_rules()) {
    if (!contains("FLE", rule->id.substr(0, 1))) continue;
    const auto outcome = rule->check(case_of(bench.facts));
    EXPECT_TRUE(outcome.state == State::clear || outcome.state == State::not_applicable)
        << rule->id << " " << outcome.text;
    EXPECT_EQ(outcome.text.empty(), outcome.state != State::clear) << rule->id;
  }
}

TEST(Texts, are_there_and_plain) {
  for (const auto* rule : all_rules()) {
    EXPECT_FALSE(rule->title.empty() || rule->explanation.empty() || rule->fix.empty()) << rule->id;
    EXPECT_FALSE(rule->title.ends_with('.')) << rule->id;
    for (const auto id : rule->explains) EXPECT_NE(id, rule->id);
  }
}

struct OneWheel {
  const char* folder;
  const char* soname;
  const char* cause;
};

class OneWheelGone : public testing::TestWithParam<OneWheel> {};

TEST_P(OneWheelGone, uninstalled_names_the_library_and_the_wheel) {
  Bench bench;
  bench.remove_wheel(GetParam().folder);
  EXPECT_EQ(bench.found("FLE"), Ids{GetParam().cause});
  const auto outcome = bench.ask(GetParam().cause);
  EXPECT_TRUE(contains(outcome.text, GetParam().soname)) << outcome.text;
  EXPECT_TRUE(contains(all_evidence(outcome), "not installed")) << all_evidence(outcome);
  EXPECT_TRUE(contains(all_evidence(outcome), "looked in ")) << all_evidence(outcome);
  ASSERT_FALSE(outcome.edits.empty());
  EXPECT_TRUE(
      outcome.edits.front().commands.front().starts_with(kPython + " -m pip install nvidia-"))
      << outcome.edits.front().commands.front();
  EXPECT_TRUE(bench.first_edit_mends(GetParam().cause));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST_P(OneWheelGone, deleted_files_are_installed_again) {
  Bench bench;
  bench.remove_wheel(GetParam().folder, false);
  EXPECT_EQ(bench.found("FLE"), Ids{GetParam().cause});
  const auto outcome = bench.ask(GetParam().cause);
  EXPECT_TRUE(contains(all_evidence(outcome), "is gone from")) << all_evidence(outcome);
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "--force-reinstall"));
  EXPECT_TRUE(bench.first_edit_mends(GetParam().cause));
}

/// The machine has a CUDA 13 and another environment with the library: neither was meant for this
/// program.
TEST_P(OneWheelGone, other_cudas_and_other_environments_do_not_count) {
  Bench bench;
  bench.remove_wheel(GetParam().folder);
  for (const std::string name : {"libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13",
                                 "libcufft.so.12", "libcusolver.so.12", "libcusparse.so.13"}) {
    bench.add_cached("/usr/local/cuda-13.0/lib64/" + name);
  }
  bench.add("/home/u/other/lib/python3.12/site-packages/nvidia/x/lib/" +
            std::string(GetParam().soname));
  EXPECT_EQ(bench.found("FLE"), Ids{GetParam().cause});
}

INSTANTIATE_TEST_SUITE_P(Wheels, OneWheelGone,
                         testing::Values(OneWheel{"cuda_runtime", "libcudart.so.12", "L01"},
                                         OneWheel{"cudnn", "libcudnn.so.9", "L03"},
                                         OneWheel{"cublas", "libcublas.so.12", "L09"},
                                         OneWheel{"cufft", "libcufft.so.11", "L09"},
                                         OneWheel{"cusolver", "libcusolver.so.11", "L09"},
                                         OneWheel{"cusparse", "libcusparse.so.12", "L09"},
                                         OneWheel{"nvjitlink", "libnvJitLink.so.12", "L09"}),
                         [](const auto& wheel) { return std::string(wheel.param.folder); });

TEST(L09, curand_is_not_required) {
  Bench bench;
  bench.remove_wheel("curand");
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L09, names_who_needs_the_missing_one) {
  Bench bench;
  bench.remove_wheel("nvjitlink");
  const auto outcome = bench.ask("L09");
  EXPECT_TRUE(contains(outcome.text, "libnvJitLink.so.12")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "libcusolver.so.11 needs it")) << outcome.text;
  EXPECT_EQ(outcome.edits.front().commands.size(), 1U) << "cuSOLVER looks there by itself";
}

TEST(L01, unknown_where_the_search_is_open) {
  Bench bench;
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cuda_runtime/lib");
  for (const auto* id : {"L01", "L02", "L05", "L06", "L07", "L09", "L11", "F05", "F15"}) {
    EXPECT_NE(bench.state(id), State::found) << id;
  }
  EXPECT_EQ(bench.state("L01"), State::unknown);
  EXPECT_TRUE(contains(bench.ask("L01").text, "libcudart.so.12"));
}

TEST(L03, unknown_where_the_search_is_open) {
  Bench bench;
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cudnn/lib");
  EXPECT_EQ(bench.state("L03"), State::unknown);
  EXPECT_EQ(bench.state("L04"), State::unknown);
}

TEST(L09, unknown_where_the_search_is_open) {
  Bench bench;
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cufft/lib");
  EXPECT_EQ(bench.state("L09"), State::unknown);
}

TEST(Libraries, a_cpu_build_asks_for_none) {
  Bench bench;
  bench.remove_all_wheels();
  bench.build().cuda = Fact<bool>::known(false);
  for (const auto* id :
       {"L01", "L02", "L03", "L04", "L05", "L06", "L07", "L09", "L11", "F05", "F15"}) {
    EXPECT_EQ(bench.state(id), State::not_applicable) << id;
  }
}

TEST(L03, a_missing_part_breaks_and_does_not_hide) {
  Bench bench;
  edit::remove_library(bench.facts, kSite + "/nvidia/cudnn/lib/libcudnn_graph.so.9");
  const auto outcome = bench.ask("L03");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::breaks);
  EXPECT_TRUE(contains(outcome.text, "libcudnn_graph.so.9"));
  EXPECT_EQ(bench.found("FLE"), Ids{"L03"});
  EXPECT_TRUE(bench.first_edit_mends("L03"));
}

TEST(L03, parts_that_were_not_read_are_no_finding) {
  Bench bench;
  for (const std::string part : {"graph", "ops", "cnn", "adv", "heuristic", "engines_precompiled",
                                 "engines_runtime_compiled"}) {
    edit::remove_library(bench.facts, kSite + "/nvidia/cudnn/lib/libcudnn_" + part + ".so.9");
  }
  EXPECT_EQ(bench.state("L03"), State::clear);
}

TEST(L02, another_major_in_the_system) {
  Bench bench;
  bench.remove_all_wheels();
  for (const std::string name :
       {"libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11", "libcusolver.so.11",
        "libcusparse.so.12", "libcudnn.so.9", "libnvJitLink.so.12"}) {
    bench.add_cached(kSystemLibraries + "/" + name);
  }
  bench.add_cached(kSystemLibraries + "/libcudart.so.11.0");
  EXPECT_EQ(bench.found("LF"), Ids{"L02"}); // cuDNN's version is not told: L04 is open
  const auto outcome = bench.ask("L02");
  EXPECT_TRUE(contains(outcome.text, "libcudart.so.12")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "libcudart.so.11.0")) << outcome.text;
  EXPECT_TRUE(bench.first_edit_mends("L02"));
}

TEST(L02, a_longer_name_of_the_same_major_is_no_other_major) {
  Bench bench;
  bench.add("/opt/x/libcudart.so.12.4.127");
  EXPECT_EQ(bench.state("L02"), State::clear);
}

TEST(L02, unknown_where_the_search_is_open) {
  Bench bench;
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cuda_runtime/lib");
  EXPECT_EQ(bench.state("L02"), State::unknown);
}

TEST(L03, the_graph_part_hides_where_the_release_asks_for_the_version) {
  Bench bench;
  edit::remove_library(bench.facts, kSite + "/nvidia/cudnn/lib/libcudnn_graph.so.9");
  EXPECT_EQ(bench.ask("L03").effect, Effect::breaks); // 2.18 meets it at the first convolution
  bench.framework().version = Fact<std::string>::known("2.21.0");
  EXPECT_EQ(bench.ask("L03").effect, Effect::hides);
}

TEST(Wheels, lowest_version_in_whatever_order_the_pin_names_it) {
  EXPECT_EQ(rules::lowest_version("==9.3.0.75"), "9.3.0.75");
  EXPECT_EQ(rules::lowest_version(">=9.3.0.75,<10.0"), "9.3.0.75");
  EXPECT_EQ(rules::lowest_version("<10.0,>=9.3.0.75"), "9.3.0.75"); // METADATA of 2.20 and later
  EXPECT_EQ(rules::lowest_version("~=2.4"), "2.4");
  EXPECT_EQ(rules::lowest_version("<10.0"), "");
  EXPECT_EQ(rules::lowest_version(""), "");
}

} // namespace
} // namespace gpuwhy::test
