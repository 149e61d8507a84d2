// What the commands of a pasted terminal show beside the failure: two runs against each other, the
// place, the interpreter, the files, the machine. Put together here in the tools' own formats.
#include "base/text.h"
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

const std::string kAsk = "python -c \"import torch; print(torch.cuda.is_available())\"\n";

TEST(Answers, WhatTensorFlowLogsBeforeAnAnswerIsNoQuestion) {
  const std::string log =
      "2024-08-08 17:40:11.094731: I tensorflow/core/util/port.cc:153] oneDNN custom "
      "operations are on. To turn them off, set the environment variable "
      "`TF_ENABLE_ONEDNN_OPTS=0`.\n";
  for (const std::string ask : {"print(tf.__version__, tf.config.list_physical_devices('GPU'))",
                                "print(tf.config.list_physical_devices('GPU'))"}) {
    const std::string answer = contains(ask, "version") ? "2.17.0 []\n" : "[]\n";
    EXPECT_EQ(
        root("OS: Windows 11\ntensorflow==2.17.0\nC:\\x>python -c \"import tensorflow as tf; " +
             ask + "\"\n" + log + answer),
        "F03");
  }
}

TEST(Packages, TwoThatOnePipInstalledOverwriteEachOther) {
  EXPECT_EQ(root("Successfully installed tensorflow-1.1.0 tensorflow-gpu-1.1.0\n"), "F06");
  EXPECT_EQ(root("Successfully installed tensorflow-gpu-1.1.0\n"), "-");
}

TEST(Packages, PyTorchWithAnOlderCudnn) {
  EXPECT_EQ(
      root("RuntimeError: cuDNN version incompatibility: PyTorch was compiled against (8, 3, 2) "
           "but linked against (8, 0, 3)\n"),
      "L06");
}

TEST(Packages, TheFrameworkOfTheTextIsAsked) {
  Explainer explainer;
  explainer.feed(">>> torch.__version__\n'1.12.0+cu113'\n");
  EXPECT_NE(explainer.finish().whole.needs.find("import torch"), std::string::npos);
}

TEST(TwoRuns, WhatOneCommandHasAndTheOtherHasNot) {
  const auto pair = [](const std::string& fails, const std::string& works) {
    return root("$ " + fails + kAsk + "False\n$ " + works + kAsk + "True\n");
  };
  EXPECT_EQ(pair("CUDA_VISIBLE_DEVICES=-1 ", ""), "E01");
  EXPECT_EQ(pair("CUDA_VISIBLE_DEVICES=7 ", ""), "E02");
  EXPECT_EQ(pair("", "env -u LD_LIBRARY_PATH "), "L06");
  EXPECT_EQ(pair("srun -p gpu ", "srun -p gpu --gres=gpu:1 "), "C07");
  EXPECT_EQ(pair("", "sudo "), "H08");
  EXPECT_EQ(pair("sudo ", ""), "E08");
  EXPECT_EQ(pair("", ""), "-") << "they do not tell";
  EXPECT_EQ(root("$ CUDA_VISIBLE_DEVICES=0 " + kAsk + "True\n"), "-");
}

TEST(TwoRuns, OfOneSessionTheOtherUserOrTheSchedule) {
  const std::string listed =
      "$ python a.py\n[PhysicalDevice(name='/physical_device:GPU:0', device_type='GPU')]\n";
  const std::string none = "$ python a.py\n[PhysicalDevice(name='/physical_device:CPU:0', "
                           "device_type='CPU')]\n";
  EXPECT_EQ(root(listed + "$ su - kim\n" + none), "E08");
  EXPECT_EQ(root(listed + none), "-");
}

TEST(Shown, AGpuThatIsLittleUsedIsNotCalledWell) {
  const std::string created =
      "Created TensorFlow device (/job:localhost/replica:0/task:0/device:GPU:0 "
      "with 4606 MB memory) -> physical GPU (device: 0, name: Tesla T4, pci bus "
      "id: 0000:01:00.0, compute capability: 7.5)\n";
  const auto needs = [&](const std::string& said) {
    Explainer explainer;
    explainer.feed(said + "\n" + created);
    return explainer.finish().whole.needs;
  };
  EXPECT_EQ(needs("- symptom: GPU usage of 2%, expected 80%"), "gpuwhy run -- python train.py");
  EXPECT_EQ(needs("- symptom: GPU usage of 97%"), "");
  EXPECT_EQ(needs("- gpu: Tesla T4"), "");
}

