// How memory, steps and profiles of pasted logs are read, and where the framework's GPU is passed
// by. Lines put together here in the programs' own formats.
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

TEST(Pace, MemoryThatOnlyRises) {
  const std::string rises = "fold 1 rss 3.1 GB\nfold 2 rss 4.4 GB\nfold 3 rss 5.8 GB\n";
  EXPECT_EQ(root(rises + "fold 4 rss 7.1 GB\n"), "R07");
  EXPECT_EQ(root(rises + "fold 4 rss 3.2 GB\nfold 5 rss 3.1 GB\n"), "-") << "it falls back";
  EXPECT_EQ(root("step 1 mem 3011 MiB\nstep 2 mem 3401 MiB\nstep 3 mem 3402 MiB\n"), "-");
  const std::string oom = "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB\n";
  EXPECT_EQ(root("step 1 gpu 900 MiB\nstep 2 gpu 1300 MiB\nstep 3 gpu 1700 MiB\n" + oom), "R07");
  EXPECT_EQ(root("step 1 gpu 900 MiB\nstep 2 gpu 901 MiB\n" + oom), "R08");
}

TEST(Pace, WhatALoopMakesAnew) {
  const std::string grows = "- symptom: memory grows with every call\n";
  EXPECT_EQ(root(grows + "for p in paths:\n    m = load_model(p)\n"), "P18");
  EXPECT_EQ(root("for p in paths:\n    m = load_model(p)\n"), "P18");
  EXPECT_EQ(root("m = load_model(p)\n"), "-");
  EXPECT_EQ(root(grows + "31:        running_loss += loss\n"), "P18");
  EXPECT_EQ(root(grows + "31:        running_loss += loss.item()\n"), "R07");
}

TEST(Pace, StepsThatTakeLonger) {
  const std::string falls = "step 100 (17610.3 examples/sec; 0.007 sec/batch)\n"
                            "step 200 (14206.8 examples/sec; 0.009 sec/batch)\n"
                            "step 300 (9134.5 examples/sec; 0.014 sec/batch)\n";
  EXPECT_EQ(root(falls + "$ nvidia-smi --query-gpu=temperature.gpu,clocks.sm --format=csv\n"
                         "93, 645 MHz\n"),
            "R06");
  EXPECT_EQ(root(falls), "-") << "heat, a leak, or longer input";
}

TEST(Pace, TheProcessorIsFaster) {
  EXPECT_EQ(root("cpu: [0.01, 0.05, 0.45, 4.51]\ngpu: [0.002, 0.054, 0.75, 7.01]\n"), "P09");
  EXPECT_EQ(root("cpu: [0.01, 0.05, 0.45, 4.51]\ngpu: [0.002, 0.054, 0.15, 0.91]\n"), "-");
}

TEST(Profile, TheGreatestShareTells) {
  EXPECT_EQ(root("cudaStreamSynchronize        41.02%      63.170ms           348\n"
                 "     cudaLaunchKernel        18.77%      28.906ms         10200\n"),
            "R05");
  EXPECT_EQ(root("enumerate(DataLoader)#_SingleProcessDataLoaderIter._...   88.64%   78.632s\n"),
            "R03");
  EXPECT_EQ(
      root("100 function calls in 9.575 seconds\n"
           "  289    4.347    0.015    4.347    0.015 {method 'cuda' of 'torch._C._TensorBase' "
           "objects}\n"),
      "R05");
  EXPECT_EQ(root("     cudaLaunchKernel        8.77%      28.906ms         10200\n"), "-");
}

TEST(Placement, WhatTheProgramComputesOn) {
  const std::string listed = ">>> jax.devices()\n[CudaDevice(id=0)]\n";
  EXPECT_EQ(root(listed + ">>> x.devices()\n{CpuDevice(id=0)}\n"), "P15");
  EXPECT_EQ(root(listed + ">>> x.devices()\n{CudaDevice(id=0)}\n"), "-");
  const std::string there = ">>> torch.cuda.is_available()\nTrue\n";
  EXPECT_EQ(root(there + ">>> pipe.device\ndevice(type='cpu')\n"), "P15");
  EXPECT_EQ(root(there + ">>> a.device\ndevice(type='cuda', index=0)\n>>> b.device\n"
                         "device(type='cpu')\n"),
            "-")
      << "tensors that are looked at";
  const std::string card = ">>> tf.config.list_physical_devices('GPU')\n"
                           "[PhysicalDevice(name='/physical_device:GPU:0', device_type='GPU')]\n";
  EXPECT_EQ(root(card + ">>> tf.config.get_visible_devices()\n"
                        "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]\n"),
            "P02");
  EXPECT_EQ(root(card), "-");
}

