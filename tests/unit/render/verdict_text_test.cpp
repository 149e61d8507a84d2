#include "render/verdict_text.h"

#include "base/text.h"
#include "unit/render/samples.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

Style style(std::size_t width = 100) {
  return {.color = false, .unicode = true, .width = width, .home = "/home/ada"};
}

std::string brief(const Verdict& verdict, std::size_t width = 100) {
  return verdict_text(verdict, style(width), Detail::brief);
}

/// The raw strings below begin with a line feed.
std::string_view text(std::string_view raw) {
  return raw.substr(1);
}

std::vector<Verdict> all_samples() {
  return {samples::healthy(),        samples::one_cause(),         samples::three_causes(),
          samples::not_known(),      samples::unverified(),        samples::nothing_installed(),
          samples::warning(),        samples::many_environments(), samples::hostile(),
          samples::pinned_program(), samples::no_hardware(),       Verdict{}};
}

TEST(VerdictText, HealthyMachine) {
  EXPECT_EQ(brief(samples::healthy()), text(R"(
✓ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✓
           architecture ✓  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
)"));
}

TEST(VerdictText, HealthyMachineTakesAtMostEightLines) {
  auto verdict = samples::healthy();
  for (int i = 0; i < 20; ++i) {
    auto other = samples::tensorflow("2." + std::to_string(i) + ".0");
    other.selected = false;
    other.environment = "/opt/envs/" + std::to_string(i);
    verdict.frameworks.push_back(other);
  }
  const auto shown = brief(verdict);
  EXPECT_LE(split_lines(shown).size(), 9U) << shown; // eight, and the one that counts the rest
  EXPECT_TRUE(contains(shown, "and 17 more environments: gpuwhy -v")) << shown;
  verdict.frameworks.resize(4);
  const auto few = brief(verdict);
  EXPECT_LE(split_lines(few).size(), 8U) << few;
}

TEST(VerdictText, OneCauseOneFix) {
  EXPECT_EQ(brief(samples::one_cause()), text(R"(
✗ TensorFlow 2.15.0 (Python 3.11.7, venv ~/train/.venv) will list the GPU, then fail when it uses it

  cause    cuDNN 8.6.0 is loaded first, TensorFlow 2.15.0 was built for 8.9                      L04
           cuDNN 8.6.0, found through LD_LIBRARY_PATH[0]
             (/usr/local/cuda-11.8/lib64/libcudnn.so.8)
           LD_LIBRARY_PATH leads there first (~/.bashrc:118)
  fix      remove /usr/local/cuda-11.8/lib64 from LD_LIBRARY_PATH (set in ~/.bashrc:118)
                                                                      verified: then the GPU is used
               unset LD_LIBRARY_PATH

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✗
           architecture ✓  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
  more     'gpuwhy rule L04' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, RootCauseAndTwoThatWouldFailNext) {
  EXPECT_EQ(brief(samples::three_causes()), text(R"(
✗ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will run on the CPU, not on the GPU

  cause    NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0) has no driver: NVIDIA's is not installed   H03
           the nvidia module is not loaded (/proc/modules)
           no package of a driver is installed (/var/lib/dpkg/status)
  fix      install the NVIDIA driver, then restart
               sudo apt update
               sudo apt install linux-headers-$(uname -r) nvidia-driver libcuda1
               sudo reboot
  next     TensorFlow 2.18.0 can use a GPU, but its CUDA libraries are not installed: 7 of 7 are
           missing                                                           F05 cuda-extras-missing
  fix      install TensorFlow's own CUDA libraries, the and-cuda extra
               /home/ada/train/.venv/bin/python -m pip install 'tensorflow[and-cuda]==2.18.0'
  next     CUDA_VISIBLE_DEVICES="-1" hides every GPU                   E01 visible-devices-hides-all
  fix      unset CUDA_VISIBLE_DEVICES (set in ~/.profile:7)
               unset CUDA_VISIBLE_DEVICES
  then     the GPU is used: verified for these 3 fixes together

  route    hardware ✓  driver ✗  access ✓  libcuda ?  program ✓  build ✓  libraries ✗
           architecture ✓  visibility ✗
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9
  more     'gpuwhy rule H03' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, NotKnownSaysWhatWouldSettleIt) {
  EXPECT_EQ(brief(samples::not_known()), text(R"(
? could not tell whether TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

  unknown  version of the NVIDIA driver: /proc/driver/nvidia/version: permission denied
           which libcuda.so.1 will be loaded
  settle   ask TensorFlow itself, which takes some seconds; [] means that it sees no GPU
               /home/ada/train/.venv/bin/python -c 'import tensorflow as tf; print(tf.config.list_physical_devices("GPU"))'

  route    hardware ✓  driver ?  access ✓  libcuda ?  program ✓  build ✓  libraries ✓
           architecture ✓  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
)"));
}

TEST(VerdictText, NothingInstalled) {
  EXPECT_EQ(brief(samples::nothing_installed()), text(R"(
✗ no TensorFlow was found for Python 3.11.2 (/usr/bin/python3)

  cause    TensorFlow is not installed for /usr/bin/python3              F01 framework-not-installed
           this interpreter was taken because of $PATH (/usr/bin/python3)
  fix      make a virtual environment and install TensorFlow with its CUDA libraries there
                                                                      verified: then the GPU is used
               /usr/bin/python3 -m venv .venv
               .venv/bin/python -m pip install 'tensorflow[and-cuda]<=2.20.0'

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✗  build ?  libraries ?
           architecture ?  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
  more     'gpuwhy rule F01' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, NoPythonAtAll) {
  Verdict verdict;
  verdict.frameworks.emplace_back();
  verdict.frameworks.front().framework = "tensorflow";
  verdict.frameworks.front().unknown = {"which Python runs the program: no interpreter was found"};
  EXPECT_EQ(brief(verdict), text(R"(
? no Python was found here, and so no TensorFlow

  unknown  which Python runs the program: no interpreter was found
  settle   name the Python that runs your program
               gpuwhy --python PATH

  GPU      none that can be seen from here
)"));
}

TEST(VerdictText, ManyEnvironments) {
  EXPECT_EQ(brief(samples::many_environments()), text(R"(
✗ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will run on the CPU, not on the GPU

  cause    TensorFlow 2.18.0 can use a GPU, but its CUDA libraries are not installed: 7 of 7 are
           missing                                                           F05 cuda-extras-missing
           missing: libcudart.so.12, libcublas.so.12, libcublasLt.so.12, libcufft.so.11,
             libcusolver.so.11, libcusparse.so.12 and libcudnn.so.9
             (…/site-packages/tensorflow/libtensorflow_framework.so.2)
           no NVIDIA wheel for this TensorFlow is installed in the environment (…/site-packages)
  fix      install TensorFlow's own CUDA libraries, the and-cuda extra
                                                                      verified: then the GPU is used
               /home/ada/train/.venv/bin/python -m pip install 'tensorflow[and-cuda]==2.18.0'

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✗
           architecture ✓  visibility ✓
  GPU      2 x NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
  others   ✓ TensorFlow 2.19.1 in /opt/conda/envs/good: uses the GPU
           ✗ TensorFlow 2.18.0 in /opt/conda/envs/a, /opt/conda/envs/b and 2 more: F05
             cuda-extras-missing
           ✗ TensorFlow 2.15.0 in /opt/conda/envs/old: L04 cudnn-version-mismatch
  more     'gpuwhy rule F05' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, VerboseListsEveryEnvironment) {
  const auto full = verdict_text(samples::many_environments(), style(), Detail::full);
  for (const auto* name : {"a", "b", "c", "d", "old", "good"}) {
    EXPECT_TRUE(contains(full, std::string("in /opt/conda/envs/") + name + ":")) << full;
  }
  EXPECT_FALSE(contains(full, "…")) << "whole paths\n" << full;
}

TEST(VerdictText, FixThatCouldNotBeVerified) {
  const auto shown = brief(samples::unverified());
  EXPECT_TRUE(contains(shown, "  also     CUDA_VISIBLE_DEVICES=\"-1\" hides every GPU")) << shown;
  EXPECT_TRUE(contains(
      shown,
      "  then     run gpuwhy again: whether this is enough could not be verified beforehand\n"))
      << shown;
  EXPECT_FALSE(contains(shown, "verified:")) << shown;
}

TEST(VerdictText, VerifiedFixesWithSomethingUnknownBehindThem) {
  auto verdict = samples::one_cause();
  auto& framework = verdict.frameworks.front();
  framework.plan_reaches_gpu = false;
  framework.unknown = {"the GPUs for which the build has code"};
  const auto shown = brief(verdict);
  EXPECT_TRUE(contains(shown, text(R"(
  then     run gpuwhy again: this is gone then (verified), but gpuwhy could not tell what is left:
           the GPUs for which the build has code
)"))) << shown;
  EXPECT_FALSE(contains(shown, "then the GPU is used")) << shown;
}

TEST(VerdictText, CauseWithoutAFix) {
  auto verdict = samples::one_cause();
  verdict.frameworks.front().causes.front().fix.reset();
  verdict.frameworks.front().plan.clear();
  verdict.frameworks.front().plan_reaches_gpu = false;
  EXPECT_TRUE(contains(brief(verdict),
                       "  fix      gpuwhy knows none; 'gpuwhy rule L04' tells what is known\n"));
}

TEST(VerdictText, WarningOnly) {
  EXPECT_EQ(brief(samples::warning()), text(R"(
! TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU, but not as well as it
  could

  cause    TensorFlow leaves out the NVIDIA T400 with 6 multiprocessors, as it wants at least 8,
           which other GPUs here reach                                   H16 too-few-multiprocessors
           NVIDIA T400: 6 multiprocessors (probe cuda_init)
  fix      lower the limit: set TF_MIN_GPU_MULTIPROCESSOR_COUNT=6        verified: then this is gone
               export TF_MIN_GPU_MULTIPROCESSOR_COUNT=6

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✓
           architecture ✗  visibility ✓
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
           NVIDIA T400, compute capability 7.5, 2 GiB, driver 550.54.14 (CUDA 12.4)
  more     'gpuwhy rule H16' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, NoGpuHardware) {
  EXPECT_EQ(brief(samples::no_hardware()), text(R"(
✗ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will run on the CPU, not on the GPU

  cause    this virtual machine (KVM) has no GPU on its PCI bus                  H01 no-gpu-hardware
           no display or 3D controller is listed (/sys/bus/pci/devices)
           this is a virtual machine of KVM (/sys/class/dmi/id/sys_vendor)
  fix      give the virtual machine a GPU (PCI passthrough or vGPU, set on the host), or in a cloud
           choose a machine type with an NVIDIA GPU
  then     run gpuwhy again: whether this is enough could not be verified beforehand

  route    hardware ✗  driver ?  access ✓  libcuda ?  program ✓  build ✓  libraries ✓
           architecture ?  visibility ✓
  GPU      none that can be seen from here
  more     'gpuwhy rule H01' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
}

TEST(VerdictText, FortyColumns) {
  EXPECT_EQ(brief(samples::one_cause(), 40), text(R"(
✗ TensorFlow 2.15.0 (Python 3.11.7, venv
  ~/train/.venv) will list the GPU, then
  fail when it uses it

  cause
    cuDNN 8.6.0 is loaded first,
    TensorFlow 2.15.0 was built for 8.9
    L04 cudnn-version-mismatch
    cuDNN 8.6.0, found through
      LD_LIBRARY_PATH[0]
      (/usr/local/cuda-11.8/lib64/libcudnn.so.8)
    LD_LIBRARY_PATH leads there first
      (~/.bashrc:118)
  fix
    remove /usr/local/cuda-11.8/lib64
    from LD_LIBRARY_PATH (set in
    ~/.bashrc:118)
    verified: then the GPU is used
        unset LD_LIBRARY_PATH

  route
    hardware ✓  driver ✓  access ✓
    libcuda ✓  program ✓  build ✓
    libraries ✗  architecture ✓
    visibility ✓
  GPU
    NVIDIA GeForce RTX 4090, compute
    capability 8.9, 24 GiB, driver
    550.54.14 (CUDA 12.4)
  more
    'gpuwhy rule L04' explains the
    cause, 'gpuwhy -v' shows all that
    was seen
)"));
}

TEST(VerdictText, WithoutUnicodeEveryByteOfOursIsAscii) {
  auto plain = style();
  plain.unicode = false;
  for (const auto& verdict : all_samples()) {
    for (const auto detail : {Detail::brief, Detail::full}) {
      const auto shown = verdict_text(verdict, plain, detail);
      for (const char byte : shown) ASSERT_GE(byte, 0) << shown;
    }
  }
  EXPECT_TRUE(
      contains(verdict_text(samples::one_cause(), plain, Detail::brief), "build ok  libraries NO"));
}

TEST(VerdictText, ColourIsOnlyAdded) {
  auto coloured = style();
  coloured.color = true;
  for (const auto& verdict : all_samples()) {
    auto shown = verdict_text(verdict, coloured, Detail::brief);
    for (const auto* code : {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"}) {
      shown = replace_all(shown, code, "");
    }
    EXPECT_EQ(shown, brief(verdict));
  }
}

TEST(VerdictText, NothingReadCanDriveTheTerminal) {
  for (const auto detail : {Detail::brief, Detail::full}) {
    const auto shown = verdict_text(samples::hostile(), style(), detail);
    EXPECT_FALSE(contains(shown, "\x1b")) << shown;
    EXPECT_FALSE(contains(shown, "\x07")) << shown;
    EXPECT_TRUE(contains(shown, "venv /tmp/\\x1b[2J\\x1b]0;title\\x07\\x0a.venv)")) << shown;
    EXPECT_TRUE(contains(shown, "rm '/tmp/\\x1b[2J'")) << shown;
  }
}

TEST(VerdictText, AProgramAndItsLine) {
  EXPECT_EQ(brief(samples::pinned_program()), text(R"(
✗ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will run train.py on the CPU, not on the GPU

  cause    train.py:14: what is made and run in this scope stays on the CPU        P01 pinned-to-cpu
           with tf.device('/CPU:0'): (train.py:14)
  fix      train.py:14: remove the scope                              verified: then the GPU is used
               gpuwhy lint --fix --select P01 train.py
  note     train.py:9: nothing is prepared while the GPU computes                 P08 input-pipeline

  route    hardware ✓  driver ✓  access ✓  libcuda ✓  program ✓  build ✓  libraries ✓
           architecture ✓  visibility ✓  code ✗
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
  more     'gpuwhy rule P01' explains the cause, 'gpuwhy -v' shows all that was seen
)"));
  auto good = samples::pinned_program();
  good.frameworks.front().causes.clear();
  good.frameworks.front().answer = Usable::gpu;
  good.findings.clear();
  good.program->notes = {"train.py:3: setting CUDA_VISIBLE_DEVICES here has no effect"};
  const auto shown = brief(good);
  EXPECT_TRUE(shown.starts_with("✓ TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use "
                                "the GPU for train.py\n"))
      << shown;
  EXPECT_TRUE(contains(shown, "note     train.py:3: setting")) << shown;
}

TEST(VerdictText, LongPathsAreCutInTheirMiddle) {
  const auto shown = brief(samples::hostile());
  for (const auto line : split_lines(shown)) EXPECT_LE(display_width(line), 200U) << line;
  EXPECT_TRUE(contains(shown, "/data/xxx")) << shown;
  EXPECT_TRUE(contains(shown, "xxx/libcudnn.so.8")) << shown;
  EXPECT_TRUE(
      contains(verdict_text(samples::hostile(), style(), Detail::full), std::string(4000, 'x')));
}

TEST(VerdictText, FitsItsWidth) {
  for (const std::size_t width : {60U, 80U, 100U, 110U}) {
    for (const auto& verdict : {samples::healthy(), samples::three_causes(), samples::warning(),
                                samples::no_hardware()}) {
      const auto shown = brief(verdict, width);
      for (const auto line : split_lines(shown)) {
        const bool command =
            line.starts_with("               ") && !line.starts_with("                ");
        EXPECT_TRUE(command || display_width(line) <= width) << line;
      }
    }
  }
}

TEST(VerdictText, VerboseShowsEveryGateWhatWasClearedAndWhatWasNotSeen) {
  auto verdict = samples::not_known();
  auto& framework = verdict.frameworks.front();
  framework.route.front().evidence = {{"NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0)", {}},
                                      {"NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0)", {}}};
  framework.ruled_out = {"E01 visible-devices-hides-all: CUDA_VISIBLE_DEVICES is not set"};
  EXPECT_EQ(verdict_text(verdict, style(), Detail::full), text(R"(
? could not tell whether TensorFlow 2.18.0 (Python 3.11.7, venv ~/train/.venv) will use the GPU

  unknown  version of the NVIDIA driver: /proc/driver/nvidia/version: permission denied
           which libcuda.so.1 will be loaded
  settle   ask TensorFlow itself, which takes some seconds; [] means that it sees no GPU
               /home/ada/train/.venv/bin/python -c 'import tensorflow as tf; print(tf.config.list_physical_devices("GPU"))'

  route    ✓ hardware: is there a GPU that a framework can use?
             NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0)
           ? driver: is its kernel driver loaded, and does it match its libraries?
             version of the NVIDIA driver: /proc/driver/nvidia/version: permission denied
           ✓ access: may this process open it?
           ? libcuda: is the real libcuda.so.1 found, does it start, is it new enough?
             which libcuda.so.1 will be loaded
           ✓ program: which interpreter and environment run this program?
           ✓ build: can the installed framework build use a GPU here?
           ✓ libraries: will every CUDA library that this build opens be found?
           ✓ architecture: does the build carry code for this GPU?
           ✓ visibility: does an environment variable hide the GPU?
  cleared  E01 visible-devices-hides-all: CUDA_VISIBLE_DEVICES is not set
  python   ~/train/.venv/bin/python
           venv ~/train/.venv
  GPU      NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)
  unseen   /proc/driver/nvidia/version: permission denied
)"));
}

} // namespace
} // namespace gpuwhy