TEST(TwoRuns, OneInterpreterWithAndOneWithoutTheGpu) {
  const std::string without = "is_built_with_cuda False\n";
  const std::string with = "Created TensorFlow device (/device:GPU:0 with 4716 MB memory) -> "
                           "physical GPU (device: 0, name: GeForce RTX 2060)\n";
  const std::string other = "PS C:\\w> & C:/Python36/python.exe c:/w/a.py\n";
  const std::string same = "(gpu) C:\\w>python a.py\n";
  EXPECT_EQ(root(other + without + same + with), "F07");
  EXPECT_EQ(root(same + with), "-");
  const std::string jax = "An NVIDIA GPU may be present on this machine, but a CUDA-enabled jaxlib "
                          "is not installed. Falling back to cpu.\n";
  EXPECT_EQ(root("$ python a.py\n" + jax + "$ conda activate pip && python a.py\n" +
                 "[CudaDevice(id=0)]\n"),
            "F12");
}

TEST(Shown, GpusThatCudaCountsInAnotherOrder) {
  const std::string listed = "$ nvidia-smi -L\nGPU 0: GeForce GT 1030 (UUID: GPU-0e0c1bde)\n"
                             "GPU 1: GeForce GTX 1080 Ti (UUID: GPU-61f2db02)\n";
  const std::string run = "$ CUDA_VISIBLE_DEVICES=1 python a.py\n";
  const auto got = [](const std::string& name) {
    return "Found device 0 with properties:\nname: " + name +
           " major: 6 minor: 1\nCreated TensorFlow device (/job:localhost/replica:0/task:0/"
           "device:GPU:0 with 1378 MB memory) -> physical GPU (device: 0, name: " +
           name + ")\n";
  };
  EXPECT_EQ(root(listed + run + got("GeForce GT 1030")), "E02");
  EXPECT_EQ(root(listed + run + got("GeForce GTX 1080 Ti")), "-");
}

TEST(Shown, WhetherMemoryIsFreeWhenALibraryDoesNotStart) {
  const std::string fails = "Could not create cudnn handle: CUDNN_STATUS_INTERNAL_ERROR\n";
  EXPECT_EQ(root(fails + "Memory usage: 24974655488 bytes free, 25386352640 bytes total.\n"),
            "L04");
  EXPECT_EQ(root(fails + "Memory usage: 91226112 bytes free, 25386352640 bytes total.\n"), "R01");
}

TEST(Shown, StepsAndMemoryByKeysAndFigures) {
  EXPECT_EQ(root("- data_wait_per_step: 180 ms\n- step_time: 240 ms\n- gpu_util: 30 %\n"), "R03");
  EXPECT_EQ(root("- data_wait_per_step: 10 ms\n- step_time: 240 ms\n"), "-");
  EXPECT_EQ(root("- gpu_memory_epoch_1: 2100 MiB\n- gpu_memory_epoch_2: 3400 MiB\n"
                 "- gpu_memory_epoch_3: 4700 MiB\n- gpu_memory_epoch_4: 6000 MiB\n"),
            "R07");
}

TEST(Shown, ImageThatFindsNoGpuToComputeOn) {
  const std::string refused = "ERROR: No supported GPU(s) detected to run this container\n";
  EXPECT_EQ(root(refused), "-") << "the fabric manager, MIG, the driver or the GPU's age";
  EXPECT_EQ(root("GPU 0: Tesla K80 (UUID: GPU-1)\n" + refused), "H11");
}

TEST(Shown, WhichInterpreterRuns) {
  const std::string made = "$ conda create -n gpu tensorflow-gpu\n";
  const std::string none = ">>> tf.test.is_gpu_available()\nFalse\n";
  EXPECT_EQ(root(made + ">>> sys.executable\n'/usr/bin/python3'\n" + none), "F07");
  EXPECT_EQ(root(made + ">>> sys.executable\n'/opt/conda/envs/gpu/bin/python'\n" + none), "-");
}

TEST(Shown, ModuleAndKernel) {
  const std::string fails = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA "
                            "driver.\n";
  const std::string built = "nvidia/535.129.03, 6.5.0-14-generic, x86_64: installed\n";
  EXPECT_EQ(root("$ uname -r\n6.8.0-40-generic\n" + built + fails), "H06");
  EXPECT_EQ(root("$ uname -r\n6.5.0-14-generic\n" + built + fails), "H03");
}

