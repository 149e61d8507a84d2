// Where a build without CUDA comes from: names of distributions, images, indexes; and what must not
// be taken for one.
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

constexpr std::string_view kEmptyList =
    "$ python -c \"import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))\"\n[]\n";
constexpr std::string_view kSmi =
    "$ nvidia-smi -L\nGPU 0: NVIDIA GeForce RTX 3060 (UUID: GPU-11112222-3333)\n";

TEST(Origin, DistributionsNameTheBuildWithoutCudaPlainly) {
  const std::string list(kEmptyList);
  EXPECT_EQ(root("python-tensorflow 2.4.1-8\n" + list), "F02");
  EXPECT_EQ(root("python-tensorflow-cuda 2.4.1-8\n" + list), "-");
  EXPECT_EQ(root("module load TensorFlow/2.11.0-foss-2022a\n" + list), "F02");
  EXPECT_EQ(root("module load TensorFlow/2.11.0-foss-2022a-CUDA-11.7.0\n" + list), "-");
  EXPECT_EQ(root("$ nix-shell -p python3Packages.tensorflow\n" + list), "F02");
  EXPECT_EQ(root("cudaSupport = true;\n$ nix-shell -p python3Packages.tensorflow\n" + list), "-");
}

TEST(Origin, ASuccessSaysMoreThanAName) {
  const std::string works =
      "$ python -c \"import torch; print(torch.cuda.is_available())\"\nTrue\n";
  EXPECT_EQ(root("pip install torch --index-url https://download.pytorch.org/whl/cpu\n" + works),
            "-");
}

TEST(Origin, ThePlainTagOfAnImageHasNoCuda) {
  const std::string list = std::string(kEmptyList) + std::string(kSmi);
  EXPECT_EQ(root("$ docker run --gpus all -it quay.io/jupyter/tensorflow-notebook\n" + list),
            "F02");
  EXPECT_EQ(
      root("$ docker run --gpus all -it quay.io/jupyter/tensorflow-notebook:cuda-latest\n" + list),
      "-");
  EXPECT_EQ(root("$ docker run --gpus all -it me/train:2.1-cpu\n" + list), "F02");
  EXPECT_EQ(root("$ docker run --gpus all --cpus 4 -it me/train:2.1\n" + list), "-");
  EXPECT_EQ(root("$ docker run --gpus all -v /srv/data-cpu:/data me/train:2.1\n" + list), "-");
}

TEST(Origin, PyPisPyTorchTakesThePlaceOfOneWithCuda) {
  constexpr std::string_view kTaken = "    Uninstalling torch-2.2.0+cu121:\n"
                                      "Successfully installed torch-2.3.0\n";
  EXPECT_EQ(root("C:\\sd>pip install -r requirements.txt\n" + std::string(kTaken)), "F13");
  EXPECT_EQ(root("$ pip install -r requirements.txt\n" + std::string(kTaken)), "-"); // Linux
}

TEST(Origin, ATensorFlowWithCudaDoesNotLookForDevicesInSilence) {
  constexpr std::string_view kFeatures =
      "2022-01-01 10:00:00.0: I tensorflow/core/platform/cpu_feature_guard.cc:142] Your CPU "
      "supports instructions that this TensorFlow binary was not compiled to use: AVX2\n";
  const std::string list = std::string(kFeatures) + "[PhysicalDevice(name='/physical_device:CPU:0',"
                                                    " device_type='CPU')]\n";
  EXPECT_EQ(root(std::string(kSmi) + list), "F02");
  EXPECT_EQ(root(list), "-"); // nothing says that there is a GPU
  EXPECT_EQ(
      root(std::string(kSmi) +
           "I tensorflow/x.cc:1] Could not load dynamic library 'libcudart.so.11.0'; dlerror: "
           "libcudart.so.11.0: cannot open shared object file: No such file or directory\n" +
           list),
      "L01");
}

TEST(Origin, ATrainingThatIsShownInPartProvesNoSilence) {
  constexpr std::string_view kTraining =
      "- gpu: RTX 2080\n"
      "2022-01-01 10:00:00.0: I tensorflow/core/platform/cpu_feature_guard.cc:142] Your CPU "
      "supports instructions that this TensorFlow binary was not compiled to use: AVX2\n"
      "Epoch 1/10\n";
  const std::string training(kTraining);
  EXPECT_EQ(root(training), "-");
  EXPECT_EQ(root(training + "my GPU is not being used\n"), "F02");
  EXPECT_EQ(root(training + "why is the GPU not used more? GPU utilization: 15 %\n"), "-");
}

TEST(Origin, TheLastAnswerToAQuestionCounts) {
  constexpr std::string_view kAsked = ">>> torch.cuda.is_available()\n";
  const std::string asked(kAsked);
  EXPECT_EQ(root(asked + "True\n>>> torch.__version__\n'2.3.0+cpu'\n" + asked + "False\n"), "F13");
  EXPECT_EQ(root(">>> torch.__version__\n'2.3.0+cpu'\n" + asked + "False\n" + asked + "True\n"),
            "-");
}

TEST(Origin, AnEnvironmentBesideOneThatWorks) {
  constexpr std::string_view kAsk = " --run 'python3 -c \"import torch; print(torch.version.cuda, "
                                    "torch.cuda.is_available())\"'\n";
  const auto ask = [&](std::string_view package) {
    return "$ nix-shell -p python3Packages." + std::string(package) + std::string(kAsk);
  };
  EXPECT_EQ(root(ask("torch") + "None False\n" + ask("torch-bin") + "12.1 True\n"), "F13");
  EXPECT_EQ(root(ask("torch-bin") + "12.1 True\n"), "-");
}

} // namespace
} // namespace gpuwhy::explain
