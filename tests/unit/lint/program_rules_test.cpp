// The causes in code: found where they are, and not where the code only looks alike.
#include "unit/lint/judging.h"

#include <gtest/gtest.h>

using namespace gpuwhy;

namespace {

const std::string kTf = "import tensorflow as tf\n";
const std::string kOs = "import os\n";

TEST(PinnedToCpu, AScopeAroundAModel) {
  EXPECT_EQ(found(kTf + "with tf.device('/CPU:0'):\n    m = tf.keras.Sequential([])\n"),
            Places{"P01:2"});
  EXPECT_EQ(found("from tensorflow import device as d, keras\nwith d('cpu'):\n  "
                  "keras.models.load_model('x')\n"),
            Places{"P01:2"});
  EXPECT_EQ(found(kTf + "D = '/device:CPU:0'\nwith tf.device(D):\n    model.fit(x)\n"),
            Places{"P01:3"});
}

TEST(PinnedToCpu, WhatBelongsThere) {
  EXPECT_EQ(found(kTf + "with tf.device('/cpu:0'):\n    e = tf.keras.layers.Embedding(9, 9)\n"),
            Places{});
  EXPECT_EQ(found(kTf + "with tf.device('/cpu:0'):\n    ds = tf.data.Dataset.range(3)\n"),
            Places{});
  EXPECT_EQ(
      found(kTf +
            "def f(use_cpu):\n  if use_cpu:\n    with tf.device('/cpu:0'):\n      model.fit(x)\n"),
      Places{});
  EXPECT_EQ(found(kTf + "if False:\n  with tf.device('/cpu:0'):\n    model.fit(x)\n"), Places{});
  EXPECT_EQ(found(kTf + "'''\nwith tf.device('/cpu:0'):\n    model.fit(x)\n'''\n"), Places{});
  EXPECT_EQ(found(kTf + "d = '/gpu:0' if tf.config.list_physical_devices('GPU') else "
                        "'/cpu:0'\nwith tf.device(d):\n  model.fit(x)\n"),
            Places{});
}

TEST(PinnedToCpu, AnEmbeddingTableWithItsLoss) {
  const std::string table =
      kTf + "with tf.device('/cpu:0'):\n  e = tf.nn.embedding_lookup(w, ids)\n";
  EXPECT_EQ(found(table + "  tf.train.AdagradOptimizer(1.0).minimize(tf.matmul(e, v))\n"),
            Places{});
  EXPECT_EQ(found(table + "  h = tf.layers.dense(e, 10)\n"), Places{"P01:2"});
}

TEST(PinnedToCpu, TheLastDeviceWins) {
  const std::string head = "import torch\nnet = Net()\n";
  const std::string tail = "net.to(device)\nfor x in data:\n  net(x).sum().backward()\n";
  EXPECT_EQ(found(head + "device = torch.device('cpu')\n" + tail), Places{"P01:3"});
  EXPECT_EQ(
      found(head + "device = 'cpu'\nif torch.cuda.is_available():\n  device = 'cuda'\n" + tail),
      Places{});
}

TEST(HidesGpus, TheEmptyList) {
  EXPECT_EQ(found(kTf + "tf.config.set_visible_devices([], 'GPU')\nmodel.fit(x)\n"),
            Places{"P02:2"});
  EXPECT_EQ(found(kTf + "NONE = []\ntf.config.experimental.set_visible_devices(devices=NONE, "
                        "device_type='GPU')\n"),
            Places{"P02:3"});
  EXPECT_EQ(found("import jax\n" + kTf + "tf.config.set_visible_devices([], 'GPU')\n"), Places{});
  EXPECT_EQ(
      found(
          kTf +
          "g = tf.config.list_physical_devices('GPU')\ntf.config.set_visible_devices(g, 'GPU')\n"),
      Places{});
}

TEST(EnvironmentInCode, ValueAndPlace) {
  EXPECT_EQ(found(kOs + "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n" + kTf), Places{"P03:2"});
  EXPECT_EQ(found(kOs + kTf + "os.environ.update(CUDA_VISIBLE_DEVICES='')\n"), Places{"P03:3"});
  EXPECT_EQ(found(kOs + kTf + "os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"), Places{});
  EXPECT_EQ(
      found(kOs +
            "import torch\ntorch.cuda.is_available()\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"),
      Places{"P03:4"});
  EXPECT_EQ(found(kOs + kTf + "os.environ['CUDA_VISIBLE_DEVICES'] = 0\n"), Places{"P03:3"});
  EXPECT_EQ(found(kOs + kTf + "os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')\n"), Places{});
  EXPECT_EQ(found(kOs + "os.environ['CUDA_VISIBLE_DEVICES'] = ''\n"),
            Places{}); // no framework here
  EXPECT_EQ(found("import keras, os\nos.environ['KERAS_BACKEND'] = 'jax'\n"), Places{"P03:2"});
  EXPECT_EQ(found("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras\n"), Places{});
}

TEST(EnvironmentInCode, ACallOrdersWhatItsFunctionDoes) {
  const std::string functions =
      "import os, torch\ndef late():\n  os.environ['CUDA_VISIBLE_DEVICES'] = '1'\ndef look():\n  "
      "return torch.cuda.device_count()\n";
  EXPECT_EQ(found(functions + "if __name__ == '__main__':\n  look()\n  late()\n"), Places{"P03:3"});
  EXPECT_EQ(found(functions + "late()\nlook()\n"), Places{});
}

TEST(DeviceCount, ZeroThatReachesASession) {
  EXPECT_EQ(found(kTf + "c = tf.ConfigProto(\n  device_count={'GPU': 0})\ntf.Session(config=c)\n"),
            Places{"P04:3"});
  EXPECT_EQ(found("import tensorflow.compat.v1 as tf\nkw = dict(device_count={'GPU': 0})\nc = "
                  "tf.ConfigProto(device_count={'GPU': 0, 'CPU': 4})\n"),
            Places{"P04:3"});
  EXPECT_EQ(found(kTf + "c = tf.ConfigProto(device_count={'GPU': 1})\n"), Places{});
}

TEST(ConfigAfterInit, Order) {
  const std::string growth = "for g in tf.config.list_physical_devices('GPU'):\n  "
                             "tf.config.experimental.set_memory_growth(g, True)\n";
  EXPECT_EQ(found(kTf + growth + "m = tf.keras.Sequential()\n"), Places{});
  EXPECT_EQ(found(kTf + "m = tf.keras.Sequential()\n" + growth), Places{"P05:4"});
  EXPECT_EQ(found(kTf + "x = tf.constant(1)\ntry:\n  tf.config.set_visible_devices(g, "
                        "'GPU')\nexcept RuntimeError as e:\n  print(e)\n"),
            Places{"P05:4"});
}

// The three examples that every answer to "is my GPU used?" shows.
TEST(ConfigAfterInit, TheExamplesOfEveryAnswer) {
  EXPECT_EQ(
      found(kTf +
            "with tf.device('/gpu:0'):\n  model = tf.keras.Sequential([tf.keras.layers.Dense(64), "
            "tf.keras.layers.Dense(10)])\n  model.compile('adam')\n  model.fit(x, y)\n"),
      Places{});
  EXPECT_EQ(
      found(kTf +
            "gpus = tf.config.list_physical_devices('GPU')\nif gpus:\n  try:\n    "
            "tf.config.set_visible_devices(gpus[0], 'GPU')\n    logical_gpus = "
            "tf.config.list_logical_devices('GPU')\n  except RuntimeError as e:\n    print(e)\n"),
      Places{});
  EXPECT_EQ(
      found(kTf +
            "gpus = tf.config.list_physical_devices('GPU')\nfor gpu in gpus:\n  "
            "tf.config.experimental.set_memory_growth(gpu, True)\nmodel.fit(x)\n!nvidia-smi\n"),
      Places{});
}

TEST(NonexistentDevice, CountedAfterTheChoice) {
  const std::string one = "import os, torch\nos.environ['CUDA_VISIBLE_DEVICES'] = '2'\n";
  const auto report = judge_text(one + "d = torch.device('cuda:2')\n");
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].id, "P06");
  EXPECT_EQ(report.findings[0].severity, Severity::error);
  EXPECT_EQ(found(one + "d = torch.device('cuda:0')\n"), Places{});
}

