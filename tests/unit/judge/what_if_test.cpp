// What a typed command would make of a machine; what no table tells stays open.
#include "judge/what_if.h"
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using Words = std::vector<std::string>;

WhatIf suppose(const Machine& machine, const Words& changes) {
  auto answer = what_if(machine.facts, changes);
  EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
  return answer ? *answer : WhatIf{};
}

Usable after(const Machine& machine, const Words& changes) {
  return suppose(machine, changes).after.frameworks.front().answer;
}

std::string error(const std::string& change) {
  const auto answer = what_if(healthy_facts(), {change});
  return answer ? "" : answer.error().message;
}

Machine hidden() {
  Machine machine;
  set_variable(machine.facts, "CUDA_VISIBLE_DEVICES", "-1");
  machine.facts.observed.cuda.value().init = 100;
  machine.facts.observed.cuda.value().count = 0;
  machine.facts.observed.cuda.value().devices.clear();
  return machine;
}

TEST(WhatIf, variables) {
  EXPECT_EQ(after(hidden(), {"unset CUDA_VISIBLE_DEVICES"}), Usable::gpu);
  EXPECT_EQ(after(hidden(), {"CUDA_VISIBLE_DEVICES=0"}), Usable::gpu);
  EXPECT_EQ(after(Machine(), {"export CUDA_VISIBLE_DEVICES=''"}), Usable::no_gpu);
  EXPECT_EQ(after(Machine(), {"CUDA_VISIBLE_DEVICES=7"}), Usable::no_gpu);
}

TEST(WhatIf, several_in_order_and_the_machine_stays) {
  Machine machine = hidden();
  machine.remove_wheel("cudnn");
  const auto answer =
      suppose(machine, {"unset CUDA_VISIBLE_DEVICES", "pip install nvidia-cudnn-cu12==9.3.0.75"});
  EXPECT_EQ(answer.before.frameworks.front().answer, Usable::no_gpu);
  EXPECT_EQ(answer.after.frameworks.front().answer, Usable::gpu);
  EXPECT_EQ(answer.changes[1].outcome, "nvidia-cudnn-cu12 9.3.0.75 with libcudnn.so.9");
}

TEST(WhatIf, packages_of_tensorflow) {
  Machine bare;
  bare.remove_all_wheels();
  EXPECT_EQ(after(bare, {"pip install 'tensorflow[and-cuda]==2.18.*'"}), Usable::gpu);
  EXPECT_EQ(after(bare, {"pip install tensorflow"}), Usable::no_gpu); // it stays as it is
  EXPECT_EQ(after(Machine(), {"pip install tensorflow-cpu==2.18.0"}), Usable::no_gpu);
  EXPECT_EQ(after(Machine(), {"pip uninstall -y nvidia-cudnn-cu12"}), Usable::no_gpu);
  EXPECT_EQ(after(bare, {"pip install --upgrade tensorflow==2.17.0"}), Usable::no_gpu);
}

TEST(WhatIf, pip_leaves_what_it_believes_to_be_there) {
  Machine machine;
  for (const std::string folder :
       {"cublas", "cudnn", "cufft", "curand", "cusolver", "cusparse", "cuda_runtime", "nvjitlink"})
    machine.remove_wheel(folder, false); // the files are gone, the metadata is not
  EXPECT_EQ(after(machine, {"pip install tensorflow[and-cuda]==2.18.0"}), Usable::no_gpu);
  const auto verdict = judge(machine.facts).frameworks.front();
  ASSERT_TRUE(verdict.plan_reaches_gpu);
  EXPECT_NE(verdict.plan.front().commands.front().find("--force-reinstall --no-deps"),
            std::string::npos)
      << verdict.plan.front().commands.front();
  EXPECT_EQ(after(machine, verdict.plan.front().commands), Usable::gpu);
}

TEST(WhatIf, what_pip_would_refuse_changes_nothing) {
  Machine machine;
  machine.python().version = Fact<std::string>::known("3.13.1");
  const auto answer = suppose(machine, {"pip install tensorflow[and-cuda]==2.15.0"});
  EXPECT_EQ(answer.changes.front().outcome,
            "pip would find no TensorFlow of ==2.15.0 for Python 3.13.1");
  EXPECT_EQ(answer.after.frameworks.front().version, "2.18.0");
}

TEST(WhatIf, what_is_in_no_table_leaves_the_answer_open) {
  for (const std::string change :
       {"pip install somepackage", "pip install tensorflow[and-cuda]==9.1",
        "pip install torch==2.6.0 --index-url https://example.org/simple", "pip install -r r.txt",
        "conda install tensorflow", "pip install ./wheel.whl", "driver 999.1"}) {
    const auto answer = suppose(Machine(), {change});
    EXPECT_EQ(answer.after.frameworks.front().answer, Usable::unknown) << change;
    EXPECT_FALSE(answer.changes.front().told) << change;
    EXPECT_EQ(answer.after.frameworks.front().unknown.front(), answer.changes.front().outcome);
  }
  EXPECT_EQ(after(hidden(), {"pip install somepackage"}), Usable::no_gpu); // no package shows it
}

TEST(WhatIf, drivers) {
  Machine none;
  none.remove_driver();
  EXPECT_EQ(after(none, {"driver 550"}), Usable::gpu);
  EXPECT_EQ(after(none, {"driver 525"}), Usable::gpu);            // the oldest that CUDA 12 takes
  EXPECT_EQ(after(none, {"driver 470.256.02"}), Usable::unknown); // from before the RTX 4090
  Machine empty;
  empty.no_gpus();
  const auto answer = suppose(empty, {"driver 550"});
  EXPECT_EQ(answer.changes.front().outcome, "there is no NVIDIA GPU for it to drive");
  EXPECT_EQ(answer.after.frameworks.front().answer, Usable::no_gpu);
}

TEST(WhatIf, a_driver_past_the_gpu_does_not_drive_it) {
  Machine machine;
  machine.remove_driver();
  machine.gpu().last_driver_branch = Fact<int>::known(470);
  EXPECT_EQ(after(machine, {"driver 550"}), Usable::no_gpu);
}

TEST(WhatIf, errors_list_the_forms_in_one_line) {
  for (const std::string change : {"make coffee", "unset", "unset 1A", "", "driver new",
                                   "unset A; rm -rf /", "export A=$(date)", "A='b"}) {
    const auto message = error(change);
    EXPECT_NE(message.find("'unset NAME'"), std::string::npos) << change;
    EXPECT_EQ(message.find('\n'), std::string::npos) << change;
  }
}

TEST(SimpleWords, as_a_shell_cuts_them) {
  Facts facts = healthy_facts();
  edit::set_variable(facts, "A", "x y");
  const auto words = [&](const std::string& text) {
    return simple_words(facts, text).value_or(Words{"?"});
  };
  EXPECT_EQ(words(R"(a  'b c' "d $A" \$e)"), (Words{"a", "b c", "d x y", "$e"}));
  EXPECT_EQ(words("${A}z $NONE ''"), (Words{"x yz", ""}));
  EXPECT_EQ(words("a | b"), Words{"?"});
  EXPECT_EQ(words("a \"`b`\""), Words{"?"});
}

TEST(WhatIf, the_commands_of_a_plan_can_be_supposed) {
  Machine machine;
  machine.remove_wheel("cudnn");
  const auto verdict = judge(machine.facts).frameworks.front();
  ASSERT_TRUE(verdict.plan_reaches_gpu);
  EXPECT_EQ(after(machine, verdict.plan.front().commands), Usable::gpu);
}

} // namespace
} // namespace gpuwhy::test
