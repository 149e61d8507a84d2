#include "explain/code_reader.h"

#include <gtest/gtest.h>

namespace gpuwhy::explain {
namespace {

TEST(BareCode, WithoutWhatAToolOrAPromptPutBefore) {
  EXPECT_EQ(bare_code("88:    with tf.device('/cpu:0'):"), "    with tf.device('/cpu:0'):");
  EXPECT_EQ(bare_code("   | 140 |   for i in range(9):"), "   for i in range(9):");
  EXPECT_EQ(bare_code("     6\tos.environ['A'] = '2'"), "os.environ['A'] = '2'");
  EXPECT_EQ(bare_code("src/train.py:12:x = 1"), "x = 1");
  EXPECT_EQ(bare_code(">>> x.device"), "x.device");
  EXPECT_EQ(bare_code("In [9]: a = 1"), "a = 1");
  EXPECT_EQ(bare_code("   ...: for i in range(5):"), "for i in range(5):");
  EXPECT_EQ(bare_code("2024 was a year"), "2024 was a year");
}

TEST(CodeReader, WhatALoopRepeats) {
  CodeReader reader;
  EXPECT_FALSE(reader.looped("model = build()"));
  EXPECT_FALSE(reader.looped("for i in range(10):"));
  EXPECT_EQ(reader.looped("    model = load_model('m.h5')"),
            "in a loop: model = load_model('m.h5')");
  EXPECT_EQ(reader.looped("    for x in y:"), std::nullopt) << "a loop in a loop";
  EXPECT_EQ(reader.looped("        step(x)"), "in a loop: step(x)");
  EXPECT_FALSE(reader.looped("print('done')")) << "behind the loop";
  EXPECT_FALSE(reader.looped("    indented, and in no loop"));
}

TEST(CodeReader, OneLineAndStatements) {
  CodeReader reader;
  EXPECT_EQ(reader.looped("while True: model = build()"), "in a loop: model = build()");
  EXPECT_EQ(reader.looped("- code: for x, y in ds[0:9]: loss = step(x)"), "in a loop: loss = step(x)");
  EXPECT_FALSE(reader.looped("- code: model.fit(x)"));
  EXPECT_FALSE(reader.looped("for more information, see the manual:")) << "no code";
}

} // namespace
} // namespace gpuwhy::explain