TEST(Shown, LinksAndFiles) {
  const std::string missing = "failed call to cuInit: UNKNOWN ERROR (303)\n";
  const std::string link = "lrwxrwxrwx 1 root root 20 Jan 1 00:00 libcuda.so.1 -> libcuda.so.470\n";
  const std::string gone =
      "ls: cannot access '/usr/lib/libcuda.so.470': No such file or directory\n";
  EXPECT_EQ(root(missing + link + gone), "L07");
  EXPECT_EQ(root(missing + link), "H03");
  EXPECT_EQ(root("\tlibcudnn.so.8 => not found\n"), "L03");
  EXPECT_EQ(root("Could not load library libcudnn_ops_infer.so.8. Error: libcudnn_ops_infer.so.8: "
                 "cannot open shared object file: No such file or directory\n"),
            "L05");
}

TEST(Shown, GpusByIndexAndUuid) {
  const std::string one = "GPU 0: NVIDIA A40 (UUID: GPU-11111111-2222)\n";
  EXPECT_EQ(root(one + one + "$ CUDA_VISIBLE_DEVICES=1 " + kAsk + "False\n"), "E02");
  EXPECT_EQ(root(one + "$ CUDA_VISIBLE_DEVICES=GPU-dead " + kAsk + "False\n"), "E02");
  EXPECT_EQ(root(one + "$ CUDA_VISIBLE_DEVICES=GPU-1111 " + kAsk + "False\n"), "-");
  EXPECT_EQ(root("0, 88 %, 10700 MiB\n1, 0 %, 10600 MiB\n"), "P10");
  EXPECT_EQ(root("0, 88 %, 10700 MiB\n1, 90 %, 10600 MiB\n"), "-");
  EXPECT_EQ(root("0, 88 %, 10700 MiB\n1, 0 %, 3 MiB\n"), "-") << "another program's";
}

TEST(Shown, ThePlace) {
  const std::string no_driver =
      "ImportError: libcuda.so.1: cannot open shared object file: No such "
      "file or directory\n";
  EXPECT_EQ(root("\"Capabilities\":[[\"gpu\",\"utility\"]]\n" + no_driver), "C02");
  EXPECT_EQ(root("00:0f.0 VGA compatible controller: VMware SVGA II Adapter\n" + no_driver), "C05");
  EXPECT_EQ(root("* Ubuntu    Running         1\n"), "C03");
  EXPECT_EQ(root("PrivateDevices=yes\nRuntimeError: No CUDA GPUs are available\n"), "H08");
  EXPECT_EQ(root("  nvidia.com/gpu:     0\n"), "C02");
}

TEST(Shown, WhereTheSourceStandsTellsTheRelease) {
  const std::string banner = "CUDA Version 12.1.1\n";
  const std::string line =
      "cudart_stub.cc:28] Could not find cuda drivers on your machine, GPU will "
      "not be used.\n";
  EXPECT_EQ(root(banner + "2023-07-13 15:38:30.1: I tensorflow/tsl/cuda/" + line), "F15");
  EXPECT_EQ(root(banner + "2024-07-13 15:38:30.1: I external/local_xla/xla/tsl/cuda/" + line),
            "L05");
}

TEST(Shown, WhoHoldsTheMemory) {
  const std::string asks = "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB ";
  EXPECT_EQ(root(asks + "(GPU 0; 23.69 GiB total capacity; 1.20 GiB already allocated; 12.56 MiB "
                        "free; 1.30 GiB reserved in total by PyTorch)\n"),
            "R01");
  EXPECT_EQ(root(asks + "(GPU 0; 11.92 GiB total capacity; 307.86 MiB already allocated; 4.36 GiB "
                        "free; 6.80 GiB cached)\n"),
            "R08");
  EXPECT_EQ(root(asks +
                 "GPU 0 has a total capacity of 79.15 GiB of which 10.25 MiB is free. Process "
                 "12345 has 70.00 GiB memory in use. Including non-PyTorch memory, this "
                 "process has 9.10 GiB memory in use.\n"),
            "R01");
}

TEST(Shown, PlacementAndCompilation) {
  const std::string gpu = "a/MatMul: (MatMul)/job:localhost/replica:0/task:0/gpu:0\n";
  EXPECT_EQ(root("a/Sum: (SegmentSum)/job:localhost/replica:0/task:0/cpu:0\n" + gpu), "P07");
  EXPECT_EQ(root("a/c: (Const)/job:localhost/replica:0/task:0/cpu:0\n" + gpu), "-");
  const std::string compiled = "Finished XLA compilation of jit(step) in 0.7 sec\n";
  EXPECT_EQ(root(compiled + compiled), "R13");
  EXPECT_EQ(root(compiled), "-");
}

} // namespace
} // namespace gpuwhy::explain
