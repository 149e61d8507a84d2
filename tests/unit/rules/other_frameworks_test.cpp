// JAX, PyTorch and Keras through the judge's own cases: F03 F04 F11 to F14, E06, L10, and the rules
// that all frameworks share.
#include "support/other_frameworks.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

TEST(OtherFrameworks, healthy_ones_use_the_gpu) {
  for (const auto* framework : {"jax", "torch"}) {
    const Asked asked(machine_with(framework, framework == std::string("jax") ? "0.6.2" : "2.6.0"));
    const auto verdict = asked.verdict(framework);
    EXPECT_EQ(verdict.answer, Usable::gpu)
        << framework << ": " << (verdict.unknown.empty() ? "" : verdict.unknown.front());
    EXPECT_EQ(asked.causes(framework), Ids{}) << framework;
  }
}

TEST(OtherFrameworks, each_gets_a_verdict_and_tensorflow_comes_first) {
  auto facts = healthy_facts();
  rules::put_torch(facts, kPython, "2.6.0");
  rules::put_jax(facts, kPython, "0.6.2", 12);
  const auto verdict = judge(with_keras(std::move(facts), "3.8.0"));
  Ids names;
  for (const auto& each : verdict.frameworks) names.push_back(each.framework);
  EXPECT_EQ(names, (Ids{"tensorflow", "jax", "torch", "keras"}));
  EXPECT_EQ(verdict.frameworks.back().backend, "tensorflow");
  EXPECT_EQ(verdict.frameworks.back().version, "3.8.0");
}

TEST(OtherFrameworks, an_environment_without_any_is_asked_for_tensorflow) {
  auto facts = healthy_facts();
  facts.pythons.front().frameworks.clear();
  edit::uninstall_distribution(facts.pythons.front(), "tensorflow");
  const Asked asked(facts);
  EXPECT_EQ(asked.causes("tensorflow"), Ids{"F01"});
}

TEST(OtherFrameworks, a_wheel_that_is_gone_is_named) {
  for (const auto* framework : {"jax", "torch"}) {
    Asked asked(machine_with(framework, framework == std::string("jax") ? "0.6.2" : "2.6.0"));
    edit::remove_library(asked.facts, kSite + "/nvidia/cudnn/lib/libcudnn.so.9");
    EXPECT_EQ(asked.causes(framework), Ids{"L03"}) << framework;
    const auto verdict = asked.verdict(framework);
    EXPECT_EQ(verdict.answer, Usable::no_gpu)
        << (verdict.unknown.empty() ? "" : verdict.unknown.front());
    EXPECT_TRUE(verdict.plan_reaches_gpu) << framework;
  }
}

TEST(OtherFrameworks, tensorflow_rules_do_not_speak_of_them) {
  const Asked asked(machine_with("torch", "2.6.0"));
  for (const auto* id : {"F02", "F06", "F08", "F09", "H16", "E04", "E06", "F12", "L10"}) {
    EXPECT_EQ(asked.state("torch", id), State::not_applicable) << id;
  }
}

TEST(OtherFrameworks, visibility_counts_for_all) {
  Asked asked(machine_with("jax", "0.6.2"));
  set_variable(asked.facts, "CUDA_VISIBLE_DEVICES", "-1");
  EXPECT_EQ(asked.causes("jax"), Ids{"E01"});
}

TEST(H10, an_old_driver_hides_the_gpu_from_torch_and_an_older_cuda_is_the_cheap_way) {
  Asked asked(machine_with("jax", "0.8.0"));
  rules::put_jax(asked.facts, kPython, "0.8.0", 13);
  const auto outcome = asked.ask("jax", "H10");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::hides);
  ASSERT_FALSE(outcome.edits.empty());
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "jax[cuda12]"))
      << outcome.edits.front().commands.front();
  EXPECT_EQ(Asked(machine_with("torch", "2.6.0")).state("torch", "H10"), State::clear);
}

TEST(H12, torch_without_code_for_the_gpu) {
  Asked asked(machine_with("torch", "2.6.0"));
  auto& build = asked.framework("torch").build.value();
  build.sass = Fact<std::vector<std::string>>::known({"5.0", "9.0"});
  build.ptx = Fact<std::vector<std::string>>::known({});
  EXPECT_EQ(asked.state("torch", "H12"), State::found);
  build.sass = Fact<std::vector<std::string>>::known({"8.6"});
  EXPECT_EQ(asked.state("torch", "H12"), State::clear);
}

