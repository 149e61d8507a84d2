// L05 L06 L07: the library is there, and something about its place or its file is wrong.
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;
using Status = LibraryFile::Status;
using Ids = std::vector<std::string>;

const std::vector<std::string> kCuda12 = {
    "libcudart.so.12",   "libcublas.so.12",   "libcublasLt.so.12", "libcufft.so.11",
    "libcusolver.so.11", "libcusparse.so.12", "libnvJitLink.so.12"};

void unpack_cuda(Bench& bench, const std::string& directory) {
  for (const auto& name : kCuda12) bench.add(directory + "/" + name);
  bench.add(directory + "/libcudnn.so.9", Status::good, {}, "9.3.0");
}

TEST(L05, a_toolkit_that_nothing_leads_to) {
  Bench bench;
  bench.remove_all_wheels();
  unpack_cuda(bench, "/usr/local/cuda-12.5/lib64");
  EXPECT_EQ(bench.found("FLE"), Ids{"L05"});
  const auto outcome = bench.ask("L05");
  EXPECT_TRUE(contains(outcome.text, "/usr/local/cuda-12.5/lib64")) << outcome.text;
  EXPECT_EQ(outcome.edits.front().commands.front(),
            "export LD_LIBRARY_PATH=/usr/local/cuda-12.5/lib64");
  EXPECT_TRUE(bench.first_edit_mends("L05"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L05, ldconfig_where_the_directory_is_configured) {
  Bench bench;
  bench.remove_all_wheels();
  unpack_cuda(bench, "/usr/local/cuda-12.5/lib64");
  bench.facts.libraries.configured_directories = {"/usr/local/cuda-12.5/lib64"};
  const auto outcome = bench.ask("L05");
  EXPECT_EQ(outcome.edits.front().commands, Ids{"sudo ldconfig"});
  EXPECT_EQ(outcome.edits.size(), 3U); // or LD_LIBRARY_PATH, or the wheels
  EXPECT_TRUE(bench.first_edit_mends("L05"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

/// As 2.21.0: the wheel is installed, its folder is not in the RUNPATH.
TEST(L05, a_wheel_that_the_build_does_not_reach) {
  Bench bench;
  auto& opener = bench.facts.libraries.files.at(bench.build().opener);
  std::erase(opener.runpath, "$ORIGIN/../nvidia/cusolver/lib");
  EXPECT_EQ(bench.found("FLE"), Ids{"L05"});
  EXPECT_TRUE(contains(bench.ask("L05").edits.front().commands.front(), "nvidia/cusolver/lib"));
  EXPECT_TRUE(bench.first_edit_mends("L05"));
}

TEST(L05, a_name_without_its_link) {
  Bench bench;
  auto file = bench.wheel_file("cufft/lib/libcufft.so.11");
  edit::remove_library(bench.facts, file.path);
  file.path += ".2.3";
  add_file(bench.facts, file);
  EXPECT_EQ(bench.found("FLE"), Ids{"L05"});
  EXPECT_TRUE(
      bench.ask("L05").edits.front().commands.front().starts_with("ln -s libcufft.so.11.2.3 "));
  EXPECT_TRUE(bench.first_edit_mends("L05"));
}

TEST(L05, keeps_what_the_path_has) {
  Bench bench;
  bench.remove_all_wheels();
  unpack_cuda(bench, "/usr/local/cuda 12.5/lib64");
  bench.library_path("/opt/mine");
  bench.facts.libraries.directories["/opt/mine"] = {.path = "/opt/mine",
                                                    .status = LibraryDirectory::Status::absent,
                                                    .names = {},
                                                    .capabilities = {},
                                                    .origin = {}};
  EXPECT_EQ(bench.ask("L05").edits.front().commands.front(),
            "export LD_LIBRARY_PATH=\"$LD_LIBRARY_PATH:\"'/usr/local/cuda 12.5/lib64'");
  EXPECT_TRUE(bench.first_edit_mends("L05"));
  EXPECT_EQ(bench.facts.environment.find("LD_LIBRARY_PATH")->value,
            "/opt/mine:/usr/local/cuda 12.5/lib64");
}

TEST(L05, stubs_and_foreign_environments_are_no_copies) {
  Bench bench;
  bench.remove_all_wheels();
  bench.add("/usr/local/cuda-12.5/lib64/stubs/libcufft.so.11");
  bench.add("/opt/conda/envs/x/lib/libcufft.so.11");
  bench.add("/home/u/b/lib/python3.10/site-packages/nvidia/cufft/lib/libcufft.so.11");
  EXPECT_EQ(bench.state("L05"), State::clear);
  EXPECT_EQ(bench.found("FLE"), Ids{"F05"});
}

TEST(L05, unknown_where_the_search_is_open) {
  Bench bench;
  bench.remove_wheel("cufft");
  bench.facts.libraries.directories.erase(kSite + "/nvidia/cufft/lib");
  EXPECT_EQ(bench.state("L05"), State::unknown);
}

TEST(L06, a_copy_in_front_that_lacks_what_it_needs) {
  Bench bench;
  auto old = library("/usr/local/cuda-12.0/lib64/libcusolver.so.11");
  old.needed = {"libcusparse.so.11"};
  add_file(bench.facts, old);
  bench.library_path("/usr/local/cuda-12.0/lib64");
  EXPECT_EQ(bench.found("FLE"), Ids{"L06"});
  const auto outcome = bench.ask("L06");
  EXPECT_TRUE(contains(outcome.edits.front().words, "/home/u/.bashrc:118"))
      << outcome.edits.front().words;
  EXPECT_EQ(outcome.evidence.front().source.str(), "/home/u/.bashrc:118");
  EXPECT_EQ(outcome.edits.front().commands.front(), "unset LD_LIBRARY_PATH");
  EXPECT_TRUE(bench.first_edit_mends("L06"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(L06, names_the_line_that_puts_the_directory_in) {
  Bench bench;
  bench.add("/opt/old/libcudart.so.12", Status::not_elf);
  auto first = origin("/etc/environment", 3, "LD_LIBRARY_PATH=/opt/other");
  auto second = origin("/home/u/.profile", 9, "export LD_LIBRARY_PATH=/opt/old/:$LD_LIBRARY_PATH");
  first.elements = {"/opt/other"};
  second.elements = {"/opt/old/"};
  bench.add("/opt/other/libx.so");
  set_variable(bench.facts, "LD_LIBRARY_PATH", "/opt/old/:/opt/other", {first, second});
  EXPECT_EQ(bench.found("FLE"), Ids{"L07"});
  EXPECT_TRUE(contains(bench.ask("L07").edits.front().words, "/home/u/.profile:9"))
      << bench.ask("L07").edits.front().words;
}

TEST(L06, a_good_copy_in_front_is_no_fault) {
  Bench bench;
  bench.add("/usr/local/cuda-12.6/lib64/libcufft.so.11");
  bench.library_path("/usr/local/cuda-12.6/lib64");
  EXPECT_EQ(bench.found("FLE"), Ids{});
  EXPECT_EQ(bench.state("L06"), State::clear);
}

TEST(L06, unknown_where_the_path_was_not_read) {
  Bench bench;
  bench.library_path("/never/seen");
  EXPECT_EQ(bench.state("L06"), State::unknown);
  EXPECT_EQ(bench.state("L07"), State::unknown);
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

struct BadFile {
  Status status;
  const char* name;
};

class BadWheelFile : public testing::TestWithParam<BadFile> {};

TEST_P(BadWheelFile, is_L07_and_mended) {
  for (const std::string path :
       {"cudnn/lib/libcudnn.so.9", "cuda_runtime/lib/libcudart.so.12",
        "cublas/lib/libcublasLt.so.12", "nvjitlink/lib/libnvJitLink.so.12"}) {
    Bench bench;
    bench.wheel_file(path).status = GetParam().status;
    bench.wheel_file(path).detail = "not as it was";
    EXPECT_EQ(bench.found("FLE"), Ids{"L07"}) << path;
    const auto outcome = bench.ask("L07");
    EXPECT_TRUE(contains(outcome.text, path)) << outcome.text;
    EXPECT_TRUE(bench.first_edit_mends("L07")) << path;
    EXPECT_EQ(bench.found("FLE"), Ids{}) << path;
  }
}

TEST_P(BadWheelFile, in_front_of_a_good_one) {
  Bench bench;
  bench.add("/opt/old/libcudnn.so.9", GetParam().status, "not as it was", "9.3.0");
  bench.library_path("/opt/old");
  const bool stops = GetParam().status == Status::too_short ||
                     GetParam().status == Status::not_elf ||
                     GetParam().status == Status::directory ||
                     GetParam().status == Status::truncated || GetParam().status == Status::special;
  EXPECT_EQ(bench.found("FLE"), stops ? Ids{"L07"} : Ids{}) << GetParam().name;
  if (!stops) return;
  EXPECT_TRUE(
      contains(bench.ask("L07").edits.front().words, "remove /opt/old from LD_LIBRARY_PATH"));
  EXPECT_TRUE(bench.first_edit_mends("L07"));
}

INSTANTIATE_TEST_SUITE_P(Statuses, BadWheelFile,
                         testing::Values(BadFile{Status::dangling, "dangling"},
                                         BadFile{Status::unreadable, "unreadable"},
                                         BadFile{Status::wrong_class, "wrong_class"},
                                         BadFile{Status::wrong_machine, "wrong_machine"},
                                         BadFile{Status::too_short, "too_short"},
                                         BadFile{Status::not_elf, "not_elf"},
                                         BadFile{Status::directory, "directory"},
                                         BadFile{Status::truncated, "truncated"},
                                         BadFile{Status::special, "special"}),
                         [](const auto& wheel) { return std::string(wheel.param.name); });

TEST(L07, an_unreadable_wheel_directory) {
  Bench bench;
  const auto directory = kSite + "/nvidia/cudnn/lib";
  bench.remove_wheel("cudnn", false);
  bench.facts.libraries.directories.at(directory).status = LibraryDirectory::Status::unreadable;
  EXPECT_EQ(bench.found("FLE"), Ids{"L07"});
  EXPECT_TRUE(contains(bench.ask("L07").text, "may not be read")) << bench.ask("L07").text;
  EXPECT_TRUE(bench.first_edit_mends("L07"));
}

TEST(L07, an_unreadable_directory_of_somebody_else_is_not_to_blame) {
  Bench bench;
  bench.remove_wheel("cufft");
  bench.library_path("/root/lib");
  bench.facts.libraries.directories["/root/lib"] = {.path = "/root/lib",
                                                    .status = LibraryDirectory::Status::unreadable,
                                                    .names = {},
                                                    .capabilities = {},
                                                    .origin = "LD_LIBRARY_PATH"};
  EXPECT_EQ(bench.found("FLE"), Ids{"L09"});
}

TEST(L07, the_only_toolkit_may_not_be_read) {
  Bench bench;
  bench.remove_all_wheels();
  bench.library_path("/opt/cuda/lib64");
  bench.facts.libraries.directories["/opt/cuda/lib64"] = {.path = "/opt/cuda/lib64",
                                                          .status =
                                                              LibraryDirectory::Status::unreadable,
                                                          .names = {},
                                                          .capabilities = {},
                                                          .origin = "LD_LIBRARY_PATH"};
  EXPECT_EQ(bench.found("FLE"), Ids{"L07"});
  EXPECT_TRUE(bench.first_edit_mends("L07"));
}

TEST(L07, a_bad_file_in_the_cache_gives_way_to_the_wheel) {
  Bench bench;
  bench.remove_wheel("cufft");
  bench.add_cached("/usr/local/cuda/lib64/libcufft.so.11");
  bench.facts.libraries.files.at("/usr/local/cuda/lib64/libcufft.so.11").status = Status::not_elf;
  EXPECT_EQ(bench.found("FLE"), Ids{"L07"});
  EXPECT_TRUE(bench.first_edit_mends("L07"));
}

TEST(L07, a_bad_part_of_cudnn_breaks) {
  Bench bench;
  bench.wheel_file("cudnn/lib/libcudnn_ops.so.9").status = Status::truncated;
  const auto outcome = bench.ask("L07");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::breaks);
  EXPECT_EQ(bench.found("FLE"), Ids{"L07"});
  EXPECT_TRUE(bench.first_edit_mends("L07"));
}

TEST(L07, a_bad_file_that_nobody_asks_for) {
  Bench bench;
  bench.add("/opt/somewhere/libcudnn.so.9", Status::not_elf);
  EXPECT_EQ(bench.state("L07"), State::clear);
}

// As seen on an H100: the search for the driver ends at the text, cuInit is never reached.
TEST(L07, a_text_file_before_the_driver) {
  Bench bench;
  const std::string text = "/home/u/lib/libcuda.so.1";
  bench.add(text, LibraryFile::Status::not_elf, "invalid ELF header");
  bench.library_path("/home/u/lib");
  CudaProbe probe;
  probe.load_error = text + ": invalid ELF header";
  bench.facts.observed.cuda_unhidden = Fact<CudaProbe>::known(probe, {"probe cuda_init", 0});
  bench.facts.observed.cuda = bench.facts.observed.cuda_unhidden;
  EXPECT_EQ(bench.found("HFLE"), Ids{"L07"});
  EXPECT_TRUE(bench.first_edit_mends("L07"));
  EXPECT_EQ(bench.found("HFLE"), Ids{});
}

} // namespace
} // namespace gpuwhy::test
