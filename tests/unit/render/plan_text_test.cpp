// The plan, what would be, and what releases need, as a person reads them.
#include "render/plan_text.h"

#include "render/compat_text.h"
#include "render/verdict_json.h"
#include "render/verdict_text.h"
#include "render/what_if_text.h"
#include "unit/render/samples.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

const Style kStyle{.color = false, .unicode = true, .width = 100, .home = "/home/ada"};

/// The raw strings below begin with a line feed.
std::string_view text(std::string_view raw) {
  return raw.substr(1);
}

Mending three_steps() {
  Mending mending;
  mending.verdict = samples::three_causes().frameworks.front();
  for (const auto& fix : mending.verdict.plan) mending.steps.push_back({fix, {}});
  mending.steps.front().by_hand = "it needs root";
  mending.file = "/home/ada/.bashrc";
  return mending;
}

TEST(PlanText, steps_in_order_and_who_does_them) {
  EXPECT_EQ(plan_text(three_steps(), kStyle), text(R"(
✗ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will run on the CPU, not on the GPU

  cause    NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0) has no driver: NVIDIA's is not installed   H03
  plan     1. install the NVIDIA driver, then restart
               sudo apt update
               sudo apt install linux-headers-$(uname -r) nvidia-driver libcuda1
               sudo reboot
             left to you: it needs root
           2. install TensorFlow's own CUDA libraries, the and-cuda extra
               /home/ada/train/.venv/bin/python -m pip install 'tensorflow[and-cuda]==2.18.0'
           3. unset CUDA_VISIBLE_DEVICES (set in ~/.profile:7)
               unset CUDA_VISIBLE_DEVICES
  then     the GPU is used                                                                  verified

  apply    'gpuwhy fix --apply' does what is not left to you, variables in ~/.bashrc; '--undo' takes
           it back, '--dry-run' shows it
)"));
}

TEST(PlanText, nothing_to_mend) {
  Mending mending;
  mending.verdict = samples::healthy().frameworks.front();
  EXPECT_EQ(plan_text(mending, kStyle), text(R"(
✓ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

  plan     nothing is to be mended
)"));
}

Verdict with_alternatives() {
  auto verdict = samples::one_cause();
  verdict.frameworks.front().alternatives = {{{samples::extras_missing().fix.value()}},
                                             {{samples::driver_missing(true).fix.value()}}};
  return verdict;
}

TEST(PlanText, other_ways_have_a_number) {
  Mending mending;
  mending.verdict = with_alternatives().frameworks.front();
  mending.steps = {{mending.verdict.plan.front(), {}}};
  const auto shown = plan_text(mending, kStyle);
  EXPECT_NE(shown.find("--plan 2\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("--plan 3\n"), std::string::npos) << shown;
}

TEST(VerdictText, other_ways_stand_below_the_plan) {
  EXPECT_NE(verdict_text(with_alternatives(), kStyle, Detail::brief).find(text(R"(
  or       install TensorFlow's own CUDA libraries, the and-cuda extra
  or       install the NVIDIA driver, then restart
           verified too; 'gpuwhy fix' has the commands
)")),
            std::string::npos)
      << verdict_text(with_alternatives(), kStyle, Detail::brief);
}

TEST(WhatIfText, before_and_after) {
  WhatIf answer;
  answer.changes = {{"unset LD_LIBRARY_PATH", {}, true},
                    {"driver 550", "driver 550 would run, and with it CUDA up to 12.4", true}};
  answer.before = samples::one_cause();
  answer.after = samples::healthy();
  EXPECT_EQ(what_if_text(answer, kStyle, Detail::brief), text(R"(
  what if  unset LD_LIBRARY_PATH
           driver 550
             driver 550 would run, and with it CUDA up to 12.4
  before   ✗ TensorFlow 2.15.0 (Python 3.11.7, venv ~/train/.venv) will list the GPU, then fail when
             it uses it: L04 cudnn-version-mismatch
  after    ✓ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

✓ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✓
           architecture ✓  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
)"));
}

TEST(WhatIfText, what_nobody_can_tell_ends_there) {
  WhatIf answer;
  answer.changes = {{"pip install x\x1b[2J", "what x brings is not in gpuwhy's tables", false}};
  answer.before = answer.after = samples::not_known();
  const auto shown = what_if_text(answer, kStyle, Detail::brief);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find("route"), std::string::npos);
}

TEST(WhatIfJson, both_verdicts_and_the_changes) {
  WhatIf answer;
  answer.changes = {{"unset A", {}, true}};
  answer.before = samples::one_cause();
  answer.after = samples::healthy();
  const auto report = nlohmann::json::parse(what_if_json(answer));
  EXPECT_EQ(report["what_if"]["changes"][0]["change"], "unset A");
  EXPECT_EQ(report["what_if"]["before"][0]["causes"][0]["id"], "L04");
  EXPECT_TRUE(report["verdicts"][0]["causes"].empty());
}

Needs release() {
  Needs needs;
  needs.framework = "tensorflow";
  needs.version = "2.18.0";
  needs.released = "2024-10";
  needs.python = "3.9-3.12";
  needs.cuda = "12.5.1";
  needs.cudnn = "9.3.0";
  needs.driver = "525.60.13";
  needs.machine_code = {"6.0", "8.9", "9.0"};
  needs.ptx = {"9.0"};
  needs.install = "tensorflow[and-cuda]==2.18.0";
  needs.source = "docs";
  return needs;
}

TEST(CompatText, a_release) {
  Compat compat;
  compat.asked = "tensorflow==2.18";
  compat.needs = {release()};
  EXPECT_EQ(compat_text(compat, kStyle, false), text(R"(
✓ tensorflow==2.18

• TensorFlow 2.18.0, released 2024-10
  Python   3.9-3.12
  CUDA     12.5.1, cuDNN 9.3.0
  driver   525.60.13 or newer
  GPU      compute capability 6.0, 8.9, 9.0; later ones through PTX of 9.0, compiled at the first
           start
  install  pip install 'tensorflow[and-cuda]==2.18.0'
  source   docs
)"));
}

TEST(CompatText, this_machine) {
  Compat compat;
  compat.gpu = "GeForce RTX 4090, compute capability 8.9";
  compat.driver = "550.54.14";
  auto newer = release();
  newer.version = "2.99.0";
  auto older = release();
  older.version = "2.17.0";
  compat.here = {
      {"tensorflow",
       "3.11",
       "/v/bin/python",
       {{newer, {"it needs driver 999 or newer"}, {}}, {release(), {}, {}}, {older, {}, {}}}}};
  EXPECT_EQ(compat_text(compat, kStyle, false), text(R"(
• what this machine can run on its GPU

  GPU      GeForce RTX 4090, compute capability 8.9
  driver   550.54.14

  Python   3.11 (/v/bin/python)
  TF       ✓ TensorFlow 2.18.0
               pip install 'tensorflow[and-cuda]==2.18.0'
             back to TensorFlow 2.17.0, 2 builds in all
             not TensorFlow 2.99.0: it needs driver 999 or newer
)"));
  const auto report = nlohmann::json::parse(compat_json(compat));
  EXPECT_EQ(report["here"][0]["releases"][0]["works"], false);
  EXPECT_EQ(report["here"][0]["releases"][1]["works"], true);
}

} // namespace
} // namespace gpuwhy