TEST(NonexistentDevice, TheMachineDecides) {
  const std::string code = kTf + "with tf.device('/gpu:1'):\n  x = 1\n";
  EXPECT_EQ(judge_text(code).findings.at(0).severity, Severity::info);
  EXPECT_EQ(judge_text(code, "a.py", {1}).findings.at(0).severity, Severity::error);
  EXPECT_TRUE(judge_text(code, "a.py", {2}).findings.empty());
  EXPECT_EQ(
      found(kTf + "g = tf.config.list_physical_devices('GPU')\nif len(g) > 1:\n  use(g[1])\n"),
      Places{});
  EXPECT_EQ(found(kTf + "use(tf.config.list_physical_devices()[1])\n"), Places{}); // the first GPU
}

TEST(CpuOnlyOps, EagerModeAndPython) {
  EXPECT_EQ(found(kTf + "model.compile('adam', run_eagerly=True)\n"), Places{"P07:2"});
  EXPECT_EQ(found(kTf + "def f(debug=False):\n  model.compile('adam', run_eagerly=debug)\n"),
            Places{});
  EXPECT_EQ(found(kTf + "tf.config.experimental_run_functions_eagerly(True)\n"), Places{"P07:2"});
  EXPECT_EQ(found(kTf + "def my_loss(a, b):\n  return tf.py_function(f, [a, b], tf.float32)\n"),
            Places{"P07:3"});
  EXPECT_EQ(
      found(kTf + "def f(x):\n  for t in range(tf.shape(x)[1]):\n    y = tf.matmul(y, x[:, t])\n"),
      Places{"P07:3"});
  EXPECT_EQ(found(kTf + "def f(x):\n  for t in range(x.shape[0]):\n    print(x[t])\n"), Places{});
}

