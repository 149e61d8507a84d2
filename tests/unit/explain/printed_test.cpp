// One line that answers several questions. The programs and answers are put together here.
#include "explain/printed.h"

#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

using Values = std::vector<std::string>;

Values values(std::string_view code, std::string_view answer) {
  const auto prints = printed_by(code);
  if (prints.empty()) return {"no print"};
  return prints.front().values_in(answer).value_or(Values{"no answer"});
}

Verdict verdict(std::string_view text) {
  Explainer explainer;
  explainer.feed(text);
  return explainer.finish().whole.verdict;
}

TEST(Printed, EachValueOfAPrint) {
  EXPECT_EQ(
      values("print(tf.config.list_physical_devices('GPU'), torch.cuda.is_available())", "[] True"),
      (Values{"[]", "True"}));
  EXPECT_EQ(values("print(torch.__version__, torch.cuda.get_device_name(0), "
                   "torch.cuda.is_available())",
                   "2.1.0 NVIDIA GeForce RTX 3090 True"),
            (Values{"2.1.0", "NVIDIA GeForce RTX 3090", "True"}));
}

TEST(Printed, ATupleAtAPrompt) {
  EXPECT_EQ(values(">>> torch.version.cuda is None, torch.cuda.is_available()", "(True, False)"),
            (Values{"True", "False"}));
  EXPECT_EQ(values("In [2]: jax.__version__, jax.devices()", "('0.4.30', [CpuDevice(id=0)])"),
            (Values{"'0.4.30'", "[CpuDevice(id=0)]"}));
}

TEST(Printed, WordsAndFormats) {
  EXPECT_EQ(values("print('cuda', torch.version.cuda, 'ok', torch.cuda.is_available())",
                   "cuda None ok False"),
            (Values{"None", "False"}));
  EXPECT_EQ(values("print(f\"n={torch.cuda.device_count()} {torch.cuda.is_available()!s:>6}\")",
                   "n=2   True"),
            (Values{"2", "True"}));
  EXPECT_EQ(values("print(f'{torch.cuda.is_available()=}')", "torch.cuda.is_available()=False"),
            (Values{"False"}));
}

TEST(Printed, WhatDoesNotFitIsNoAnswer) {
  constexpr std::string_view kCode = "print(tf.__version__, torch.cuda.is_available())";
  EXPECT_EQ(values(kCode, "[] True"), (Values{"no answer"}));
  EXPECT_EQ(values(kCode, "2.15.0"), (Values{"no answer"}));
  EXPECT_EQ(values(kCode, "2024-01-01 10:00:00 I opened libcudart"), (Values{"no answer"}));
  EXPECT_TRUE(printed_by("print(tf.__version__,").empty());
  EXPECT_TRUE(printed_by("pprint(x)").empty());
}

TEST(Printed, OneFrameworksAnswerIsNotTheOthers) {
  constexpr std::string_view kAsked =
      ">>> print(tf.config.list_physical_devices('GPU'), torch.cuda.is_available())\n";
  EXPECT_EQ(verdict(std::string(kAsked) + "[] True\n"), Verdict::cannot_tell);
  EXPECT_EQ(root(">>> print(tf.test.is_built_with_cuda(), torch.cuda.is_available())\n"
                 "False True\n"),
            "F02");
  EXPECT_EQ(root(">>> torch.version.cuda is None, torch.cuda.is_available()\n(True, False)\n"),
            "F13");
  EXPECT_EQ(root(">>> torch.version.cuda is None, torch.cuda.is_available()\n(False, False)\n"),
            "-");
}

TEST(Printed, AScriptIsAnsweredInItsOrder) {
  constexpr std::string_view kScript = "$ cat look.py\n"
                                       "import torch\n"
                                       "print(torch.cuda.is_available())\n"
                                       "print(torch.version.cuda)\n"
                                       "$ python look.py\n";
  EXPECT_EQ(root(std::string(kScript) + "False\nNone\n"), "F13");
  EXPECT_EQ(root(std::string(kScript) + "False\n12.1\n"), "-");
  EXPECT_EQ(verdict(std::string(kScript) + "True\n12.1\n"), Verdict::gpu);
}

} // namespace
} // namespace gpuwhy::explain
