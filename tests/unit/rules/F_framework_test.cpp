// F01 F02 F05 F06 F07 F08 F09 F10 F15: which TensorFlow is there, and what was it made for.
#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using State = Outcome::State;
using Status = LibraryFile::Status;
using Ids = std::vector<std::string>;

void uninstall_tensorflow(Bench& bench) {
  bench.python().frameworks.clear();
  edit::uninstall_distribution(bench.python(), "tensorflow");
}

void cpu_build(Bench& bench) {
  bench.build().cuda = Fact<bool>::known(false, bench.build().cuda.source());
}

/// A second environment, with the healthy TensorFlow; the first is what runs.
void add_good_environment(Bench& bench, const std::string& prefix) {
  auto other = healthy_facts().pythons.front();
  other.interpreter = prefix + "/bin/python";
  other.prefix = prefix;
  other.selected = false;
  other.chosen_by = "found in .";
  bench.facts.pythons.push_back(other);
}

TEST(F01, not_installed) {
  Bench bench;
  uninstall_tensorflow(bench);
  EXPECT_EQ(bench.found("FLE"), Ids{"F01"});
  const auto outcome = bench.ask("F01");
  EXPECT_TRUE(contains(outcome.text, kPython)) << outcome.text;
  EXPECT_EQ(outcome.edits.front().commands,
            Ids{kPython + " -m pip install 'tensorflow[and-cuda]<=2.20.0'"});
  EXPECT_TRUE(bench.first_edit_mends("F01"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F01, the_system_python_gets_an_environment) {
  Bench bench;
  uninstall_tensorflow(bench);
  bench.python().kind = "system";
  EXPECT_EQ(bench.ask("F01").edits.front().commands.front(), kPython + " -m venv .venv");
}

TEST(F01, unknown_where_it_could_not_be_read) {
  Bench bench;
  uninstall_tensorflow(bench);
  bench.python().problem = "permission denied";
  EXPECT_EQ(bench.state("F01"), State::unknown);
  EXPECT_NE(bench.state("F07"), State::found);
  bench.facts.pythons.clear();
  EXPECT_EQ(bench.state("F01"), State::unknown);
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F02, tensorflow_cpu) {
  Bench bench;
  cpu_build(bench);
  edit::uninstall_distribution(bench.python(), "tensorflow");
  edit::install_distribution(bench.python(), distribution("tensorflow-cpu", "2.18.0"));
  bench.framework().distributions = {"tensorflow-cpu"};
  EXPECT_EQ(bench.found("FLE"), Ids{"F02"});
  const auto outcome = bench.ask("F02");
  EXPECT_TRUE(contains(outcome.text, "tensorflow-cpu 2.18.0")) << outcome.text;
  EXPECT_TRUE(contains(outcome.evidence.front().source.where, "build_info.py"));
  EXPECT_EQ(outcome.edits.front().commands.size(), 2U);
  EXPECT_TRUE(bench.first_edit_mends("F02"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F02, condas_cpu_build) {
  Bench bench;
  cpu_build(bench);
  auto conda = distribution("tensorflow", "2.18.0");
  conda.installer = "conda";
  conda.build = "mkl_py311h5e1a1f1_0";
  edit::install_distribution(bench.python(), conda);
  EXPECT_EQ(bench.found("FLE"), Ids{"F02"});
  EXPECT_TRUE(contains(bench.ask("F02").text, "mkl_py311"));
  EXPECT_TRUE(contains(bench.ask("F02").edits.front().commands.front(), "'tensorflow=2.18=cuda*'"));
  EXPECT_TRUE(bench.first_edit_mends("F02"));
}

TEST(F02, uv_installs_with_uv) {
  Bench bench;
  cpu_build(bench);
  auto by_uv = distribution("tensorflow", "2.18.0");
  by_uv.installer = "uv";
  edit::install_distribution(bench.python(), by_uv);
  EXPECT_TRUE(bench.ask("F02").edits.front().commands.back().starts_with(
      "uv pip install --python " + kPython));
}

TEST(F02, arm_has_no_gpu_wheel) {
  Bench bench;
  cpu_build(bench);
  bench.facts.platform.machine = "aarch64";
  const auto outcome = bench.ask("F02");
  EXPECT_EQ(outcome.state, State::found);
  EXPECT_FALSE(outcome.edits.front().apply);
}

TEST(F02, unknown_and_look_alikes) {
  Bench bench;
  bench.framework().build = Fact<FrameworkBuild>::unknown("build_info.py: permission denied");
  EXPECT_EQ(bench.state("F02"), State::unknown);
  EXPECT_EQ(bench.found("FLE"), Ids{});
  bench.framework().distributions = {"tensorflow-cpu"};
  EXPECT_EQ(bench.state("F02"), State::found) << "the name alone tells";
  Bench rocm;
  cpu_build(rocm);
  rocm.build().rocm = Fact<bool>::known(true);
  EXPECT_EQ(rocm.state("F02"), State::clear);
}

TEST(F05, no_wheels_at_all) {
  Bench bench;
  bench.remove_all_wheels();
  EXPECT_EQ(bench.found("FLE"), Ids{"F05"});
  const auto outcome = bench.ask("F05");
  EXPECT_TRUE(contains(outcome.text, "7 of 7")) << outcome.text;
  EXPECT_EQ(outcome.edits.front().commands,
            Ids{kPython + " -m pip install 'tensorflow[and-cuda]==2.18.0'"});
  EXPECT_TRUE(bench.first_edit_mends("F05"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F05, only_cudnn_was_installed) {
  Bench bench;
  for (const std::string folder : {"cufft", "cusolver", "cusparse", "cuda_runtime", "nvjitlink"})
    bench.remove_wheel(folder);
  EXPECT_EQ(bench.found("FLE"), Ids{"F05"});
}

TEST(F05, wheels_of_another_cuda_do_not_count) {
  Bench bench;
  bench.remove_all_wheels();
  edit::install_distribution(bench.python(), distribution("nvidia-cudnn-cu13", "9.12.0"));
  for (const std::string name : {"libcudart.so.13", "libcublas.so.13", "libcufft.so.12",
                                 "libcusolver.so.12", "libcusparse.so.12"}) {
    bench.add(kSite + "/nvidia/cu13/lib/" + name);
  }
  EXPECT_EQ(bench.found("FLE"), Ids{"F05"});
}

TEST(F05, before_the_extra_existed) {
  Bench bench;
  bench.remove_all_wheels();
  bench.framework().version = Fact<std::string>::known("2.12.1");
  bench.build().cuda_version = Fact<std::string>::known("11.8");
  bench.build().cudnn_version = Fact<std::string>::known("8");
  bench.facts.libraries.files.at(bench.build().opener).runpath = {"$ORIGIN/"};
  edit::install_distribution(bench.python(), distribution("tensorflow", "2.12.1"));
  EXPECT_EQ(bench.found("FLE"), Ids{"F05"});
  const auto commands = bench.ask("F05").edits.front().commands;
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_TRUE(contains(commands[0], "nvidia-cuda-runtime-cu11")) << commands[0];
  EXPECT_TRUE(contains(commands[0], "'nvidia-cudnn-cu11>=8.6,<9'")) << commands[0];
  EXPECT_TRUE(commands[1].starts_with("export LD_LIBRARY_PATH=")) << commands[1];
  EXPECT_TRUE(bench.first_edit_mends("F05"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F05, unknown_where_the_wheels_were_not_looked_for) {
  Bench bench;
  bench.remove_all_wheels();
  std::erase_if(bench.facts.libraries.directories,
                [](const auto& entry) { return contains(entry.first, "/nvidia/"); });
  EXPECT_EQ(bench.state("F05"), State::unknown);
  EXPECT_EQ(bench.state("F15"), State::unknown);
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F15, a_whole_toolkit_of_another_major) {
  Bench bench;
  bench.remove_all_wheels();
  for (const std::string name : {"libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13",
                                 "libcufft.so.12", "libcusolver.so.12", "libcusparse.so.12"}) {
    bench.add_cached("/usr/local/cuda-13.0/lib64/" + name);
  }
  EXPECT_EQ(bench.found("FLE"), Ids{"F15"});
  EXPECT_EQ(bench.ask("F15").text, "CUDA 13 is installed, TensorFlow 2.18.0 needs CUDA 12");
  EXPECT_TRUE(bench.first_edit_mends("F15"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F15, off_the_path_too) {
  Bench bench;
  bench.remove_all_wheels();
  for (const std::string name :
       {"libcudart.so.11.0", "libcublas.so.11", "libcublasLt.so.11", "libcufft.so.10",
        "libcusolver.so.11", "libcusparse.so.11", "libcudnn.so.8"}) {
    bench.add("/usr/local/cuda-11.8/lib64/" + name);
  }
  EXPECT_EQ(bench.found("FLE"), Ids{"F15"});
}

TEST(F15, beside_good_wheels_it_does_not_matter) {
  Bench bench;
  for (const std::string name : {"libcudart.so.13", "libcublas.so.13", "libcufft.so.12",
                                 "libcusolver.so.12", "libcusparse.so.12"}) {
    bench.add_cached("/usr/local/cuda-13.0/lib64/" + name);
  }
  EXPECT_EQ(bench.found("FLE"), Ids{});
  EXPECT_EQ(bench.state("F15"), State::clear);
}

TEST(F06, the_cpu_build_won) {
  Bench bench;
  cpu_build(bench);
  edit::install_distribution(bench.python(), distribution("tensorflow-cpu", "2.17.0"));
  bench.framework().distributions = {"tensorflow", "tensorflow-cpu"};
  EXPECT_EQ(bench.found("FLE"), Ids{"F06"});
  const auto outcome = bench.ask("F06");
  EXPECT_TRUE(contains(outcome.text, "tensorflow 2.18.0 and tensorflow-cpu 2.17.0"))
      << outcome.text;
  EXPECT_TRUE(
      contains(outcome.edits.front().commands.front(), "uninstall -y tensorflow tensorflow-cpu"))
      << outcome.edits.front().commands.front();
  EXPECT_TRUE(bench.first_edit_mends("F06"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F06, the_gpu_build_won) {
  Bench bench;
  edit::install_distribution(bench.python(), distribution("tensorflow-cpu", "2.18.0"));
  EXPECT_EQ(bench.state("F06"), State::clear);
  edit::install_distribution(bench.python(), distribution("tf-nightly", "2.22.0.dev1"));
  const auto outcome = bench.ask("F06");
  EXPECT_EQ(outcome.state, State::found) << "a mixture of two versions";
  EXPECT_EQ(outcome.effect, Effect::breaks);
}

TEST(F06, two_packages_on_the_path) {
  Bench bench;
  auto user = bench.framework();
  user.directory = "/home/u/.local/lib/python3.11/site-packages/tensorflow";
  user.build.value().cuda = Fact<bool>::known(false);
  bench.python().frameworks.insert(bench.python().frameworks.begin(), user);
  EXPECT_EQ(bench.found("FLE"), Ids{"F06"});
  EXPECT_TRUE(bench.first_edit_mends("F06"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F06, look_alikes_and_unknown) {
  Bench bench;
  bench.python().distributions.push_back(
      distribution("tensorflow", "2.15.0")); // an old dist-info left behind
  EXPECT_EQ(bench.state("F06"), State::clear);
  auto elsewhere = distribution("tensorflow-cpu", "2.10.0");
  elsewhere.directory = "/usr/lib/python3/dist-packages";
  bench.python().distributions.push_back(elsewhere);
  EXPECT_EQ(bench.state("F06"), State::clear);
  edit::install_distribution(bench.python(), distribution("tensorflow-cpu", "2.17.0"));
  bench.framework().build = Fact<FrameworkBuild>::unknown("not readable");
  EXPECT_EQ(bench.state("F06"), State::unknown);
}

TEST(F07, another_environment_is_ready) {
  Bench bench;
  uninstall_tensorflow(bench);
  add_good_environment(bench, "/home/u/work/.venv");
  EXPECT_EQ(bench.found("FLE"), Ids{"F07"});
  const auto outcome = bench.ask("F07");
  EXPECT_TRUE(contains(outcome.text, "/home/u/work/.venv/bin/python")) << outcome.text;
  EXPECT_EQ(outcome.edits.front().commands, Ids{". /home/u/work/.venv/bin/activate"});
  EXPECT_TRUE(bench.first_edit_mends("F07"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F07, virtual_env_tells_which_is_meant) {
  Bench bench;
  cpu_build(bench);
  add_good_environment(bench, "/home/u/a");
  add_good_environment(bench, "/home/u/b");
  set_variable(bench.facts, "VIRTUAL_ENV", "/home/u/b/");
  const auto outcome = bench.ask("F07");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "/home/u/b/bin/python")) << outcome.text;
  EXPECT_EQ(outcome.evidence.back().source.where, "$VIRTUAL_ENV");
  EXPECT_EQ(bench.found("FLE"), Ids{"F07"});
}

TEST(F07, look_alikes) {
  Bench healthy;
  add_good_environment(healthy, "/home/u/b");
  EXPECT_EQ(healthy.state("F07"), State::clear);
  Bench alone;
  uninstall_tensorflow(alone);
  EXPECT_EQ(alone.state("F07"), State::clear);
  Bench asked = alone;
  add_good_environment(asked, "/home/u/b");
  asked.python().chosen_by = "--python";
  EXPECT_EQ(asked.state("F07"), State::not_applicable);
  EXPECT_EQ(asked.found("FLE"), Ids{"F01"});
}

TEST(F08, a_python_without_tensorflow) {
  for (const auto* version : {"3.14.0", "3.4.10", "4.0"}) {
    Bench bench;
    uninstall_tensorflow(bench);
    bench.python().version = Fact<std::string>::known(version);
    const bool old = std::string(version) == "3.4.10"; // 1.x had wheels for it
    EXPECT_EQ(bench.found("FLE"), Ids{old ? "F01" : "F08"}) << version;
    if (old) continue;
    EXPECT_TRUE(bench.first_edit_mends("F08"));
    EXPECT_EQ(bench.found("FLE"), Ids{"F01"}) << "then it has to be installed";
  }
}

TEST(F08, clear_and_unknown) {
  Bench bench;
  bench.python().version = Fact<std::string>::known("3.14.0");
  EXPECT_EQ(bench.state("F08"), State::clear) << "it is installed, so there is one";
  uninstall_tensorflow(bench);
  bench.python().version = {};
  EXPECT_EQ(bench.state("F08"), State::unknown);
}

TEST(F09, the_empty_tensorflow_gpu) {
  Bench bench;
  uninstall_tensorflow(bench);
  edit::install_distribution(bench.python(), distribution("tensorflow-gpu", "2.12.0"));
  EXPECT_EQ(bench.found("FLE"), Ids{"F09"});
  EXPECT_TRUE(bench.first_edit_mends("F09"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F09, of_the_time_of_cuda_10) {
  Bench bench;
  bench.remove_all_wheels();
  bench.framework().version = Fact<std::string>::known("2.2.0");
  bench.build().cuda_version = Fact<std::string>::known("10.1");
  bench.build().cudnn_version = Fact<std::string>::known("7");
  EXPECT_EQ(bench.found("FLE"), Ids{"F09"});
  EXPECT_TRUE(bench.first_edit_mends("F09"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F09, an_old_name_that_works) {
  Bench bench;
  auto old = distribution("tensorflow-gpu", "2.18.0");
  edit::uninstall_distribution(bench.python(), "tensorflow");
  edit::install_distribution(bench.python(), old);
  EXPECT_EQ(bench.state("F09"), State::clear);
  bench.facts.pythons.clear();
  EXPECT_EQ(bench.state("F09"), State::not_applicable);
}

TEST(F10, files_are_missing) {
  Bench bench;
  bench.framework().broken = {kSite + "/tensorflow/libtensorflow_cc.so.2 is missing"};
  EXPECT_EQ(bench.found("FLE"), Ids{"F10"});
  EXPECT_TRUE(contains(bench.ask("F10").edits.front().commands.front(),
                       "--force-reinstall --no-deps tensorflow==2.18.0"));
  EXPECT_TRUE(bench.first_edit_mends("F10"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F10, a_leftover_folder) {
  Bench bench;
  bench.framework().build = Fact<FrameworkBuild>::absent(Source{bench.framework().directory, 0});
  edit::uninstall_distribution(bench.python(), "tensorflow");
  bench.framework().distributions.clear();
  EXPECT_EQ(bench.found("FLE"), Ids{"F10"});
  EXPECT_TRUE(bench.first_edit_mends("F10"));
}

TEST(F10, only_paper) {
  Bench bench;
  bench.python().frameworks.clear();
  EXPECT_EQ(bench.found("FLE"), Ids{"F10"});
  EXPECT_TRUE(bench.first_edit_mends("F10"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F10, the_native_library_is_cut_short) {
  Bench bench;
  auto& opener = bench.facts.libraries.files.at(bench.build().opener);
  opener.status = Status::truncated;
  opener.detail = "ends after 12 MB of 480";
  EXPECT_EQ(bench.found("FLE"), Ids{"F10"});
  EXPECT_TRUE(bench.first_edit_mends("F10"));
}

TEST(F10, a_file_of_that_name) {
  Bench bench;
  Framework file;
  file.name = "tensorflow";
  file.directory = "/home/u/work/tensorflow.py";
  file.build = Fact<FrameworkBuild>::absent(Source{file.directory, 0});
  bench.python().frameworks.insert(bench.python().frameworks.begin(), file);
  EXPECT_EQ(bench.found("FLE"), Ids{"F10"});
  EXPECT_TRUE(contains(bench.ask("F10").text, "/home/u/work/tensorflow.py"));
  EXPECT_TRUE(bench.first_edit_mends("F10"));
  EXPECT_EQ(bench.found("FLE"), Ids{});
}

TEST(F10, clear_and_not_asked) {
  Bench bench;
  EXPECT_EQ(bench.state("F10"), State::clear);
  bench.framework().distributions.clear(); // built by hand
  EXPECT_EQ(bench.state("F10"), State::clear);
  bench.framework().build = {};
  EXPECT_EQ(bench.state("F10"), State::not_applicable); // F02 says that it is unknown
}

} // namespace
} // namespace gpuwhy::test
