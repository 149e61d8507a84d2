// Where the program runs, and what the bus, the scheduler, the cloud or the laptop's switch say of
// a GPU there. The lines are the tools' own formats, put together here.
#include "unit/explain/root.h"

#include <gtest/gtest.h>
#include <string>

namespace gpuwhy::explain {
namespace {

constexpr std::string_view kNoDriver = "RuntimeError: Found no NVIDIA driver on your system. "
                                       "Please check that you have an NVIDIA GPU\n";
constexpr std::string_view kSmiFailed =
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n";
constexpr std::string_view kNoDevice = "RuntimeError: No CUDA GPUs are available\n";

std::string with(std::string_view first, std::string_view second) {
  return std::string(first) + std::string(second);
}

TEST(Place, AKindOfCloudMachineWithoutAGpu) {
  EXPECT_EQ(root(with("- instance: m5.xlarge\n", kNoDriver)), "H01");
  EXPECT_EQ(root(with("- platform: AWS Lambda\n", kNoDriver)), "H01");
  // The worker of that head node has one.
  EXPECT_EQ(root(with("- head node: m5.large, worker g4dn.xlarge\n", kNoDriver)), "H03");
}

TEST(Place, TheWholeBus) {
  constexpr std::string_view kBridge = "00:00.0 Host bridge: Intel Corporation 440FX\n";
  constexpr std::string_view kRefused =
      "modprobe: ERROR: could not insert 'nvidia': No such device\n";
  const auto bus = with(kBridge, "01:00.0 Ethernet controller: Intel Corporation I219-V\n");
  EXPECT_EQ(root(with(bus, kRefused)), "H01");
  const auto guest =
      with(kBridge, "00:01.0 VGA compatible controller: Device 1234:1111 (rev 02)\n");
  EXPECT_EQ(root(with(guest, kRefused)), "C05");
  const auto nvidia =
      with(kBridge, "01:00.0 3D controller: NVIDIA Corporation GF108M [GeForce GT 540M]\n");
  EXPECT_EQ(root(with(nvidia, kRefused)), "H11");
}

TEST(Place, ALaptopsGpuThatIsNotOnTheBus) {
  constexpr std::string_view kIntel =
      "00:02.0 VGA compatible controller: Intel Corporation Alder Lake-P [Iris Xe Graphics]\n";
  const auto listed = with(kIntel, kSmiFailed);
  EXPECT_EQ(root(with("- laptop: Legion 5 with RTX 3060\n", listed)), "H15");
  EXPECT_EQ(root(listed), "H03"); // the listing may leave out a 3D controller
  EXPECT_EQ(root(with(kIntel, kNoDriver)), "H02");
  const auto both = with("01:00.0 3D controller: NVIDIA Corporation GA106M [GeForce RTX 3060]\n",
                         with("- laptop: Legion 5 with RTX 3060\n", listed));
  EXPECT_EQ(root(both), "H03");
}

TEST(Place, WhatTheSchedulerGave) {
  EXPECT_EQ(root(with("771204  compute  node042  billing=8,cpu=8,mem=16000M,node=1\n", kNoDriver)),
            "C07");
  // Cut off before the GPU's place in the list.
  EXPECT_EQ(root(with("771204  compute  node042  billing=8,cpu=8\n", kNoDriver)), "H03");
}

TEST(Place, WordsOfTheWriter) {
  EXPECT_EQ(root(with("- machine: office PC without graphics card\n", kNoDriver)), "H01");
  EXPECT_EQ(root(with("- where: docker container without gpu flag\n", kNoDriver)), "C01");
  EXPECT_EQ(root(with("- laptop: ThinkPad with Intel Iris Xe\n", kNoDriver)), "H02");
  EXPECT_EQ(root(with("- cpu: AMD Ryzen 7 with Radeon graphics\n", kNoDriver)), "H03");
  EXPECT_EQ(root(with("- setup: an LXD container\n", kSmiFailed)), "C01");
}

TEST(Place, TheModulesFlavour) {
  constexpr std::string_view kClosed =
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.16  Fri Jan 24 20:42:03 UTC 2025\n";
  EXPECT_EQ(root(with("- gpu: RTX 5080\nNo devices were found\n", kClosed)), "H06");
  EXPECT_EQ(root(with("- gpu: RTX 3080\nNo devices were found\n", kClosed)), "H07");
  EXPECT_EQ(root("NVRM: installed in this system requires use of the NVIDIA open kernel modules.\n"
                 "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:884)\n"),
            "H06");
}

TEST(Place, DeviceFiles) {
  constexpr std::string_view kGpu = "crw-rw-rw- 1 root root 195, 0 Mar  3 10:11 /dev/nvidia0\n";
  constexpr std::string_view kUvm = "crw-rw-rw- 1 root root 511, 0 Mar  3 10:11 /dev/nvidia-uvm\n";
  constexpr std::string_view kFalse = ">>> torch.cuda.is_available()\nFalse\n";
  EXPECT_EQ(root(with(kGpu, kFalse)), "H09");
  EXPECT_EQ(root(with(with(kGpu, kUvm), kFalse)), "-");
  EXPECT_EQ(root(with("/dev/nvidia0  /dev/nvidiactl  /dev/nvidia-modeset\n", kFalse)), "H09");
  EXPECT_EQ(root(with("/dev/nvidia0  /dev/nvidiactl  /dev/nvidia-uvm\n", kFalse)), "-");
}

TEST(Place, RootAloneGetsTheGpu) {
  EXPECT_EQ(
      root(with(with("$ python3 train.py\n", kNoDevice),
                "$ sudo python3 -c 'import torch; print(torch.cuda.is_available())'\nTrue\n")),
      "H08");
}

TEST(Place, AnAdapterThatNoDriverHolds) {
  constexpr std::string_view kFalse = ">>> torch.cuda.is_available()\nFalse\n";
  constexpr std::string_view kUnclaimed =
      "  *-display UNCLAIMED\n       product: TU104GL [Tesla T4]\n";
  EXPECT_EQ(root(with(kUnclaimed, kFalse)), "H03");
  EXPECT_EQ(root(with("  *-display\n       product: TU104GL [Tesla T4]\n", kFalse)), "-");
  EXPECT_EQ(root(with("01:00.0 3D controller: NVIDIA Corporation TU117M [GeForce GTX 1650]\n"
                      "\tKernel modules: nvidiafb, nouveau\n",
                      kFalse)),
            "H03");
}

TEST(Place, ADriverThatHasDroppedTheGpu) {
  constexpr std::string_view kNone = "No devices were found\n";
  EXPECT_EQ(root(with("- gpu: GTX 1070\n- driver: 590.48.01\n", kNone)), "H11");
  EXPECT_EQ(root(with("- gpu: GTX 1070\n- driver: 580.95.05\n", kNone)), "H07");
  EXPECT_EQ(root(with("- gpu: Tesla K80\n- driver: 535.183.01\n", kNone)), "H11");
  EXPECT_EQ(root(with("- gpu: RTX 2070\n- driver: 590.48.01\n", kNone)), "H07");
}

TEST(Place, BusyWhereTheModeIsShown) {
  constexpr std::string_view kBusy =
      "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable\n";
  EXPECT_EQ(root(kBusy), "H13");
  EXPECT_EQ(root(with("    Compute Mode                          : Default\n", kBusy)), "-");
  EXPECT_EQ(root(with("    Compute Mode                          : Prohibited\n", kBusy)), "H13");
}

TEST(Place, ToolsOfOnePodSayNothingOfAnother) {
  constexpr std::string_view kShown = "$ kubectl logs gpu-test\n"
                                      "GPU 0: NVIDIA A10 (UUID: GPU-2e1f7ac4)\n";
  constexpr std::string_view kFails =
      "$ kubectl exec nb-0 -- nvidia-smi\n"
      "exec: \"nvidia-smi\": executable file not found in $PATH: unknown\n";
  EXPECT_EQ(root(with(kShown, kFails)), "C01");
  EXPECT_EQ(root(with(kShown, with("nvidia.com/gpu: \"1\"\n", kFails))), "C02");
}

TEST(Place, AFlagBehindTheImageIsThePrograms) {
  constexpr std::string_view kFails = "failed call to cuInit: UNKNOWN ERROR (303)\n";
  EXPECT_EQ(root(with("$ apptainer exec --nv tf.sif python a.py\n", kFails)), "C02");
  EXPECT_EQ(root(with("$ apptainer exec tf.sif --nv python a.py\n", kFails)), "C01");
}

TEST(Place, AContainerThatWasGivenTheGpu) {
  constexpr std::string_view kPlain = "$ docker run --rm app python a.py\n";
  constexpr std::string_view kGiven = "$ docker run --rm --gpus all app python a.py\n";
  EXPECT_EQ(root(with(kPlain, kNoDevice)), "C01");
  EXPECT_EQ(root(with(kGiven, kNoDevice)), "C02");
  EXPECT_EQ(root(with(with(kGiven, kPlain), kNoDevice)), "C01");
  constexpr std::string_view kSecond = "root@17b2c3d4e5f6:/# echo $CUDA_VISIBLE_DEVICES\n2\n";
  EXPECT_EQ(root(with(with(kGiven, kSecond), kNoDevice)), "E02");
}

TEST(Place, DockerOfAnotherSystem) {
  constexpr std::string_view kLibrary = "nvidia-container-cli: initialization error: load library "
                                        "failed: libnvidia-ml.so.1: cannot open shared object\n";
  EXPECT_EQ(root(kLibrary), "H03");
  EXPECT_EQ(root(with("PS C:\\git> docker compose up\n", kLibrary)), "C03");
  EXPECT_EQ(root(with("- os: Ubuntu 22.04 (dual boot with Windows 11)\n", kLibrary)), "H03");
  constexpr std::string_view kDriver =
      "could not select device driver \"\" with capabilities: [[gpu]].\n";
  EXPECT_EQ(root(kDriver), "C02");
  EXPECT_EQ(root(with("- laptop: MacBook Pro M2\n", kDriver)), "H02");
}

TEST(Place, AStepOfAWorkflowWithoutAccelerators) {
  constexpr std::string_view kStep = "Issued job 'Repeat' with job batch system ID: 128 and disk: "
                                     "8.6 Gi, cores: 2, accelerators: ";
  constexpr std::string_view kNone = "Error: No GPU device found!\n";
  const auto slurm = with("- where: Slurm cluster\n", kStep);
  EXPECT_EQ(root(with(slurm, with("[], preemptable: True\n", kNone))), "C07");
  EXPECT_EQ(root(with(slurm, "[], preemptable: True\n")), "-");
  EXPECT_EQ(root(with(slurm, with("[{'count': 1, 'kind': 'gpu'}]\n", kNone))), "-");
}

TEST(Place, AServersConsoleBesideAStatedGpu) {
  constexpr std::string_view kConsole =
      "0a:00.0 VGA compatible controller: Matrox Electronics Systems Ltd. G200eR2 (rev 01)\n";
  EXPECT_EQ(root(with(kConsole, kSmiFailed)), "H01");
  EXPECT_EQ(root(with("- server: Dell R730 with Tesla P40\n", with(kConsole, kSmiFailed))), "H03");
}

TEST(Place, AGpuNewerThanTheReleaseExplainsAFailedKernel) {
  constexpr std::string_view kFailed = "E x.cc:82] CUBLAS_STATUS_EXECUTION_FAILED\n";
  EXPECT_EQ(root(with("- gpu: RTX 3080\n- tensorflow: 1.15.0\n", kFailed)), "H12");
  EXPECT_EQ(root(with("- gpu: RTX 2080\n- tensorflow: 2.4.0\n", kFailed)), "R12");
}

TEST(Place, AnAdviceInAMessageIsNoPin) {
  EXPECT_EQ(
      root("RuntimeError: Attempting to deserialize object on a CUDA device but "
           "torch.cuda.is_available() is False. If you are running on a CPU-only machine, please "
           "use torch.load with map_location=torch.device('cpu') to map your storages\n"),
      "-");
}

} // namespace
} // namespace gpuwhy::explain