TEST(F13, cpu_build) {
  Asked asked(machine_with("torch", "2.6.0"));
  EXPECT_EQ(asked.state("torch", "F13"), State::clear);
  asked.framework("torch").version = Fact<std::string>::known("2.6.0+cpu");
  asked.framework("torch").build.value().cuda =
      Fact<bool>::known(false, {kSite + "/torch/version.py", 5});
  const auto outcome = asked.ask("torch", "F13");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.edits.front().commands,
            Ids{kPython + " -m pip install --force-reinstall torch==2.6.0"});
  EXPECT_TRUE(asked.verdict("torch").plan_reaches_gpu);
  asked.framework("torch").version = Fact<std::string>::known("1.13.0a0"); // Debian's own
  EXPECT_EQ(asked.ask("torch", "F13").edits.front().commands,
            Ids{kPython + " -m pip install --force-reinstall torch"});
  asked.framework("torch").version = Fact<std::string>::known("2.6.0");
  asked.framework("torch").build.value().cuda =
      Fact<bool>::unknown("version.py: Permission denied");
  EXPECT_EQ(asked.state("torch", "F13"), State::unknown);
}

TEST(F14, rocm_build_on_nvidia) {
  Asked asked(machine_with("torch", "2.6.0"));
  EXPECT_EQ(asked.state("torch", "F14"), State::not_applicable);
  auto& build = asked.framework("torch").build.value();
  build.cuda = Fact<bool>::known(false);
  build.rocm = Fact<bool>::known(true);
  EXPECT_EQ(asked.causes("torch").front(), "F14");
  asked.facts.hardware.gpus.value().front().vendor = "amd";
  EXPECT_EQ(asked.state("torch", "F14"), State::clear);
  asked.facts.hardware.gpus = Fact<std::vector<PciGpu>>::unknown("sysfs: Permission denied");
  EXPECT_EQ(asked.state("torch", "F14"), State::unknown);
}

TEST(F12, plugin_missing_or_of_another_version) {
  Asked asked(machine_with("jax", "0.6.2"));
  EXPECT_EQ(asked.state("jax", "F12"), State::clear);
  auto& python = asked.facts.pythons.front();
  for (auto& each : python.distributions) {
    if (each.name == "jax-cuda12-plugin") each.version = "0.6.0";
  }
  const auto outcome = asked.ask("jax", "F12");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::breaks);

  edit::uninstall_distribution(python, "jax-cuda12-plugin");
  edit::uninstall_distribution(python, "jax-cuda12-pjrt");
  auto& build = asked.framework("jax").build.value();
  build.cuda = Fact<bool>::known(false);
  EXPECT_EQ(asked.causes("jax"), Ids{"F12"});
  const auto verdict = asked.verdict("jax");
  EXPECT_EQ(verdict.plan.front().commands,
            Ids{kPython + " -m pip install --upgrade 'jax[cuda12]==0.6.2'"});
  EXPECT_TRUE(verdict.plan_reaches_gpu);
  build.cuda = Fact<bool>::unknown("jaxlib: Permission denied");
  EXPECT_EQ(asked.state("jax", "F12"), State::unknown);
}

TEST(F12, jaxlib_that_jax_refuses) {
  Asked asked(machine_with("jax", "0.6.2"));
  for (auto& each : asked.facts.pythons.front().distributions) {
    if (each.name == "jax") each.cuda_pins = {"jaxlib<=0.6.2,>=0.6.2"};
    if (each.name == "jaxlib") each.version = "0.7.0";
  }
  EXPECT_EQ(asked.causes("jax").front(), "F12");
  EXPECT_EQ(asked.verdict("jax").answer, Usable::no_gpu);
}

TEST(F11, backend_without_gpu) {
  auto facts = with_keras(machine_with("torch", "2.6.0"), "3.8.0", "torch");
  Asked asked(facts);
  EXPECT_EQ(asked.state("keras", "F11"), State::clear);
  EXPECT_EQ(asked.verdict("keras").answer, Usable::gpu);
  set_variable(asked.facts, "KERAS_BACKEND", "openvino");
  EXPECT_EQ(asked.causes("keras"), Ids{"F11"});
  EXPECT_EQ(asked.verdict("keras").plan.front().commands, Ids{"export KERAS_BACKEND=torch"});
  EXPECT_TRUE(asked.verdict("keras").plan_reaches_gpu);
  EXPECT_EQ(asked.verdict("torch").answer, Usable::gpu);
}

