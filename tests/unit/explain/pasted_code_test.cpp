// What of a text is Python, and what only looks like it.
#include "explain/pasted_code.h"

#include "base/text.h"

#include <gtest/gtest.h>

namespace gpuwhy::explain {
namespace {

std::vector<PastedProgram> programs_in(std::string_view text) {
  PastedCode code;
  std::uint64_t number = 0;
  for (const auto line : split_lines(text)) code.line(line, ++number);
  return code.programs();
}

/// The code of the only program; "-" where there is none, or more than one.
std::string code_in(std::string_view text) {
  const auto programs = programs_in(text);
  return programs.size() == 1 ? programs.front().code : "-";
}

constexpr std::string_view kCode = "import torch\n"
                                   "net = Net()\n"
                                   "for x in data:\n"
                                   "    y = net(x)  # forward\n";

std::string each_line(std::string_view before, std::string_view code = kCode) {
  std::string text;
  for (const auto line : split_lines(code)) text += std::string(before) + std::string(line) + "\n";
  return text;
}

TEST(CodeLine, WordsSideBySideAreNoPython) {
  EXPECT_EQ(kind_of_line("model.fit(x, y, epochs=3)"), LineKind::code);
  EXPECT_EQ(kind_of_line("from keras.layers import Dense, LSTM as L"), LineKind::code);
  EXPECT_EQ(kind_of_line("x = 3 if y else None"), LineKind::code);
  EXPECT_EQ(kind_of_line("print 'loss', x"), LineKind::code);
  EXPECT_EQ(kind_of_line("    layers.Dense(10, activation='relu'),"), LineKind::code);
  EXPECT_EQ(kind_of_line("  'a': 1,"), LineKind::part);
  EXPECT_EQ(kind_of_line("# a remark"), LineKind::comment);
  for (const auto* prose :
       {"import error is what I get", "from what I read, this is a bug:", "for more information:",
        "I don't know what (else) to try = nothing works", "class of 2024", "$ python train.py",
        "CUDA_VISIBLE_DEVICES=0 python train.py", "Epoch 1/10", "- gpu: RTX 3090",
        "2024-01-01 10:00:01.5: W tensorflow/x.cc:64] Could not load (x) = y",
        "| 0  GeForce RTX 3090  Off |", "422/422 ━━━━━━━━ 61s 143ms/step - loss: 0.3"}) {
    EXPECT_EQ(kind_of_line(prose), LineKind::other) << prose;
  }
}

TEST(CodeLine, ImportsOfFrameworks) {
  EXPECT_TRUE(imports_framework("import os, torch"));
  EXPECT_TRUE(imports_framework("from tensorflow.keras import layers"));
  EXPECT_FALSE(imports_framework("import torchaudio_tools"));
  EXPECT_FALSE(imports_framework("import numpy as torch_like"));
}

TEST(PastedCode, InEveryWrapping) {
  const std::string code(kCode);
  EXPECT_EQ(code_in(code), code);
  EXPECT_EQ(code_in("Here is my code:\n\n```python\n" + code + "```\nthanks a lot\n"), code);
  EXPECT_EQ(code_in("Here is my code:\n\n" + each_line("    ") + "\nwhat is wrong?\n"),
            code + "\n");
  EXPECT_EQ(code_in(each_line("> ")), code);
  EXPECT_EQ(code_in("> > ```\n" + each_line("> > ") + "> > ```\n"), code);
  EXPECT_EQ(
      code_in("1  import torch\n2  net = Net()\n3  for x in data:\n4      y = net(x)  # forward\n"),
      code);
  EXPECT_EQ(code_in("     1\timport torch\n     2\tnet = Net()\n"), "import torch\nnet = Net()\n");
}

TEST(PastedCode, BehindTagsAndWords) {
  const std::string code(kCode);
  EXPECT_EQ(code_in("<pre><code>" + code.substr(0, code.size() - 1) + "</code></pre>\n"), code);
  EXPECT_EQ(code_in("[code]\n" + code + "[/code]\n"), code + "\n");
  EXPECT_EQ(code_in("My script looks like this: " + code), code);
  EXPECT_TRUE(
      programs_in("Two ways: import it, or do not\nThe cause: from what I see, none\n").empty());
}

TEST(PastedCode, AtPromptsWithoutTheirAnswers) {
  EXPECT_EQ(code_in(">>> import torch\n"
                    ">>> torch.cuda.is_available()\nTrue\n"
                    ">>> for x in data:\n...     f(x)\n...\n0.5 = x(1)\n>>> g()\n"),
            "import torch\ntorch.cuda.is_available()\nfor x in data:\n    f(x)\ng()\n");
  EXPECT_EQ(code_in("In [1]: import jax\n   ...: x = jax.devices()\nOut[1]: [cuda(id=0)]\n"),
            "import jax\nx = jax.devices()\n");
}

TEST(PastedCode, AsANotebooksFileHasIt) {
  EXPECT_EQ(code_in("   \"source\": [\n    \"import torch\\n\",\n    \"x = \\\"a\\\"\\n\",\n"),
            "import torch\nx = \"a\"\n");
}

TEST(PastedCode, TypographyOfForums) {
  EXPECT_EQ(code_in("import torch\nx = net.to(\xE2\x80\x98"
                    "cpu\xE2\x80\x99)\n"),
            "import torch\nx = net.to('cpu')\n");
  EXPECT_EQ(code_in("import torch\nif a &gt; b: f(&quot;x&quot;)\n"),
            "import torch\nif a > b: f(\"x\")\n");
}

TEST(PastedCode, Unfinished) {
  EXPECT_EQ(code_in("```py\nimport keras\nm = keras.Sequential([\n  keras.layers.Dense(3,\n```\n"),
            "import keras\nm = keras.Sequential([\n  keras.layers.Dense(3,)])\n");
  EXPECT_EQ(code_in("import keras\nm.fit(x,\nI stopped here since it is long\n"),
            "import keras\nm.fit(x,)\n");
}

TEST(PastedCode, StringsOfSeveralLinesMaySayAnything) {
  const std::string code = "import torch\ndef f():\n    '''Does this and that.\n\n    More of "
                           "it: words, words.\n    '''\n    return g()\n";
  EXPECT_EQ(code_in(code), code);
}

TEST(PastedCode, ProseAndLogsAreNone) {
  EXPECT_TRUE(programs_in("import error is what I get when I train: from what I read\n"
                          "for more details, see the manual:\nwhile training, it is slow:\n"
                          "if you need more, ask me (please)\nprint the log\n")
                  .empty());
  EXPECT_TRUE(programs_in("loss: 0.3 - acc: 0.9\nEpoch 1/10\nname: Tesla T4\n").empty());
  EXPECT_TRUE(programs_in("tensorflow==2.15.0\nnumpy==1.26.0\n").empty());
  EXPECT_TRUE(programs_in("x = f(1)\n").empty()) << "one line tells nothing of a program";
}

TEST(PastedCode, SourceLinesOfTracebacksAreNotThePaste) {
  EXPECT_TRUE(programs_in("Traceback (most recent call last):\n"
                          "  File \"/x/train.py\", line 3, in <module>\n"
                          "    import torch\n"
                          "  File \"/x/torch/__init__.py\", line 1, in <module>\n"
                          "    from torch._C import *  # noqa: F403\n"
                          "ImportError: libcusparse.so.12: undefined symbol: x\n")
                  .empty());
  EXPECT_TRUE(programs_in("/x/dtypes.py:516: FutureWarning: Passing (type, 1) is deprecated\n"
                          "  _np_qint8 = np.dtype([(\"qint8\", np.int8, 1)])\n"
                          "/x/dtypes.py:517: FutureWarning: Passing (type, 1) is deprecated\n"
                          "  _np_quint8 = np.dtype([(\"quint8\", np.uint8, 1)])\n")
                  .empty());
  EXPECT_EQ(code_in("ImportError          Traceback (most recent call last)\n"
                    "/x/site-packages/keras/__init__.py in <module>\n"
                    "      1 from . import a\n----> 2 from . import b\n"
                    "ImportError: no\n" +
                    std::string(kCode)),
            std::string(kCode));
}

TEST(PastedCode, OneProgramOrSeveral) {
  const auto cells = programs_in("```\nimport os\nos.environ['A'] = '1'\n```\nthen\n"
                                 "```\nimport torch\nf()\n```\n");
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells.front().lines, (std::vector<std::uint64_t>{2, 3, 7, 8}));
  EXPECT_EQ(programs_in("```\nimport torch\nf()\n```\n```\nimport torch\ng()\n```\n").size(), 2U);
  EXPECT_EQ(
      programs_in(">>> torch.cuda.is_available()\nTrue\n```\nimport torch\ng()\n```\n").size(), 2U);
}

TEST(PastedCode, BoundedAndCheapFurtherDown) {
  PastedCode code;
  code.line("import torch", 1);
  for (std::uint64_t number = 2; number < 20'000; ++number)
    code.line("x = f(" + std::to_string(number) + ")", number);
  EXPECT_LE(code.programs().front().code.size(), PastedCode::kMostBytes + 64);

  PastedCode below;
  EXPECT_FALSE(below.line("x = f(3)", 1000, false));
  EXPECT_TRUE(below.line("import torch", 1001, false)) << "the next line is wanted";
  EXPECT_TRUE(below.line("x = f(3)", 1002, false));
  EXPECT_EQ(below.programs().front().code, "import torch\nx = f(3)\n");
}

} // namespace
} // namespace gpuwhy::explain
