// Whole texts with code in them: what the code is blamed for, and when the log comes first.
#include "explain/explainer.h"
#include "lint/lint.h"

#include <gtest/gtest.h>

namespace gpuwhy::explain {
namespace {

Judgement judged(const std::string& text) {
  Explainer explainer(lint::judge_pasted);
  explainer.feed(text);
  return explainer.finish().whole;
}

std::string ids(const std::string& text) {
  std::string all;
  for (const auto& cause : judged(text).causes) all += (all.empty() ? "" : " ") + cause.id;
  return all;
}

std::string posted(const std::string& code) {
  return "My GPU is at 3 % and I do not see why. Here is my code:\n\n```python\n" + code +
         "```\n\nWhat is wrong with it?\n";
}

const std::string kModel = "model = tf.keras.Sequential([tf.keras.layers.Dense(512)])\n"
                           "model.compile('adam', 'mse')\n"
                           "model.fit(x, y, epochs=5, batch_size=512)\n";
const std::string kHides = "import os\n"
                           "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n"
                           "import tensorflow as tf\n" +
                           kModel;
const std::string kSays = "# os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n"
                          "import tensorflow as tf\n" +
                          kModel;
const std::string kStays = "import torch\n"
                           "net = Net()\n"
                           "opt = torch.optim.Adam(net.parameters())\n"
                           "for x, y in loader:\n"
                           "    opt.zero_grad()\n"
                           "    loss = criterion(net(x), y)\n"
                           "    loss.backward()\n"
                           "    opt.step()\n";
const std::string kNoCudnn =
    "2024-01-01 10:00:01.000000: W tensorflow/x.cc:64] Could not load dynamic library "
    "'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file\n";
const std::string kCreated =
    "2024-01-01 10:00:05.000000: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1886] Created "
    "device /job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory:  -> device: 0, "
    "name: Tesla T4, pci bus id: 0000:00:04.0, compute capability: 7.5\n";
const std::string kOom =
    "2024-01-01 10:01:00.000000: W tensorflow/core/x.cc:1] OOM when allocating tensor with "
    "shape[64,512,512] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by "
    "allocator GPU_0_bfc\n";

TEST(CodeInATextTest, AChoiceThatHidesTheGpuIsTheCause) {
  const auto judgement = judged(posted(kHides));
  ASSERT_FALSE(judgement.causes.empty());
  const auto& cause = judgement.causes.front();
  EXPECT_EQ(cause.id, "P03");
  EXPECT_TRUE(cause.confirm.empty());
  ASSERT_EQ(cause.evidence.size(), 1U) << "once, not by a row too";
  EXPECT_EQ(cause.evidence.front().line, 5U);
  EXPECT_EQ(cause.evidence.front().text, "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'");
  EXPECT_EQ(judgement.verdict, Verdict::no_gpu);
}

TEST(CodeInATextTest, WhatTheCodeDoesNotDoIsNoCause) {
  EXPECT_EQ(ids(posted(kSays)), "") << "commented out";
  EXPECT_EQ(ids(posted("import tensorflow as tf\n"
                       "if args.cpu:\n"
                       "    tf.config.set_visible_devices([], 'GPU')\n" +
                       kModel)),
            "")
      << "somebody has to ask for it";
  EXPECT_EQ(ids("# os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n"), "") << "no program around it";
  EXPECT_EQ(ids(posted("from datasets import Dataset\n"
                       "rows = read(folder)\n"
                       "d = Dataset.from_generator(rows)\n"
                       "d.to_parquet(target)\n")),
            "")
      << "nothing of a framework in it";
}

TEST(CodeInATextTest, AModelThatIsNeverMoved) {
  EXPECT_EQ(ids(posted(kStays)), "P15");
  EXPECT_EQ(ids(">>> torch.cuda.is_available()\nTrue\n" + posted(kStays)), "P15")
      << "a question moves nothing";
  EXPECT_EQ(ids(posted("dev = 'cuda'\nimport torch\nnet = Net().to(dev)\n" +
                       kStays.substr(kStays.find("opt =")))),
            "");
}

TEST(CodeInATextTest, WhatStopsTheProgramBeforeComesFirst) {
  EXPECT_EQ(ids(posted(kHides) + kNoCudnn), "L03 P03");
}

TEST(CodeInATextTest, AFailureOnTheGpuComesFirst) {
  EXPECT_EQ(ids(posted(kHides) + kOom), "R08 P03");
  EXPECT_EQ(ids(posted(kHides) + kCreated + kOom), "R08")
      << "TensorFlow had it: the log is of another state of the program";
}

TEST(CodeInATextTest, AdviceIsAHint) {
  const std::string step = "import tensorflow as tf\n"
                           "model.compile('adam', 'mse', run_eagerly=True)\n"
                           "model.fit(x, y, epochs=5, batch_size=512)\n";
  const auto slow = judged(posted(step));
  ASSERT_FALSE(slow.causes.empty());
  EXPECT_EQ(slow.causes.front().id, "P07");
  EXPECT_FALSE(slow.causes.front().confirm.empty());
  EXPECT_EQ(slow.verdict, Verdict::gpu);
  const auto failing = judged("```python\n" + step + "```\n" +
                              "2024-01-01 10:00:01.000000: E tensorflow/x.cc:271] failed call to "
                              "cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\n");
  EXPECT_EQ(failing.verdict, Verdict::cannot_tell) << "slow code hides no GPU";
}

TEST(CodeInATextTest, FollowedAsItGrows) {
  Explainer explainer(lint::judge_pasted);
  explainer.feed("```python\nimport tensorflow as tf\n");
  EXPECT_TRUE(explainer.so_far().whole.causes.empty());
  explainer.feed("tf.config.set_visible_devices([], 'GPU')\n" + kModel);
  ASSERT_FALSE(explainer.so_far().whole.causes.empty());
  EXPECT_EQ(explainer.so_far().whole.causes.front().id, "P02");
}

TEST(CodeInATextTest, FarDownInALog) {
  std::string log;
  for (int step = 0; step < 1000; ++step) log += "step " + std::to_string(step) + " done\n";
  EXPECT_EQ(ids(log + kStays + "Thanks for any help!\n"), "P15");
}

} // namespace
} // namespace gpuwhy::explain