TEST(F11, the_default_is_not_installed) {
  Asked asked(with_keras(machine_with("torch", "2.6.0"), "3.8.0"));
  const auto outcome = asked.ask("keras", "F11");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_TRUE(contains(outcome.text, "TensorFlow, which is not installed")) << outcome.text;
}

TEST(F11, keras_2_knows_tensorflow_alone) {
  Asked asked(with_keras(healthy_facts(), "2.15.0", "theano"));
  set_variable(asked.facts, "KERAS_BACKEND", "torch");
  EXPECT_NE(asked.state("keras", "F11"), State::found);
  EXPECT_EQ(asked.verdict("keras").backend, "tensorflow");
}

TEST(F11, legacy_keras_without_its_package) {
  Asked asked(healthy_facts());
  EXPECT_EQ(asked.state("tensorflow", "F11"), State::not_applicable);
  set_variable(asked.facts, "TF_USE_LEGACY_KERAS", "1");
  const auto outcome = asked.ask("tensorflow", "F11");
  ASSERT_EQ(outcome.state, State::found);
  EXPECT_EQ(outcome.effect, Effect::breaks);
  EXPECT_TRUE(contains(outcome.edits.front().commands.front(), "tf-keras~=2.18.0"));
  EXPECT_EQ(asked.verdict("tensorflow").answer, Usable::gpu);
  edit::install_distribution(asked.facts.pythons.front(), distribution("tf-keras", "2.18.0"));
  EXPECT_EQ(asked.state("tensorflow", "F11"), State::clear);
  set_variable(asked.facts, "TF_USE_LEGACY_KERAS", "yes"); // no word that TensorFlow reads
  EXPECT_EQ(asked.state("tensorflow", "F11"), State::not_applicable);
}

TEST(F11, a_file_named_keras_is_no_backend_of_it) {
  auto facts = with_keras(machine_with("torch", "2.6.0"), "3.8.0", "torch");
  Framework file;
  file.name = "keras";
  file.directory = "/home/u/project/keras.py";
  file.build = Fact<FrameworkBuild>::absent({file.directory, 0}, "a module of that name");
  file.broken = {file.directory + " is imported instead of Keras"};
  auto& frameworks = facts.pythons.front().frameworks;
  frameworks.insert(frameworks.begin(), file);
  Asked asked(facts);
  EXPECT_EQ(asked.causes("keras").front(), "F10");
  EXPECT_TRUE(contains(asked.verdict("keras").causes.front().summary, "instead of Keras"));
}

TEST(F10, a_file_or_folder_of_that_name_beside_the_program) {
  for (const auto* end : {".py", ""}) {
    auto facts = machine_with("torch", "2.6.0");
    Framework file;
    file.name = "torch";
    file.directory = "/home/u/project/torch" + std::string(end);
    file.build = Fact<FrameworkBuild>::absent({file.directory, 0}, "a module of that name");
    file.broken = {file.directory + " is imported instead of PyTorch"};
    auto& frameworks = facts.pythons.front().frameworks;
    frameworks.insert(frameworks.begin(), file);
    Asked asked(facts);
    EXPECT_EQ(asked.causes("torch"), Ids{"F10"}) << end;
    const auto verdict = asked.verdict("torch");
    EXPECT_EQ(verdict.plan.front().commands,
              Ids{"mv " + file.directory + " /home/u/project/my_torch" + end});
    EXPECT_TRUE(verdict.plan_reaches_gpu) << end;
  }
}

TEST(F11, a_cpu_backend_beside_a_better_one) {
  auto facts = machine_with("torch", "2.6.0");
  rules::put_jax(facts, kPython, "0.6.2", 12);
  Asked asked(with_keras(std::move(facts), "3.8.0", "jax"));
  asked.framework("jax").build.value().cuda = Fact<bool>::known(false);
  EXPECT_EQ(asked.causes("keras").front(), "F11");
  asked.framework("keras").configured_backend =
      Fact<std::string>::unknown("keras.json: Permission denied");
  EXPECT_EQ(asked.state("keras", "F11"), State::unknown);
}

