// Names, values and order of a module.
#include "program/frameworks.h"
#include "program/module.h"

#include <gtest/gtest.h>

using namespace gpuwhy;
using namespace gpuwhy::program;

namespace {

/// The name of what the last call calls.
std::string last_callee(const std::string& text) {
  const Module module(Tree::parse(text));
  return module.callee(module.tree().all(Kind::call).back());
}

/// The value of the last call's first argument.
Value last_argument(const std::string& text) {
  const Module module(Tree::parse(text));
  return module.fold(module.argument(module.tree().all(Kind::call).back(), 0, {}));
}

TEST(Names, ImportsAliasesAndSpellings) {
  EXPECT_EQ(last_callee("import tensorflow as tf\ntf.compat.v1.ConfigProto()\n"),
            "tensorflow.ConfigProto");
  EXPECT_EQ(last_callee("from tensorflow.keras import layers as L\nL.LSTM()\n"),
            "keras.layers.LSTM");
  EXPECT_EQ(last_callee("import tensorflow as tf\nL = tf.keras.layers\nL.LSTM()\n"),
            "keras.layers.LSTM");
  EXPECT_EQ(last_callee("from keras.layers.recurrent import LSTM as R\nR()\n"),
            "keras.layers.LSTM");
  EXPECT_EQ(last_callee("from tensorflow.keras.layers import *\nGRU()\n"), "keras.layers.GRU");
  EXPECT_EQ(last_callee("from tensorflow import config as c\nc.experimental.set_memory_growth()\n"),
            "tensorflow.config.set_memory_growth");
  EXPECT_EQ(last_callee("import torch.nn as nn\nnn.Linear()\n"), "torch.nn.Linear");
  EXPECT_EQ(last_callee("def f(tf):\n  tf.device()\n"), "tf.device"); // a parameter, not the module
}

TEST(Values, Folding) {
  EXPECT_EQ(last_argument("A = 'cu' + 'da'\nf(f'{A}:{1}')\n").string, "cuda:1");
  EXPECT_EQ(last_argument("n = 1\nf('gpu:%d' % n)\n").string, "gpu:1");
  EXPECT_EQ(last_argument("f(-1)\n").integer, -1);
  EXPECT_EQ(last_argument("f(4 if __name__ == '__main__' else 5)\n").integer, 4);
  EXPECT_TRUE(last_argument("class C:\n  B = 3\nf(C.B)\n").is_integer());
  EXPECT_FALSE(last_argument("def g(n=1):\n  f(n)\n").known());
  EXPECT_FALSE(last_argument("n = 1\nn += 1\nf(n)\n").known());
  EXPECT_FALSE(last_argument("if x:\n  n = 1\nelse:\n  n = 2\nf(n)\n").known());
  EXPECT_EQ(last_argument("n = 1\nn = 2\nf(n)\n").integer, 2);
  EXPECT_FALSE(last_argument("f(99999999999999999999)\n").known());
}

TEST(Flow, CertainChosenAndDead) {
  const auto of_last = [](const std::string& text, auto ask) {
    const Module module(Tree::parse(text));
    return ask(module, module.tree().all(Kind::call).back());
  };
  const auto certain = [](const Module& m, NodeId id) { return m.certain(id); };
  const auto dead = [](const Module& m, NodeId id) { return m.dead(id); };
  const auto by_choice = [](const Module& m, NodeId id) { return chosen(m, id); };
  EXPECT_TRUE(of_last("if __name__ == '__main__':\n  f()\n", certain));
  EXPECT_FALSE(of_last("if x:\n  f()\n", certain));
  EXPECT_FALSE(of_last("if not x:\n  exit()\n  raise X\nf()\n", certain));
  EXPECT_TRUE(of_last("if False:\n  f()\n", dead));
  EXPECT_TRUE(of_last("def g():\n  return 1\n  f()\n", dead));
  EXPECT_TRUE(of_last("def g(flag):\n  if flag:\n    f()\n", by_choice));
  EXPECT_TRUE(of_last("try:\n  a = 1\nexcept E:\n  f()\n", by_choice));
  EXPECT_FALSE(of_last("for i in x:\n  f()\n", by_choice));
}

TEST(Devices, Spellings) {
  EXPECT_TRUE(parse_device("/job:w/replica:0/task:0/device:CPU:0").is_cpu());
  EXPECT_EQ(parse_device("cuda:3").index, 3);
  EXPECT_EQ(parse_device("quda").type, Device::Type::unknown);
}

} // namespace