TEST(Placement, AChoiceThatComesTooLate) {
  const std::string set = "6\tos.environ['CUDA_VISIBLE_DEVICES'] = '3'\n";
  const std::string runs =
      "|    0     18804      C   python3                            9871MiB |\n";
  EXPECT_EQ(root(set + runs), "P03");
  EXPECT_EQ(root(set + "|    3     18804      C   python3                            9871MiB |\n"),
            "-");
  EXPECT_EQ(root(">>> os.environ.get('CUDA_VISIBLE_DEVICES')\n''\n"), "P03");
}

TEST(Pace, TheClockIsHeld) {
  const std::string clocks =
      "    Clocks\n        SM                                : 300 MHz\n"
      "    Max Clocks\n        SM                                : 2100 MHz\n";
  EXPECT_EQ(root(clocks + "- symptom: it is slow\n"), "R06");
  EXPECT_EQ(root(clocks), "-") << "an idle card has a low clock";
  const std::string column = "clocks_throttle_reasons.hw_thermal_slowdown, temperature.gpu\n";
  EXPECT_EQ(root(column + "Active, 94\n"), "R06");
  EXPECT_EQ(root(column + "Not Active, 64\n"), "-");
}

TEST(Pace, TheFirstTimeIsSlow) {
  EXPECT_EQ(root("jax 0.10.2 [CudaDevice(id=0)]\nones   cold 90.3 s   warm 0.00 s\n"), "R13");
  EXPECT_EQ(root("jax 0.10.2 [CudaDevice(id=0)]\nones   cold 0.3 s   warm 0.00 s\n"), "-");
}

TEST(Pace, AStackInTheCompiler) {
  const std::string quiet = "text:   0%|          | 0/384(max) [00:00, ?it/s]\n";
  EXPECT_EQ(root(quiet + "    call_user_compiler (torch/_dynamo/output_graph.py:1450)\n"), "R13");
  EXPECT_EQ(root(quiet + "    backend_compile (jax/_src/compiler.py:256)\n"), "R13");
  EXPECT_EQ(root(quiet + "    compile_wrapper (torch/_dynamo/eval_frame.py:655)\n"), "-")
      << "on the stack of every compiled function that runs";
}

TEST(Pace, AnArgumentThatAVariableGives) {
  const std::string layer = "tf.keras.layers.GRU(256, activation=act)\n"
                            "Created device /job:localhost/replica:0/task:0/device:GPU:0 with "
                            "22325 MB memory\n";
  EXPECT_EQ(root(layer + "782/782 [====] - 31s 37ms/step\n782/782 [====] - 3866s 5s/step\n"),
            "P13");
  EXPECT_EQ(root(layer + "782/782 [====] - 31s 37ms/step\n782/782 [====] - 30s 36ms/step\n"), "-");
}

TEST(Use, OneOfTwoCards) {
  const std::string busy = "0, NVIDIA RTX A4000, 98 %, 14871 MiB, 138.52 W\n";
  const std::string idle = "1, NVIDIA RTX A4000, 0 %, 8 MiB, 9.41 W\n";
  EXPECT_EQ(root("- symptom: I have 2x GPU, it uses only 1x\n\n" + busy + idle), "P10");
  EXPECT_EQ(root(busy + idle), "-") << "nobody wants the second";
}

TEST(Use, ALittleIsNotNothing) {
  EXPECT_EQ(root("NVIDIA GeForce RTX 3060, 0 %, 9289 MiB\n"), "R02");
  EXPECT_EQ(root("NVIDIA GeForce RTX 3060, 1 %, 9289 MiB\n"), "-");
}

TEST(Use, WhatMaySlowDownDoesNotWhereTheGpuIsBusy) {
  const std::string traced = "WARNING:tensorflow:5 out of the last 5 calls to <function f> "
                             "triggered tf.function retracing.\n";
  EXPECT_EQ(root(traced), "P18");
  EXPECT_EQ(root(traced + "91 %\n90 %\n93 %\n"), "-");
  EXPECT_EQ(root(traced + "91 %\n3 %\n2 %\n"), "P18");
}

TEST(Use, ABusyGpuHasNoCauseWithoutADoubt) {
  const std::string created =
      "Created device /job:localhost/replica:0/task:0/device:GPU:0 with 9000 MB memory:\n";
  EXPECT_EQ(root(created + "- gpu util: 97\n"), "-");
  EXPECT_EQ(root(created + "- gpu util: 97\n- question: is it really used?\n"), "R10");
  EXPECT_EQ(root(created + "- temperature: 84 C\n"), "-") << "warm, and nothing is slow";
  EXPECT_EQ(root(created + "- temperature: 84 C\n- symptom: it gets slower and slower\n"), "R06");
}

} // namespace
} // namespace gpuwhy::explain