TEST(F11, device_variable_of_the_torch_backend) {
  Asked asked(with_keras(machine_with("torch", "2.6.0"), "3.14.0", "torch"));
  set_variable(asked.facts, "KERAS_TORCH_DEVICE", "cpu");
  EXPECT_EQ(asked.causes("keras"), Ids{"F11"});
}

TEST(F06, keras_2_of_another_minor_version) {
  Asked asked(with_keras(healthy_facts(), "2.15.0"));
  EXPECT_EQ(asked.state("keras", "F06"), State::found); // TensorFlow 2.18
  asked.framework("keras").version = Fact<std::string>::known("2.18.0");
  EXPECT_EQ(asked.state("keras", "F06"), State::clear);
  asked.framework("keras").version = Fact<std::string>::unknown("no metadata");
  EXPECT_EQ(asked.state("keras", "F06"), State::unknown);
}

TEST(E06, variables_of_jax) {
  Asked asked(machine_with("jax", "0.6.2"));
  EXPECT_EQ(asked.state("jax", "E06"), State::clear);
  for (const auto* value : {"cuda", "gpu", "cuda,cpu", ""}) {
    set_variable(asked.facts, "JAX_PLATFORMS", value);
    EXPECT_EQ(asked.state("jax", "E06"), State::clear) << value;
  }
  for (const auto* value : {"cpu", "cpu,cuda", "rocm", "tpu"}) {
    set_variable(asked.facts, "JAX_PLATFORMS", value);
    EXPECT_EQ(asked.causes("jax"), Ids{"E06"}) << value;
    EXPECT_TRUE(asked.verdict("jax").plan_reaches_gpu);
  }
  edit::unset_variable(asked.facts, "JAX_PLATFORMS");
  set_variable(asked.facts, "JAX_CUDA_VISIBLE_DEVICES", "7"); // JAX reads no such variable
  EXPECT_EQ(asked.state("jax", "E06"), State::clear);
  asked.facts.environment.looked = false;
  EXPECT_EQ(asked.state("jax", "E06"), State::unknown);
}

TEST(L10, no_libdevice) {
  Asked asked(machine_with("jax", "0.6.2"));
  EXPECT_EQ(asked.state("jax", "L10"), State::clear);
  asked.facts.libraries.cuda_tools = Fact<std::vector<std::string>>::known({"/usr/bin/ptxas"});
  EXPECT_EQ(asked.causes("jax"), Ids{"L10"});
  EXPECT_TRUE(asked.verdict("jax").plan_reaches_gpu);
  asked.facts.libraries.cuda_tools = Fact<std::vector<std::string>>::unknown("Permission denied");
  EXPECT_EQ(asked.state("jax", "L10"), State::unknown);
  EXPECT_EQ(Asked(machine_with("jax", "0.4.30")).state("jax", "L10"), State::clear);
}

TEST(F03, native_windows) {
  Asked asked(healthy_facts());
  EXPECT_EQ(asked.state("tensorflow", "F03"), State::not_applicable);
  asked.facts.platform.system = "windows";
  EXPECT_EQ(asked.state("tensorflow", "F03"), State::found);
  asked.framework("tensorflow").version = Fact<std::string>::known("2.10.1");
  EXPECT_EQ(asked.state("tensorflow", "F03"), State::clear);
  asked.framework("tensorflow").version = Fact<std::string>::unknown("no metadata");
  EXPECT_EQ(asked.state("tensorflow", "F03"), State::unknown);
}

TEST(F04, macos) {
  Asked asked(healthy_facts());
  asked.facts.platform.system = "macos";
  EXPECT_EQ(asked.state("tensorflow", "F04"), State::found);
  asked.facts.pythons.front().problem = "Permission denied";
  EXPECT_EQ(asked.state("tensorflow", "F04"), State::unknown);
  asked.facts.pythons.front().problem.clear();
  edit::install_distribution(asked.facts.pythons.front(),
                             distribution("tensorflow-metal", "1.2.0"));
  EXPECT_EQ(asked.state("tensorflow", "F04"), State::clear);
}

} // namespace
} // namespace gpuwhy::test
