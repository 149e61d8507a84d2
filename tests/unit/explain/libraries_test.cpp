// Libraries as applications miss them, the CUDA that a text states by other ways than a number, and
// what variables and places do. Put together here in the programs' own formats.
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

const std::string kNoGpus = "RuntimeError: No CUDA GPUs are available\n";
const std::string kAsk = "python -c \"import torch; print(torch.cuda.is_available())\"\n";
const std::string kCudart =
    "2021-01-01 10:00:00.000000: W tensorflow/stream_executor/platform/default/dso_loader.cc:60] "
    "Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open "
    "shared object file: No such file or directory\n";
const std::string kCreated =
    "2021-01-01 10:00:05.000000: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1406] Created "
    "TensorFlow device (/job:localhost/replica:0/task:0/device:GPU:0 with 7000 MB memory) -> "
    "physical GPU (device: 0, name: GeForce RTX 2080, pci bus id: 0000:01:00.0, compute "
    "capability: 7.5)\n";

TEST(MissingLibrary, TheCudaThatIsThereIsStatedInManyWays) {
  const std::string missing =
      "RuntimeError: Library libcublas.so.12 is not found or cannot be loaded\n";
  EXPECT_EQ(root("- cuda: 11.8\n\n" + missing), "L02");
  EXPECT_EQ(root("torch                     2.3.0+cu118\n" + missing), "L02");
  EXPECT_EQ(root("$ module load cuda/11.7\n" + missing), "L02");
  EXPECT_EQ(root("LD_LIBRARY_PATH=/apps/CUDA/11.7.0/lib\n" + missing), "L02");
  EXPECT_EQ(root("torch                     2.3.0+cu121\n" + missing), "L09");
  EXPECT_EQ(root(missing), "L09");
}

TEST(MissingLibrary, TheNumberOfADll) {
  const std::string dll = "Could not load dynamic library 'cudart64_101.dll'; dlerror: "
                          "cudart64_101.dll not found\n";
  EXPECT_EQ(root("- cuda: 10.2\n\n" + dll), "L02");
  EXPECT_EQ(root("- cuda: 10.1\n\n" + dll), "L05");
  const std::string listed =
      "C:\\>dir /b \"C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v10.1\\bin\"\n";
  EXPECT_EQ(root(listed + "cublas64_10.dll\n" + dll), "L01") << "the folder is there without it";
  EXPECT_EQ(root(listed + "cudart64_101.dll\n" + dll), "L05");
}

TEST(MissingLibrary, OfPyTorchItselfIsInItsWheels) {
  const std::string lost =
      "ImportError: libcupti.so.11.7: cannot open shared object file: No such file or directory\n";
  EXPECT_EQ(root("- cuda: 11.8\n\n    from torch._C import *  # noqa: F403\n" + lost), "L09");
  EXPECT_EQ(root("- cuda: 11.8\n\nimport something\n" + lost), "L02");
}

TEST(MissingLibrary, HereAndNotElsewhere) {
  const std::string unit = "[Service]\nExecStart=/opt/venv/bin/rasa run\n";
  EXPECT_EQ(root(unit + kCudart + "me@box:~$ rasa run \n" + kCreated), "E08");
  const std::string paths = "> Sys.getenv(\"LD_LIBRARY_PATH\")\n[1] \"/usr/lib/R/lib\"\n";
  const std::string more =
      "> Sys.getenv(\"LD_LIBRARY_PATH\")\n[1] \"/usr/lib/R/lib:/usr/local/cuda-11.0/lib64\"\n";
  EXPECT_EQ(root(kCudart + paths + more + kCreated), "E08");
  EXPECT_EQ(root(kCudart + paths + kCreated), "-") << "found since";
}

TEST(OnnxRuntime, NamesReleasesAndNoLibrary) {
  const std::string wants = "Failed to create CUDAExecutionProvider. Require cuDNN 9.* and CUDA "
                            "12.*, and the latest MSVC runtime.\n";
  EXPECT_EQ(root("- cuda: 11.8\n\n" + wants), "L02");
  EXPECT_EQ(root("- cuda: 12.4\n- cudnn: 8.9\n\n" + wants), "L03");
  EXPECT_EQ(root("cuDNN Version: 8907\n" + wants), "L03");
}

