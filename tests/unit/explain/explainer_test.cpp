// Whole texts: what is named, what is refuted, what is left open. The lines are the programs' own
// formats, put together here; real logs stand in tests/fixtures/logs.
#include "explain/explainer.h"

#include "base/text.h"
#include "render/explanation.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace gpuwhy::explain {
namespace {

Explanation explained(std::string_view text, std::size_t piece = 4096) {
  Explainer explainer;
  for (std::size_t at = 0; at < text.size(); at += piece) explainer.feed(text.substr(at, piece));
  return explainer.finish();
}

std::vector<std::string> ids(const Judgement& judgement) {
  std::vector<std::string> list;
  for (const auto& cause : judgement.causes) list.push_back(cause.id);
  return list;
}

std::string root(std::string_view text) {
  const auto explanation = explained(text);
  return explanation.whole.causes.empty() ? "-" : explanation.whole.causes.front().id;
}

constexpr std::string_view kCreated =
    "2024-01-01 10:00:05.000000: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1886] Created "
    "device "
    "/job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory:  -> device: 0, name: Tesla "
    "T4, pci bus id: "
    "0000:00:04.0, compute capability: 7.5\n";
constexpr std::string_view kNoDevice =
    "2024-01-01 10:00:01.000000: E tensorflow/stream_executor/cuda/cuda_driver.cc:271] failed call "
    "to cuInit: "
    "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\n";
constexpr std::string_view kOom =
    "2024-01-01 10:01:00.000000: W tensorflow/core/x.cc:1] OOM when allocating tensor with "
    "shape[64,512,512] and type "
    "float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n";
constexpr std::string_view kNuma =
    "2024-01-01 10:00:00.000000: I tensorflow/x.cc:981] successful NUMA node read from SysFS had "
    "negative value (-1), "
    "but there must be at least one NUMA node, so returning NUMA node zero\n";

std::string text(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

TEST(Explainer, ASuccessRefutesWhatStoodBeforeIt) {
  EXPECT_EQ(explained(text({kNoDevice, kCreated})).whole.verdict, Verdict::gpu);
  EXPECT_EQ(root(text({kNoDevice, kCreated, kOom})), "R08");
  const auto later = explained(text({kCreated, kOom}));
  EXPECT_EQ(ids(later.whole), std::vector<std::string>{"R08"});
  EXPECT_EQ(later.whole.verdict, Verdict::gpu) << "the GPU was reached";
}

TEST(Explainer, HarmlessLinesAreNamedAndNoCause) {
  const auto explanation = explained(text({kNuma, kNuma, kCreated}));
  EXPECT_TRUE(explanation.whole.causes.empty());
  ASSERT_EQ(explanation.whole.harmless.size(), 1U);
  EXPECT_EQ(explanation.whole.harmless.front().count, 2U);
  EXPECT_EQ(explanation.whole.harmless.front().line, 1U);
}

TEST(Explainer, LeavesOpenWhatTheTextDoesNotSettle) {
  const auto bare = explained(kNoDevice);
  EXPECT_EQ(bare.whole.verdict, Verdict::cannot_tell);
  EXPECT_TRUE(bare.whole.causes.empty());
  EXPECT_EQ(bare.whole.needs, "env | grep VISIBLE_DEVICES");
  EXPECT_EQ(explained("Epoch 1/10\n").whole.verdict, Verdict::cannot_tell);
}

TEST(Explainer, TheSceneSettlesNoDevice) {
  EXPECT_EQ(root(text({"$ CUDA_VISIBLE_DEVICES=-1 python train.py\n", kNoDevice})), "E01");
  EXPECT_EQ(root(text({"$ CUDA_VISIBLE_DEVICES=seven python train.py\n", kNoDevice})), "E02");
  EXPECT_EQ(root(text({"os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n", kNoDevice})), "P03");
  EXPECT_EQ(root(text({"root@3f1c2ab4d5e6:/workspace# python train.py\n", kNoDevice})), "C01");
  EXPECT_EQ(root(text({"- has gpu: False\n", kNoDevice})), "H01");
  EXPECT_EQ(root(text({kNoDevice, "kernel driver does not appear to be running on this host (box): "
                                  "/proc/driver/nvidia/version does not exist\n"})),
            "H03");
  EXPECT_EQ(root(text({"CUDA_VISIBLE_DEVICES=NoDevFiles\n", kNoDevice})), "C07");
}

TEST(Explainer, LibrariesByName_AgainstTheCudaThatIsThere) {
  const auto missing = [](std::string_view library) {
    return "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic "
           "library '" +
           std::string(library) + "'; dlerror: " + std::string(library) +
           ": cannot open shared object file: No such file or directory\n";
  };
  EXPECT_EQ(root(missing("libcudart.so.11.0")), "L01");
  EXPECT_EQ(root(missing("libcudnn.so.8")), "L03");
  EXPECT_EQ(root(missing("libcusolver.so.11")), "L09");
  EXPECT_EQ(root("- cuda: 12.2\n" + missing("libcudart.so.11.0")), "L02");
  EXPECT_EQ(root("- cuda: 11.8\n" + missing("libcudart.so.11.0")), "L05");
  EXPECT_EQ(root(missing("libcudart.so.11.0") + "/usr/local/cuda-11.2/lib64/libcudart.so.11.0\n"),
            "L05");
  EXPECT_EQ(root(missing("libnvinfer.so.7")), "-") << "TensorRT is optional";
}

TEST(Explainer, OlderCudnn_OrAnOlderCopyOfIt) {
  const std::string line = "E x.cc:1] Loaded runtime CuDNN library: 8.0.5 but source was compiled "
                           "with: 8.6.0.  CuDNN library needs\n";
  EXPECT_EQ(root(line), "L04");
  EXPECT_EQ(root("- cudnn: 8.9.7\n" + line), "L06");
}

TEST(Explainer, NoCodeForTheGpu_NewerOrOlder) {
  const std::string list =
      "The current PyTorch install supports CUDA capabilities sm_60 sm_70 sm_80 sm_90.\n";
  EXPECT_EQ(root("X with CUDA capability sm_120 is not compatible with the current PyTorch "
                 "installation.\n" +
                 list),
            "H12");
  EXPECT_EQ(root("X with CUDA capability sm_37 is not compatible with the current PyTorch "
                 "installation.\n" +
                 list),
            "H11");
}

TEST(Explainer, AnAnswerLinesBelowItsQuestion) {
  EXPECT_EQ(root(">>> tf.test.is_built_with_cuda()\nFalse\n"), "F02");
  EXPECT_EQ(root(">>> tf.test.is_built_with_cuda()\nTrue\n"), "-");
  EXPECT_EQ(root("me@box:~$ prime-select query\nintel\n"), "H15");
  EXPECT_EQ(root("me@box:~$ lspci | grep -i nvidia\nme@box:~$ \n"), "H01");
}

TEST(Explainer, AStandstillAtTheStartIsPtxBeingCompiled) {
  const std::string created(kCreated);
  EXPECT_EQ(root(created + "2024-01-01 10:03:30.000000: I tensorflow/x.cc:1] next\n"), "R11");
  EXPECT_EQ(root(created + "2024-01-01 10:00:06.000000: I tensorflow/x.cc:1] next\n"), "-");
}

TEST(Explainer, ByVersionsAlone) {
  EXPECT_EQ(root("- os: Windows 11\n- tensorflow: 2.15.0\n"), "F03");
  EXPECT_EQ(root("- os: Windows 10\n- tensorflow: 2.10.0\n"), "-");
  EXPECT_EQ(root("- os: macOS 14\n- tensorflow: 2.15.0\n"), "F04");
}

TEST(Explainer, TwoVersionsOfTheDriver_WithoutTheLineThatSaysSo) {
  const std::string versions = "I tensorflow/x.cc:189] libcuda reported version is: 384.111.0\n"
                               "I tensorflow/x.cc:193] kernel reported version is: 384.90.0\n";
  EXPECT_EQ(root(text({kNoDevice, versions})), "H05");
  EXPECT_EQ(root(text({kNoDevice, replace_all(versions, "384.90.0", "384.111.0")})), "-");
}

TEST(Explainer, JaxPlugin_WhatFailedComesBeforeItsFallback) {
  const std::string fallback = "WARNING: An NVIDIA GPU may be present on this machine, but a "
                               "CUDA-enabled jaxlib is not installed. Falling back to cpu.\n";
  EXPECT_EQ(root(fallback), "F12");
  EXPECT_EQ(root("RuntimeError: Unable to load cuSPARSE. Is it installed?\n" + fallback), "L09");
  EXPECT_EQ(root("Outdated cuSPARSE installation found.\n" + fallback), "L02");
  EXPECT_EQ(root("Outdated cuDNN installation found.\n" + fallback), "L04");
  const auto cut =
      explained("Jax plugin configuration error: Exception when calling x()\n" + fallback);
  EXPECT_EQ(cut.whole.verdict, Verdict::cannot_tell);
}

TEST(Explainer, CompilingFromPtxIsSlow_UnlessItFails) {
  std::string waits = "W gpu_device.cc:1] TensorFlow was not built with CUDA kernel binaries "
                      "compatible with compute capability 9.0. CUDA kernels will be "
                      "jit-compiled from PTX, which could take 30 minutes or longer.\n";
  EXPECT_EQ(root(waits), "R11");
  EXPECT_EQ(explained(waits).whole.verdict, Verdict::gpu);
  EXPECT_EQ(root("TensorFlow version: 2.15.0\n" + waits), "R11"); // newest PTX there: of 8.0
  EXPECT_EQ(root(waits + "InternalError: CUDA_ERROR_INVALID_HANDLE\n"), "H12");
  // A generation of which no release has PTX: the CUDA libraries do not know it either.
  EXPECT_EQ(root(replace_all(waits, "9.0", "99.0")), "H12");
}

TEST(Explainer, AListOfBuildsOnOfferIsNotWhatIsInstalled) {
  const std::string cpu = "tensorflow   2.2.0   mkl_py37h6e9ce2d_0   pkgs/main\n";
  const std::string gpu = "tensorflow   2.2.0   gpu_py37h1a511ff_0   pkgs/main\n";
  EXPECT_EQ(root(cpu), "F02");
  EXPECT_EQ(root(cpu + gpu), "-");
}

constexpr std::string_view kNoCudart =
    "2024-01-01 10:00:01.000000: W tensorflow/x.cc:64] Could not load dynamic library "
    "'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file\n";
constexpr std::string_view kNoCudnn =
    "2024-01-01 11:00:01.000000: W tensorflow/x.cc:64] Could not load dynamic library "
    "'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file\n";
constexpr std::string_view kBanner =
    "2024-01-01 10:00:02.000000: I tensorflow/x.cc:1] This TensorFlow binary is optimized with "
    "oneDNN\n";
constexpr std::string_view kLaterBanner =
    "2024-01-01 11:00:02.000000: I tensorflow/x.cc:1] This TensorFlow binary is optimized with "
    "oneDNN\n";

TEST(Explainer, OfTwoRunsTheLastCounts) {
  EXPECT_EQ(root(text({kNoCudart, kNoCudnn})), "L01"); // one run: both are missing
  EXPECT_EQ(root(text({"$ python train.py\n", kNoCudart, "$ python train.py\n", kNoCudnn})), "L03");
  EXPECT_EQ(root(text({kNoCudart, "After installing the toolkit:\n", kNoCudnn})), "L03");
  EXPECT_EQ(root(text({kNoCudart, kBanner, kNoCudnn, kLaterBanner})), "L03"); // a new process
  const auto stopped = explained(text({"$ python a.py\n", kNoDevice, "$ python a.py\n", kNoCudnn}));
  EXPECT_EQ(ids(stopped.whole), std::vector<std::string>{"L03"});
  // A question asked of the same machine is no repair.
  EXPECT_EQ(root(text({"$ python a.py\n", kNoCudart, "$ python -m pip list\n"})), "L01");
}

TEST(Explainer, ASuccessOfAnEarlierRunIsPast) {
  const auto worse = explained(text({kCreated, "After the update:\n", kNoCudnn}));
  EXPECT_EQ(ids(worse.whole), std::vector<std::string>{"L03"});
  EXPECT_EQ(worse.whole.verdict, Verdict::no_gpu);
  EXPECT_FALSE(worse.whole.works);
  const auto better = explained(text({kNoCudart, "After the update:\n", kCreated}));
  EXPECT_EQ(better.whole.verdict, Verdict::gpu);
  EXPECT_TRUE(better.whole.causes.empty());
}

TEST(Explainer, EveryBlockOfAPasteIsUsed) {
  const std::string smi =
      "| NVIDIA-SMI 535.98   Driver Version: 535.98   CUDA Version: 12.2     |\n"
      "|   0  NVIDIA GeForce GTX 1650      Off  | 00000000:01:00.0  On |\n";
  const std::string says_no = ">>> torch.cuda.is_available()\nFalse\n";
  const std::string list = "$ pip list\ntorch   2.1.0+cpu\n";
  EXPECT_EQ(explained(says_no + smi).whole.verdict, Verdict::cannot_tell);
  EXPECT_EQ(root(says_no + smi + list), "F13");
  EXPECT_EQ(root(list + smi + says_no), "F13");
  const std::string unknown = "failed call to cuInit: UNKNOWN ERROR (303)\n";
  EXPECT_EQ(root(unknown), "H03");
  EXPECT_EQ(root(unknown + smi), "L05"); // the driver runs, and its library is not found
}

std::string collected(std::string_view torch, std::string_view built, std::string_view available,
                      std::string_view driver) {
  return text({"Collecting environment information...\nPyTorch version: ", torch,
               "\nCUDA used to build PyTorch: ", built, "\n\nOS: Ubuntu 22.04\nIs CUDA available: ",
               available, "\nNvidia driver version: ", driver, "\n"});
}

TEST(Explainer, WhatPyTorchCollects) {
  EXPECT_EQ(root(collected("1.6.0", "10.2", "No", "418.67")), "H10");
  EXPECT_EQ(root(collected("1.6.0", "10.2", "No", "450.51.05")), "-"); // the versions fit
  EXPECT_EQ(root(collected("1.10.2", "11.3", "False", "Could not collect")), "H03");
  EXPECT_EQ(root(collected("1.7.1+cpu", "Could not collect", "False", "535.98")), "F13");
  EXPECT_EQ(explained(collected("2.1.0", "12.1", "True", "550.54")).whole.verdict, Verdict::gpu);
}

TEST(Explainer, AFileIsOnDiskWhereAListingShowsIt) {
  const std::string missing = "not able to find libcudnn.so.7\nCould not load dynamic library "
                              "'libcudnn.so.7'; dlerror: no such file\n";
  EXPECT_EQ(root(missing), "L03");
  EXPECT_EQ(root(missing + "$ find / -name 'libcudnn*'\n/opt/cuda/lib64/libcudnn.so.7\n"), "L05");
  EXPECT_EQ(
      root(missing + "lrwxrwxrwx 1 root root 17 May 1 10:00 libcudnn.so.7 -> libcudnn.so.7.6\n"),
      "L05");
}

TEST(Explainer, VersionsThatAreStatedInALineOfTheirOwn) {
  const std::string hidden =
      "Cannot dlopen some GPU libraries.\nSkipping registering GPU devices\n";
  EXPECT_EQ(root("TensorFlow 2.1.0\nCUDA 10.2\n" + hidden), "F15");
  EXPECT_EQ(root("TensorFlow 2.1.0\n" + hidden), "-");
}

TEST(Explainer, AnAnswerFitsItsQuestion) {
  EXPECT_EQ(root("On Google Colab:\n>>> torch.cuda.is_available()\nreturns:\n1.15.0\nFalse\n"),
            "C04");
}

TEST(Explainer, LowUseIsLookedAtWhileItRuns) {
  const auto slow = explained("the GPU utilization is only 4% while it trains\n");
  EXPECT_EQ(slow.whole.verdict, Verdict::cannot_tell);
  EXPECT_EQ(slow.whole.needs, "gpuwhy run -- python train.py");
}

std::vector<std::string> alternatives(const Explanation& explanation) {
  std::vector<std::string> list;
  for (const auto& other : explanation.whole.causes.at(0).alternatives) list.push_back(other.id);
  return list;
}

TEST(Explainer, WhatLooksAlikeInALogIsNamedWithTheCommandThatTells) {
  using Ids = std::vector<std::string>;
  const std::string unknown = "failed call to cuInit: UNKNOWN ERROR (303)\n";
  const auto bare = explained(unknown);
  EXPECT_EQ(bare.whole.verdict, Verdict::no_gpu) << "that it is not used is sure";
  EXPECT_EQ(alternatives(bare), (Ids{"H01", "H02", "H04", "C01", "C03"}));
  EXPECT_EQ(bare.whole.needs, "gpuwhy check");
  EXPECT_EQ(alternatives(explained("- os: Debian 12\n- gpu: RTX 3090\n" + unknown)),
            (Ids{"H04", "C01"}));
  EXPECT_EQ(
      alternatives(explained("$ docker run -it tensorflow/tensorflow:latest-gpu\n" + unknown)),
      Ids{})
      << "the place decides";
  const std::string stub = "Could not find cuda drivers on your machine, GPU will not be used.\n";
  EXPECT_EQ(alternatives(explained(stub)), (Ids{"L05", "F15", "L07", "H01"}));
  EXPECT_EQ(explained(stub).whole.needs, "gpuwhy check");
  EXPECT_EQ(alternatives(explained(std::string(kNoCudart))), (Ids{"L05", "L02"}));
  EXPECT_EQ(explained("Loaded runtime CuDNN library: 8.0.5 but source was compiled with: 8.6.0.\n")
                .whole.needs,
            "")
      << "the text settles it";
}

TEST(Explainer, FiguresOfUse) {
  EXPECT_EQ(root("- gpu util percent: <20 in Task Manager, 95-100 in HWMonitor\n"), "R10");
  EXPECT_EQ(root("- gpu util: 97\n"), "R10");
  EXPECT_EQ(root("- gpu util: 20\n- gpu mem: almost all of 12 GB\n"), "-") << "many causes";
  EXPECT_EQ(root("- gpu util: 20\nmodel.add(LSTM(128))\n"), "R04");
  EXPECT_EQ(root("- gpu util: 0\n- gpu mem: 15649 of 16276 MiB\n"), "R02");
  EXPECT_EQ(root("- gpu util: 0 % for two thirds of the time\n"), "R03");
  EXPECT_EQ(root("- gpu util: 0 to 15 % on each card, all CPU cores at 100 %\n"), "R03");
  EXPECT_EQ(root("- temperature: 91 C\n"), "R06");
  EXPECT_EQ(root("- temperature: 61 C\n"), "-");
  EXPECT_EQ(root("- speed: 6 Hz at first, 5 Hz after an hour\n"), "R06");
  EXPECT_EQ(root("- step time: 20 ms at first, 50 ms after an hour\n"), "R07");
  EXPECT_EQ(root("- step time: 60 ms on one, 170 ms on eight\n"), "R05");
  EXPECT_EQ(root("- step time: 60 ms on one, 61 ms on eight\n"), "-");
  EXPECT_EQ(root("- host rss: +2.5 MB an iteration\n"), "R07");
  EXPECT_EQ(root("- start time: 3-4 min\n"), "R11");
  EXPECT_EQ(root("- start time: 3-4 s\n"), "-");
  EXPECT_EQ(explained("- gpu util: 20\n").whole.needs, "gpuwhy run -- python train.py");
  EXPECT_EQ(root("- gpu util: 0\n>>> tf.config.list_physical_devices('GPU')\n[]\n"), "-")
      << "not used at all";
}

TEST(Explainer, UseAsToolsSampleIt) {
  const std::string heading = "# gpu    sm   mem   enc   dec rxpci txpci\n";
  EXPECT_EQ(root(heading + "    0     7     4     0     0  3480  1692\n"), "R05");
  EXPECT_EQ(root(heading + "    0    97     4     0     0  3480  1692\n"), "-");
  EXPECT_EQ(root("0 % 0 % 0 % 0 % 99 % 0 %\n"), "R03") << "idle between bursts";
  EXPECT_EQ(root("0 %, 22011 MiB\n0 %, 22011 MiB\n0 %, 22011 MiB\n"), "R02");
  EXPECT_EQ(root("97 %, 22011 MiB\n98 %, 22011 MiB\n97 %, 22011 MiB\n"), "-");
  EXPECT_EQ(root("1110 MHz, 60, 0x0000000000000020\n"), "R06");
  EXPECT_EQ(root("1110 MHz, 60, 0x0000000000000004\n"), "-") << "the usual power cap";
  EXPECT_EQ(root("for i in range(9):\n    model = load_model('m.h5')\n"), "P18");
}

TEST(Explainer, FiguresInALog) {
  const auto step = [](std::string_view wait) {
    return "batch: 8/13 - time: 10.0000 - data_time: " + std::string(wait) + "\n";
  };
  EXPECT_EQ(root(step("9.0000") + step("8.0000")), "R03");
  EXPECT_EQ(root(step("0.1000") + step("0.2000")), "-");
  const auto memory = [](std::string_view used) {
    return "step 1 mem " + std::string(used) + "MiB\n";
  };
  const std::string full = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n";
  EXPECT_EQ(root(memory("1000") + memory("2000") + memory("3000") + memory("4000") + full), "R07");
  EXPECT_EQ(root(memory("1000") + memory("1010") + memory("1020") + memory("1030") + full), "R08");
}

TEST(Explainer, TheSameInAnyPieces) {
  const auto log =
      text({"- cudnn: 8.9.7\r\n", kNuma, "\x1b[31m", kNoDevice, "root@3f1c2ab4d5e6:/w# ls\n"});
  const auto whole = explanation_json(explained(log));
  for (const std::size_t piece : {1U, 7U, 100U})
    EXPECT_EQ(explanation_json(explained(log, piece)), whole) << piece;
}

TEST(Explainer, RanksThatFareDifferentlyGetSections) {
  const auto explanation =
      explained("[rank0]: RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n[rank1]: "
                "RuntimeError: CUDA error: an illegal memory access was encountered\n"
                "[rank2]: RuntimeError: CUDA error: an illegal memory access was encountered\n");
  ASSERT_EQ(explanation.sections.size(), 2U);
  EXPECT_EQ(ids(explanation.sections[0]), std::vector<std::string>{"R08"});
  EXPECT_EQ(explanation.sections[1].ranks, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(
      explained("[rank0]: RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n[rank1]: "
                "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
          .sections.empty());
}

TEST(BadInput, AClearWordForEach) {
  const auto notes = [](std::string_view bytes) {
    const auto explanation = explained(bytes);
    EXPECT_EQ(explanation.whole.verdict, Verdict::cannot_tell);
    return explanation.input.notes.empty() ? "" : explanation.input.notes.front();
  };
  EXPECT_EQ(notes(""), "the input is empty");
  EXPECT_EQ(notes(std::string(8000, '\0')),
            "this is binary data, not a log; only text in it was read");
  EXPECT_EQ(notes("caf\xe9\n"), "1 bytes are not valid UTF-8; they are shown as \\xNN");
  EXPECT_EQ(notes(std::string("a\0b", 3)), "1 NUL bytes were passed over");
  EXPECT_EQ(notes(std::string(300'000, 'x')).substr(0, 18), "a line of at least");
}

TEST(BadInput, EscapesNeverReachTheTerminal) {
  const auto explanation = explained(text({"\x1b]0;owned\x07\x1b[2J", kNoDevice,
                                           "- gpu: \x1b[31mRTX \xc2\x9b"
                                           "31m\x07\n"}));
  const auto page = explanation_text(explanation, Style{}, true);
  for (const char c : page)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  EXPECT_EQ(page.find("\xc2\x9b"), std::string::npos);
}

TEST(BadInput, BoundedWhateverComes) {
  std::string log;
  for (int i = 0; i < 3000; ++i)
    log += "failed call to cuInit: CUDA_ERROR_X" + std::to_string(i) + ": x\n";
  const auto explanation = explained(log);
  ASSERT_FALSE(explanation.input.notes.empty());
  EXPECT_LE(explanation_json(explanation).size(), 200'000U);
}

TEST(Report, JsonKeepsItsContract) {
  const auto report = nlohmann::json::parse(explanation_json(explained(text({kCreated, kOom}))));
  EXPECT_EQ(report["schema"], "gpuwhy.report/1");
  EXPECT_EQ(report["command"], "explain");
  EXPECT_EQ(report["verdict"], "gpu");
  EXPECT_EQ(report["causes"][0]["id"], "R08");
  EXPECT_EQ(report["causes"][0]["slug"], "out-of-memory");
  EXPECT_EQ(report["causes"][0]["evidence"][0]["line"], 2);
  EXPECT_TRUE(report["needs"].is_null());
}

TEST(Report, TextOffersWhatLooksAlike) {
  const auto page = explanation_text(
      explained("Could not find cuda drivers on your machine, GPU will not be used.\n- gpu: T4\n"),
      Style{}, false);
  EXPECT_EQ(
      page,
      R"(✗ TensorFlow does not find libcudart, CUDA's runtime library (the line speaks of drivers and does not mean them)

  seen      line 1: Could not find cuda drivers on your machine, GPU will not be used.
            = it speaks of drivers, yet it means that libcudart was not found
  likeliest F05 cuda-extras-missing: TensorFlow is installed without its CUDA libraries
            fix: python -m pip install 'tensorflow[and-cuda]'
  or        L05 library-not-on-path: CUDA is installed where the loader does not look
            F15 framework-cuda-mismatch: another major version of CUDA is installed
            L07 library-corrupt: the file is there and damaged, or of another architecture
  needs     gpuwhy check
            run where the program runs; this text alone cannot tell them apart
  stated    gpu T4
)");
}

TEST(Report, TextNamesLineMeaningCauseAndFix) {
  const auto page = explanation_text(
      explained(text(
          {kNuma, "Loaded runtime CuDNN library: 8.0.5 but source was compiled with: 8.6.0.\n"})),
      Style{}, false);
  EXPECT_EQ(page, R"(✗ cuDNN 8.0.5 is loaded, the framework was built with 8.6.0

  cause     L04 cudnn-version-mismatch: The cuDNN that is loaded does not fit the framework
  seen      line 2: Loaded runtime CuDNN library: 8.0.5 but source was compiled with: 8.6.0.
            = the cuDNN that is found is older than the framework was built with
  fix       install cuDNN 8.6 or a newer one of the same major version
  harmless  line 1: successful NUMA node read from SysFS had negative value (-1), bu... = one
            processor socket has no NUMA nodes to speak of
)");
}

} // namespace
} // namespace gpuwhy::explain