TEST(InputPipeline, MapAndPrefetch) {
  const std::string head =
      kTf + "def f(p):\n  return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(p)), (9, "
            "9))\nds = tf.data.Dataset.list_files('*')\n";
  EXPECT_EQ(found(head + "ds = ds.map(f).batch(32)\nmodel.fit(ds)\n"), Places{"P08:5"});
  EXPECT_EQ(found(head + "ds = ds.map(f, -1).batch(32).prefetch(1)\nmodel.fit(ds)\n"), Places{});
  EXPECT_EQ(found(kTf + "ds = tf.data.Dataset.range(9).map(lambda x: (x, "
                        "x)).batch(30).prefetch(1)\nmodel.fit(ds)\n"),
            Places{});
  EXPECT_EQ(found("from datasets import Dataset\nimport torch\nd = Dataset.from_generator(f)\nd = "
                  "d.map(g)\n"),
            Places{});
}

TEST(TooLittleWork, BatchesAndRows) {
  EXPECT_EQ(found(kTf + "BATCH = 2\nmodel.fit(x, y, batch_size=BATCH)\n"), Places{"P09:2"});
  EXPECT_EQ(found(kTf + "def f(batch=1):\n  model.fit(x, y, batch_size=batch)\n"), Places{});
  EXPECT_EQ(found(kTf + "for row in rows:\n  model.predict(row[None])\n"), Places{"P09:3"});
  EXPECT_EQ(found(kTf + "model.predict(row[None])\n"), Places{});
}

TEST(SingleGpu, TheParallelModelIsNotTheOne) {
  const std::string head =
      "from keras.utils import multi_gpu_model\np = multi_gpu_model(model, gpus=2)\n";
  EXPECT_EQ(found(head + "model.compile('adam')\nmodel.fit(x)\n"), Places{"P10:2"});
  EXPECT_EQ(found(head + "p.compile('adam')\np.fit(x)\n"), Places{});
}

TEST(NonCudnnLayer, Arguments) {
  const std::string head = "from tensorflow.keras.layers import LSTM, GRU, Bidirectional\n";
  EXPECT_EQ(found(head + "Bidirectional(LSTM(8, activation='relu'))\n"), Places{"P13:2"});
  EXPECT_EQ(
      found(head +
            "GRU(8, reset_after=False)\nLSTM(8, recurrent_dropout=.2)\nLSTM(8, use_bias=False)\n"),
      (Places{"P13:2", "P13:3", "P13:4"}));
  EXPECT_EQ(
      found(head +
            "LSTM(8, dropout=.2, implementation=1, activation='tanh', recurrent_dropout=0.0)\n"),
      Places{});
  EXPECT_EQ(found("from torch.nn import LSTM\nLSTM(8, 8, dropout=0.5, bias=False)\n"), Places{});
}

TEST(NotMoved, TrainingWithoutADevice) {
  const std::string head = "import torch\nfrom torch import nn\nmodel = nn.Linear(2, 2)\nopt = "
                           "torch.optim.SGD(model.parameters(), 0.1)\n";
  const std::string loop =
      "for x, y in data:\n  loss = f(model(x), y)\n  loss.backward()\n  opt.step()\n";
  EXPECT_EQ(found(head + loop), (Places{"P15:3", "P15:6"}));
  EXPECT_EQ(found(head + "model.to(where)\n" + loop), Places{});
  EXPECT_EQ(
      found("import torch\ndef train(model, data):\n  opt = torch.optim.SGD(model.parameters(), "
            "0.1)\n  for x in data:\n    model(x).backward()\n"),
      Places{});
}

TEST(LeakPattern, WhatLoopsKeep) {
  EXPECT_EQ(found("import torch\nfor x in data:\n  loss = f(x)\n  loss.backward()\n  "
                  "losses.append(loss)\n  total += loss\n"),
            (Places{"P18:5", "P18:6"}));
  EXPECT_EQ(found("import torch\nfor x in data:\n  loss = f(x)\n  loss.backward()\n  "
                  "losses.append(loss.item())\n  total += float(loss)\n"),
            Places{});
  EXPECT_EQ(found("import keras\nfor fold in folds:\n  m = keras.Sequential()\n  m.fit(fold)\n"),
            Places{"P18:3"});
  EXPECT_EQ(found("import keras\nfor fold in folds:\n  keras.backend.clear_session()\n  m = "
                  "keras.Sequential()\n  m.fit(fold)\n"),
            Places{});
  EXPECT_EQ(
      found(kTf + "@tf.function\ndef step(i):\n  return i\nfor i in range(1000):\n  step(i)\n"),
      Places{"P18:6"});
  EXPECT_EQ(
      found(kTf + "@tf.function\ndef step(i):\n  return i\nfor i in tf.range(1000):\n  step(i)\n"),
      Places{});
}

} // namespace