TEST(VisibleDevices, AsShellsAndPodsWriteThem) {
  EXPECT_EQ(root("~> set -gx CUDA_VISIBLE_DEVICES \"\"\n~> " + kAsk + "False\n"), "E01");
  EXPECT_EQ(root("tcsh% setenv CUDA_VISIBLE_DEVICES -1\n" + kNoGpus), "E01");
  EXPECT_EQ(root("PS C:\\x> $env:CUDA_VISIBLE_DEVICES=\"-1\"\n" + kNoGpus), "E01");
  EXPECT_EQ(root("    - name: CUDA_VISIBLE_DEVICES\n      value: \"-1\"\n" + kNoGpus), "E01");
  EXPECT_EQ(root("  CUDA_VISIBLE_DEVICES: \"\"\n" + kNoGpus), "E01");
  EXPECT_EQ(root("C:\\x>set CUDA_VISIBLE_DEVICES=\"0\"\n" + kNoGpus), "E02")
      << "the quotes are part of it";
  const std::string third = "$ docker run --gpus '\"device=3\"' -e CUDA_VISIBLE_DEVICES=3 img\n";
  EXPECT_EQ(root(third + kNoGpus), "E02") << "in the container it is number 0";
}

TEST(VisibleDevices, OneValueAgainstAnother) {
  const std::string bad = "$ export CUDA_VISIBLE_DEVICES=RR\n$ " + kAsk + "False\n";
  EXPECT_EQ(root(bad + "$ export CUDA_VISIBLE_DEVICES=1\n$ " + kAsk + "True\n"), "E02");
  EXPECT_EQ(root("$ export CUDA_VISIBLE_DEVICES=1\n$ " + kAsk + "True\n"), "-");
}

TEST(VisibleDevices, NumbersOfNvidiaSmiAndOfCuda) {
  const std::string use = "0, Quadro P2000, 4821 MiB, 99 %\n1, GeForce RTX 3090, 3 MiB, 0 %\n";
  EXPECT_EQ(root("$ bonito basecaller --device cuda:1 reads/\n" + use), "E02");
  EXPECT_EQ(root("$ bonito basecaller --device cuda:0 reads/\n" + use), "-");
  EXPECT_EQ(root("$ export CUDA_DEVICE_ORDER=PCI_BUS_ID\n$ bonito --device cuda:1\n" + use), "-");
}

TEST(VisibleDevices, TheNumberThatYoloIsAskedFor) {
  const std::string refused =
      "ValueError: Invalid CUDA 'device=1' requested. Use 'device=cpu' or pass valid CUDA "
      "device(s) if available, i.e. 'device=0' or 'device=0,1,2,3' for Multi-GPU.\n";
  EXPECT_EQ(root(refused + "torch.cuda.is_available(): True\n"), "P06");
  EXPECT_EQ(
      root("$ export CUDA_VISIBLE_DEVICES=1\n" + refused + "torch.cuda.is_available(): True\n"),
      "E02");
  EXPECT_EQ(root(refused + "torch.cuda.is_available(): False\n"), "-") << "that is the question";
}

TEST(VisibleDevices, AnotherVariablesValueIsNotShown) {
  EXPECT_EQ(root("echo \"CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES\"\nCUDA_VISIBLE_DEVICES=\n" +
                 kNoGpus),
            "E01");
  EXPECT_EQ(root("$ CUDA_VISIBLE_DEVICES=$0 ./tools/demo.py\n" + kNoGpus), "E02");
}

TEST(MissingLibrary, HeadingsNameThePlaces) {
  const std::string other = "# JupyterHub, the same node\n";
  EXPECT_EQ(root("# ssh\n" + kCreated + other + kCudart), "E08");
  EXPECT_EQ(root(other + kCudart + "# in the terminal\n" + kCreated), "E08");
}

TEST(MissingLibrary, PackagesAndImagesTellWhatIsInstalled) {
  EXPECT_EQ(root("ii  cuda-toolkit-12-4    12.4.1-1   amd64  CUDA Toolkit\n" + kCudart), "L02");
  EXPECT_EQ(root("$ pacman -Q cuda\ncuda 12.0.0-1\n" + kCudart), "L02");
  EXPECT_EQ(root("FROM nvidia/cuda:12.2.0-runtime-ubuntu22.04\n" + kCudart), "L02");
  EXPECT_EQ(root("$ apt install cuda-toolkit-12-4\n" + kCudart), "L01") << "that comes later";
}

TEST(Ray, AWorkerWithoutAShareOfTheGpu) {
  EXPECT_EQ(root("ray.exceptions.RayTaskError(RuntimeError): ray::f() (pid=1)\n" + kNoGpus), "E01");
}

TEST(Places, WhatWorksBehindAnExitWorksElsewhere) {
  const std::string stub = "Error 34: CUDA driver is a stub library\nFalse\n";
  const std::string inside = "root@8c0b1cc6d0a1:/# " + kAsk + stub;
  EXPECT_EQ(root(inside + "root@8c0b1cc6d0a1:/# exit\n$ " + kAsk + "True\n"), "L08");
}

} // namespace
} // namespace gpuwhy::explain
