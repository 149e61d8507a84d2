// What is shown in one place refutes causes there, and nowhere else. The lines are the tools' own
// formats, put together here.
#include "explain/session.h"
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

/// The place of each line, numbered by first appearance.
std::vector<int> places(const std::vector<std::string>& lines) {
  Session session;
  for (std::size_t i = 0; i < lines.size(); ++i) session.line(lines[i], i + 1);
  std::vector<int> ids;
  for (std::size_t i = 0; i < lines.size(); ++i)
    ids.push_back(place_at(session.places(), i + 1).id);
  return ids;
}

using Ids = std::vector<int>;
constexpr std::string_view kListed = "GPU 0: Tesla T4 (UUID: GPU-1c7c0e0b-2c93)\n";
constexpr std::string_view kNoDevice =
    "E cuda_driver.cc:318] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is "
    "detected\n";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

TEST(Session, AContainerAndBack) {
  EXPECT_EQ(places({"me@box:~$ nvidia-smi", "me@box:~$ docker run -it x bash", "root@0a1b:/# ls",
                    "root@0a1b:/# exit", "me@box:~$ ls"}),
            (Ids{0, 0, 1, 1, 0}));
  EXPECT_EQ(places({"$ docker run --rm x python a.py", "no gpu", "$ nvidia-smi"}), (Ids{0, 1, 0}));
  // A shell without a command is given, as the next prompt shows.
  EXPECT_EQ(places({"me@box:~$ docker run -it x", "root@0a1b:/# ls"}), (Ids{0, 1}));
  EXPECT_EQ(places({"me@box:~$ docker run -it x bash", "docker: Error", "me@box:~$ ls"}),
            (Ids{0, 1, 0}));
}

TEST(Session, OtherMachinesAndLogs) {
  EXPECT_EQ(places({"me@login:~$ srun --pty bash", "me@gpu01:~$ ls", "me@gpu01:~$ exit",
                    "me@login:~$ cat job.out", "no gpu", "me@login:~$ ls"}),
            (Ids{0, 1, 1, 0, 2, 0}));
  EXPECT_EQ(places({"$ ssh box nvidia-smi", "GPU 0", "$ ls"}), (Ids{0, 1, 0}));
  EXPECT_EQ(places({"$ nvidia-smi", "In the container:", "x"}), (Ids{0, 1, 1}));
  EXPECT_EQ(places({"no prompt", "docker run is spoken of"}), (Ids{0, 0}));
}

TEST(Refuted, NvidiaSmiListsAGpu) {
  const std::string said = "- machine: no gpu here\n";
  EXPECT_EQ(root(said + std::string(kNoDevice)), "H01");
  EXPECT_NE(root(joined({said, kListed, kNoDevice})), "H01");
}

TEST(Refuted, TheContainerItselfListsAGpu) {
  constexpr std::string_view kIn = "me@box:~$ docker run -it x bash\n";
  constexpr std::string_view kSmi = "nvidia-smi -L\n";
  constexpr std::string_view kInside = "root@0a1b2c3d4e5f:/# ";
  constexpr std::string_view kRun = "python a.py\n";
  // Listed on the host, which says nothing of the container.
  EXPECT_EQ(root(joined({"me@box:~$ ", kSmi, kListed, kIn, kInside, kRun, kNoDevice})), "C01");
  EXPECT_NE(root(joined({kIn, kInside, kSmi, kListed, kInside, kRun, kNoDevice})), "C01");
}

TEST(Refuted, ColabListsAGpu) {
  constexpr std::string_view kColab = "- where: Google Colab\n";
  constexpr std::string_view kNone = ">>> tf.config.list_physical_devices('GPU')\n[]\n";
  EXPECT_EQ(root(joined({kColab, kNone})), "C04");
  EXPECT_NE(root(joined({kColab, "!nvidia-smi -L\n", kListed, kNone})), "C04");
}

TEST(Refuted, NotByWhatWasBefore) {
  constexpr std::string_view kFailed =
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n";
  EXPECT_EQ(root(joined(
                {"$ nvidia-smi -L\n", kListed, "$ sudo apt upgrade\n", "$ nvidia-smi\n", kFailed})),
            "H03");
}

TEST(Refuted, AnotherSessionOfTheSameContainer) {
  constexpr std::string_view kWorks =
      "$ kubectl exec -it dev-0 -- bash\n"
      "root@dev-0:/# python -c \"import torch; print(torch.cuda.is_available())\"\nTrue\n"
      "root@dev-0:/# exit\n";
  constexpr std::string_view kMissing =
      "root@dev-0:~# python -c \"import torch; print(torch.cuda.is_available())\"\n"
      "libcuda.so.1: cannot open shared object file: No such file or directory\nFalse\n";
  EXPECT_EQ(root(joined({kWorks, "$ ssh root@10.2.3.17\n", kMissing})), "E08");
}

TEST(Refuted, TwoWaysIn) {
  constexpr std::string_view kNone = "[u@g01 ~]$ nvidia-smi\nNo devices were found\n";
  constexpr std::string_view kSome = "[u@g01 ~]$ nvidia-smi -L\nGPU 0: Tesla T4 (UUID: GPU-1)\n";
  EXPECT_EQ(root(joined({"[u@login ~]$ srun --pty bash\n", kNone, "[u@g01 ~]$ exit\n",
                         "[u@login ~]$ srun --gres=gpu:1 --pty bash\n", kSome})),
            "C07");
  EXPECT_EQ(root(kNone), "H07");
}

TEST(Refuted, TheLoadersFirstLibcuda) {
  constexpr std::string_view kStub =
      "\tlibcuda.so.1 (libc6,x86-64) => /usr/local/cuda-9.0/lib64/stubs/libcuda.so.1\n";
  constexpr std::string_view kReal =
      "\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1\n";
  EXPECT_EQ(root(joined({kStub, kReal, kNoDevice})), "L08");
  EXPECT_NE(root(joined({kReal, kStub, kNoDevice})), "L08");
  EXPECT_EQ(root(joined({kStub, kReal})), "-");
}

TEST(Refuted, ANumberBeyondTheGpus) {
  constexpr std::string_view kScript = "$ cat run.sh\nexport CUDA_VISIBLE_DEVICES=2\n"
                                       "python run.py\n";
  constexpr std::string_view kFails = "$ sh run.sh\nRuntimeError: No CUDA GPUs are available\n";
  constexpr std::string_view kWorks =
      "$ python -c \"import torch; print(torch.cuda.is_available(), "
      "torch.cuda.device_count())\"\n";
  EXPECT_EQ(root(joined({kScript, kFails, kWorks, "True 1\n"})), "E02");
  EXPECT_NE(root(joined({kScript, kFails, kWorks, "True 4\n"})), "E02");
}

} // namespace
} // namespace gpuwhy::explain
