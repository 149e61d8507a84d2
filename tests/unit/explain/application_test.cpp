// What applications are told, what they print of their own time, and runs that are there to
// compare. Lines put together here in the programs' own formats.
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

TEST(Application, SwitchesThatChooseTheProcessor) {
  EXPECT_EQ(root("$ python train.py --name maps --gpu_ids -1\n"), "P01");
  EXPECT_EQ(root("$ python main.py --cpu --listen\n"), "P01");
  EXPECT_EQ(root("+ asr_train.py --config train.yaml --ngpu 0 --backend pytorch\n"), "P01");
  EXPECT_EQ(root("$ python train_image_classifier.py --clone_on_cpu=True --dataset=flowers\n"),
            "P01");
  EXPECT_EQ(root("$ tool search --cpu 8 -i query.fasta\n"), "-") << "a number of cores";
  EXPECT_EQ(root("$ docker run --cpus=4 image python train.py\n"), "-");
  EXPECT_EQ(root("$ chrome --headless --disable-gpu http://localhost\n"), "-");
  EXPECT_EQ(root("$ whisper a.mp3 --device cpu\n$ whisper a.mp3 --device cuda\n"), "-")
      << "tried both ways";
  EXPECT_EQ(root("usage: train.py [-h] [--cpu]\n  --cpu      run on the CPU\n"), "-");
  EXPECT_EQ(root("hint: use --cpu to run without a GPU\n"), "-");
  EXPECT_EQ(root("RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB\n"
                 "$ python train.py --cpu\n"),
            "R08")
      << "the way round it";
}

TEST(Application, SettingsThatChooseTheProcessor) {
  EXPECT_EQ(root("training.json:\n    \"cpu\": true,\n    \"epochs\": 200\n"), "P01");
  EXPECT_EQ(root("resources:\n  limits:\n    cpu: 1\n"), "-") << "a number of cores";
  EXPECT_EQ(root("\"offload_optimizer\": {\n  \"device\": \"cpu\",\n  \"pin_memory\": true\n}\n"),
            "-")
      << "on purpose";
  EXPECT_EQ(root("cuda: False\n"), "-") << "what a program found out";
}

TEST(Application, ARunOnTheProcessorForComparison) {
  const std::string both =
      "$ JAX_PLATFORMS=cpu python train.py --algo ppo\n|    fps     | 5012    |\n"
      "$ python train.py --algo ppo\n|    fps     | 2037    |\n";
  EXPECT_EQ(root(both), "P09");
  EXPECT_EQ(root("$ JAX_PLATFORMS=cpu python train.py\nstep 1\n"), "E06") << "nothing to compare";
}

TEST(Application, AnImportThatTakesTheGpuAway) {
  EXPECT_EQ(root("$ python -c \"import jax; print(jax.devices())\"\n[CudaDevice(id=0)]\n"
                 "$ python -c \"import other, jax; print(jax.devices())\"\n[CpuDevice(id=0)]\n"),
            "P01");
}

TEST(Application, RHidesTheGpu) {
  EXPECT_EQ(root("> library(keras)\n> use_session_with_seed(7)\n"
                 "Set session seed to 7 (disabled GPU, CPU parallelism)\n"),
            "P03");
  EXPECT_EQ(root("> library(keras)\n> use_session_with_seed(7, disable_gpu = FALSE)\n"
                 "Set session seed to 7 (disabled CPU parallelism)\n"),
            "-");
  EXPECT_EQ(root("Set session seed to 7 (disabled GPU)\n$ Rscript train.R\n"
                 "Creating TensorFlow device (/device:GPU:0) -> (device: 0, name: GTX 1080, pci "
                 "bus id: 0000:01:00.0)\n"),
            "-")
      << "a later run has it";
  EXPECT_EQ(root("> library(greta)\n> library(tensorflow)\n"
                 "> tf$config$list_physical_devices(\"GPU\")\n[[1]]\n"
                 "PhysicalDevice(name='/physical_device:GPU:0', device_type='GPU')\n\n"
                 "> tf$config$get_visible_devices(\"GPU\")\nlist()\n"),
            "P02");
}

TEST(Application, CellposeHasTheGpuAndUsesTheProcessor) {
  EXPECT_EQ(root("[INFO] ** TORCH CUDA version installed and working. **\n"
                 "[INFO] >>>> using CPU\n"),
            "P01");
  EXPECT_EQ(root("[INFO] ** TORCH CUDA version installed and working. **\n"
                 "[INFO] >>>> using GPU\n"),
            "-");
}

TEST(Application, StepsThatWaitForData) {
  EXPECT_EQ(root("Epoch: [0][10/500]\tTime 1.599 (2.648)\tData 1.296 (2.388)\tLoss 5.6\n"), "R03");
  EXPECT_EQ(root("Epoch: [0][10/500]\tTime 0.599 (0.648)\tData 0.002 (0.003)\tLoss 5.6\n"), "-");
  EXPECT_EQ(root("avg_reader_cost: 2.031 s, avg_batch_cost: 2.312 s\n"), "R03");
  EXPECT_EQ(root("[100/120]\t[L1: 19.83]\t2.6+50.7s\n"), "R03");
}

TEST(Application, MemoryThatSpills) {
  const std::string slow = "- symptom: training gets very slow\n";
  EXPECT_EQ(root(slow + "- task manager: shared GPU memory 4.9/31.9 GB\n"), "R08");
  EXPECT_NE(root(slow + "- task manager: shared GPU memory 0.2/31.9 GB\n"), "R08") << "as usual";
  EXPECT_EQ(root(slow + "out of resource: shared memory, Required: 65536\n"), "-")
      << "a kernel's own";
}

TEST(Application, AUseOfNothingSpeaksOfNoMemory) {
  EXPECT_EQ(root("- symptom: GPU at 0% util throughout\n"), "-");
}

} // namespace
} // namespace gpuwhy::explain
