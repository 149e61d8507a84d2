// Verdicts as they come from the judge, for the tests of renderers.
#pragma once

#include "verdict/verdict.h"

#include <algorithm>
#include <initializer_list>

namespace gpuwhy::samples {

inline std::vector<GateResult> route(std::initializer_list<Gate> failed = {},
                                     std::initializer_list<Gate> open = {}) {
  const auto has = [](std::initializer_list<Gate> gates, Gate gate) {
    return std::find(gates.begin(), gates.end(), gate) != gates.end();
  };
  std::vector<GateResult> gates;
  for (const auto& text : kGates) {
    if (text.gate == Gate::code) break;
    GateResult result;
    result.gate = text.gate;
    result.state = has(failed, text.gate) ? GateResult::State::failed
                   : has(open, text.gate) ? GateResult::State::unknown
                                          : GateResult::State::passed;
    gates.push_back(std::move(result));
  }
  return gates;
}

inline GpuLine rtx4090() {
  return {"NVIDIA GeForce RTX 4090", "8.9", 24'080ULL << 20U, "550.54.14", "12.4"};
}

inline FrameworkVerdict tensorflow(const std::string& version) {
  FrameworkVerdict verdict;
  verdict.framework = "tensorflow";
  verdict.installed = true;
  verdict.version = version;
  verdict.interpreter = "/home/ada/train/.venv/bin/python";
  verdict.environment = "/home/ada/train/.venv";
  verdict.environment_kind = "venv";
  verdict.python_version = "3.11.7";
  verdict.selected = true;
  verdict.answer = Usable::gpu;
  verdict.route = route();
  return verdict;
}

inline Verdict machine(FrameworkVerdict framework) {
  Verdict verdict;
  verdict.frameworks.push_back(std::move(framework));
  verdict.gpus.push_back(rtx4090());
  return verdict;
}

inline Verdict healthy() {
  return machine(tensorflow("2.18.0"));
}

inline Cause old_cudnn() {
  Cause cause;
  cause.id = "L04";
  cause.slug = "cudnn-version-mismatch";
  cause.gate = Gate::libraries;
  cause.effect = Effect::breaks;
  cause.title = "The cuDNN that is loaded does not fit this TensorFlow";
  cause.summary = "cuDNN 8.6.0 is loaded first, TensorFlow 2.15.0 was built for 8.9";
  cause.evidence = {{"cuDNN 8.6.0, found through LD_LIBRARY_PATH[0]",
                     {"/usr/local/cuda-11.8/lib64/libcudnn.so.8", 0}},
                    {"LD_LIBRARY_PATH leads there first", {"/home/ada/.bashrc", 118}},
                    {"built with cuDNN 8.9",
                     {"/home/ada/train/.venv/lib/python3.11/site-packages/tensorflow", 0}}};
  cause.fix =
      Fix{"remove /usr/local/cuda-11.8/lib64 from LD_LIBRARY_PATH (set in /home/ada/.bashrc:118)",
          {"unset LD_LIBRARY_PATH"},
          true};
  return cause;
}

/// One cause, one fix, proven.
inline Verdict one_cause() {
  auto framework = tensorflow("2.15.0");
  framework.causes = {old_cudnn()};
  framework.plan = {*framework.causes.front().fix};
  framework.plan_reaches_gpu = true;
  framework.route = route({Gate::libraries});
  return machine(std::move(framework));
}

inline Cause extras_missing() {
  Cause cause;
  cause.id = "F05";
  cause.slug = "cuda-extras-missing";
  cause.gate = Gate::libraries;
  cause.title = "TensorFlow is installed without its CUDA libraries";
  cause.summary = "TensorFlow 2.18.0 can use a GPU, but its CUDA libraries are not installed: 7 of "
                  "7 are missing";
  cause.evidence = {{"missing: libcudart.so.12, libcublas.so.12, libcublasLt.so.12, "
                     "libcufft.so.11, libcusolver.so.11, "
                     "libcusparse.so.12 and libcudnn.so.9",
                     {"/home/ada/train/.venv/lib/python3.11/site-packages/tensorflow/"
                      "libtensorflow_framework.so.2",
                      0}},
                    {"no NVIDIA wheel for this TensorFlow is installed in the environment",
                     {"/home/ada/train/.venv/lib/python3.11/site-packages", 0}}};
  cause.fix =
      Fix{"install TensorFlow's own CUDA libraries, the and-cuda extra",
          {"/home/ada/train/.venv/bin/python -m pip install 'tensorflow[and-cuda]==2.18.0'"},
          true};
  return cause;
}

inline Cause hidden() {
  Cause cause;
  cause.id = "E01";
  cause.slug = "visible-devices-hides-all";
  cause.gate = Gate::visibility;
  cause.title = "CUDA_VISIBLE_DEVICES hides every GPU";
  cause.summary = "CUDA_VISIBLE_DEVICES=\"-1\" hides every GPU";
  cause.evidence = {{"export CUDA_VISIBLE_DEVICES=-1", {"/home/ada/.profile", 7}}};
  cause.fix = Fix{"unset CUDA_VISIBLE_DEVICES (set in /home/ada/.profile:7)",
                  {"unset CUDA_VISIBLE_DEVICES"},
                  true};
  return cause;
}

inline Cause driver_missing(bool verified) {
  Cause cause;
  cause.id = "H03";
  cause.slug = "driver-not-installed";
  cause.gate = Gate::driver;
  cause.title = "The NVIDIA driver is not installed";
  cause.summary =
      "NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0) has no driver: NVIDIA's is not installed";
  cause.evidence = {{"NVIDIA GeForce RTX 4090 (PCI 0000:01:00.0)", {"/sys/bus/pci/devices", 0}},
                    {"the nvidia module is not loaded", {"/proc/modules", 0}},
                    {"no package of a driver is installed", {"/var/lib/dpkg/status", 0}}};
  cause.fix =
      Fix{"install the NVIDIA driver, then restart",
          {"sudo apt update", "sudo apt install linux-headers-$(uname -r) nvidia-driver libcuda1",
           "sudo reboot"},
          verified};
  return cause;
}

/// The root cause and two that would fail next.
inline Verdict three_causes() {
  auto framework = tensorflow("2.18.0");
  framework.answer = Usable::no_gpu;
  framework.causes = {driver_missing(true), extras_missing(), hidden()};
  for (const auto& cause : framework.causes) framework.plan.push_back(*cause.fix);
  framework.plan_reaches_gpu = true;
  framework.route = route({Gate::driver, Gate::libraries, Gate::visibility}, {Gate::libcuda});
  auto verdict = machine(std::move(framework));
  verdict.gpus = {{"NVIDIA GeForce RTX 4090", "8.9", 0, "", ""}};
  return verdict;
}

inline Verdict not_known() {
  auto framework = tensorflow("2.18.0");
  framework.answer = Usable::unknown;
  framework.unknown = {
      "version of the NVIDIA driver: /proc/driver/nvidia/version: permission denied",
      "which libcuda.so.1 will be loaded"};
  framework.route = route({}, {Gate::driver, Gate::libcuda});
  for (auto& gate : framework.route) {
    if (gate.gate == Gate::driver) gate.reason = framework.unknown.front();
    if (gate.gate == Gate::libcuda) gate.reason = framework.unknown.back();
  }
  auto verdict = machine(std::move(framework));
  verdict.problems = {"/proc/driver/nvidia/version: permission denied"};
  return verdict;
}

inline Verdict nothing_installed() {
  FrameworkVerdict framework;
  framework.framework = "tensorflow";
  framework.interpreter = "/usr/bin/python3";
  framework.environment = "/usr";
  framework.environment_kind = "system";
  framework.python_version = "3.11.2";
  framework.selected = true;
  framework.answer = Usable::no_gpu;
  Cause cause;
  cause.id = "F01";
  cause.slug = "framework-not-installed";
  cause.gate = Gate::program;
  cause.summary = "TensorFlow is not installed for /usr/bin/python3";
  cause.evidence = {{"this interpreter was taken because of $PATH", {"/usr/bin/python3", 0}}};
  cause.fix = Fix{"make a virtual environment and install TensorFlow with its CUDA libraries there",
                  {"/usr/bin/python3 -m venv .venv",
                   ".venv/bin/python -m pip install 'tensorflow[and-cuda]<=2.20.0'"},
                  true};
  framework.causes = {cause};
  framework.plan = {*cause.fix};
  framework.plan_reaches_gpu = true;
  framework.route = route({Gate::program}, {Gate::build, Gate::libraries, Gate::architecture});
  return machine(std::move(framework));
}

inline Verdict many_environments() {
  auto verdict = three_causes();
  verdict.frameworks.front().causes = {extras_missing()};
  verdict.frameworks.front().plan = {*extras_missing().fix};
  verdict.frameworks.front().route = route({Gate::libraries});
  verdict.gpus = {rtx4090(), rtx4090()};
  const auto add = [&](const std::string& version, const std::string& directory,
                       const Cause* cause) {
    auto other = tensorflow(version);
    other.selected = false;
    other.environment = directory;
    other.interpreter = directory + "/bin/python";
    other.environment_kind = "conda";
    if (cause != nullptr) {
      other.answer = cause->effect == Effect::hides ? Usable::no_gpu : Usable::gpu;
      other.causes = {*cause};
    }
    verdict.frameworks.push_back(std::move(other));
  };
  const auto extras = extras_missing();
  const auto cudnn = old_cudnn();
  for (const auto* name : {"a", "b", "c", "d"})
    add("2.18.0", std::string("/opt/conda/envs/") + name, &extras);
  add("2.15.0", "/opt/conda/envs/old", &cudnn);
  add("2.19.1", "/opt/conda/envs/good", nullptr);
  return verdict;
}

/// The fix cannot be simulated, and another cause was found as things are.
inline Verdict unverified() {
  auto verdict = three_causes();
  auto& framework = verdict.frameworks.front();
  framework.causes = {driver_missing(false), hidden()};
  framework.plan = {*framework.causes.front().fix};
  framework.plan_reaches_gpu = false;
  return verdict;
}

/// The GPU is used, though not as it could be.
inline Verdict warning() {
  auto framework = tensorflow("2.18.0");
  Cause cause;
  cause.id = "H16";
  cause.slug = "too-few-multiprocessors";
  cause.gate = Gate::architecture;
  cause.effect = Effect::slows;
  cause.summary = "TensorFlow leaves out the NVIDIA T400 with 6 multiprocessors, as it wants at "
                  "least 8, which other GPUs here reach";
  cause.evidence = {{"NVIDIA T400: 6 multiprocessors", {"probe cuda_init", 0}}};
  cause.fix = Fix{"lower the limit: set TF_MIN_GPU_MULTIPROCESSOR_COUNT=6",
                  {"export TF_MIN_GPU_MULTIPROCESSOR_COUNT=6"},
                  true};
  framework.causes = {cause};
  framework.plan = {*cause.fix};
  framework.plan_reaches_gpu = true;
  framework.route = route({Gate::architecture});
  auto verdict = machine(std::move(framework));
  verdict.gpus.push_back({"NVIDIA T400", "7.5", 2048ULL << 20U, "550.54.14", "12.4"});
  return verdict;
}

inline Verdict no_hardware() {
  auto framework = tensorflow("2.18.0");
  framework.answer = Usable::no_gpu;
  Cause cause;
  cause.id = "H01";
  cause.slug = "no-gpu-hardware";
  cause.gate = Gate::hardware;
  cause.summary = "this virtual machine (KVM) has no GPU on its PCI bus";
  cause.evidence = {{"no display or 3D controller is listed", {"/sys/bus/pci/devices", 0}},
                    {"this is a virtual machine of KVM", {"/sys/class/dmi/id/sys_vendor", 0}}};
  cause.fix = Fix{"give the virtual machine a GPU (PCI passthrough or vGPU, set on the host), or "
                  "in a cloud choose a "
                  "machine type with an NVIDIA GPU",
                  {},
                  false};
  framework.causes = {cause};
  framework.route = route({Gate::hardware}, {Gate::driver, Gate::libcuda, Gate::architecture});
  auto verdict = machine(std::move(framework));
  verdict.gpus.clear();
  return verdict;
}

/// What a hostile directory name may hold, and a path as long as paths get.
/// A program that pins its model to the CPU on a machine where nothing else is in the way.
inline Verdict pinned_program() {
  CodeFinding pin;
  pin.id = "P01";
  pin.slug = "pinned-to-cpu";
  pin.title = "The program puts its model on the CPU";
  pin.path = "train.py";
  pin.line = pin.end_line = 14;
  pin.column = 6;
  pin.end_column = 25;
  pin.severity = Severity::error;
  pin.bearing = Bearing::hides;
  pin.framework = "tensorflow";
  pin.message = "what is made and run in this scope stays on the CPU";
  pin.fix = "remove the scope";
  pin.edit = TextEdit{220, 228, "None"};
  pin.lines = {"with tf.device('/CPU:0'):"};
  auto slow = pin;
  slow.id = "P08";
  slow.slug = "input-pipeline";
  slow.line = 9;
  slow.severity = Severity::warning;
  slow.bearing = Bearing::note;
  slow.message = "nothing is prepared while the GPU computes";
  slow.edit.reset();
  auto advice = slow;
  advice.id = "P09";
  advice.severity = Severity::info;

  Cause cause;
  cause.id = pin.id;
  cause.slug = pin.slug;
  cause.gate = Gate::code;
  cause.title = pin.title;
  cause.summary = "train.py:14: " + pin.message;
  cause.evidence = {{pin.lines.front(), {"train.py", 14}}};
  cause.fix =
      Fix{"train.py:14: remove the scope", {"gpuwhy lint --fix --select P01 train.py"}, true};

  auto framework = tensorflow("2.18.0");
  framework.program = "train.py";
  framework.answer = Usable::no_gpu;
  framework.causes = {cause};
  framework.plan = {*cause.fix};
  framework.plan_reaches_gpu = true;
  framework.route.push_back({Gate::code, GateResult::State::failed, "P01", cause.evidence});
  auto verdict = machine(framework);
  verdict.program =
      ProgramReport{"train.py", "train.py", {"train.py", "data.py"}, {"tensorflow"}, {}};
  verdict.findings = {slow, advice, pin};
  return verdict;
}

inline Verdict hostile() {
  auto verdict = one_cause();
  auto& framework = verdict.frameworks.front();
  framework.environment = "/tmp/\x1b[2J\x1b]0;title\x07\n.venv";
  framework.causes.front().evidence = {
      {"cuDNN 8.6.0", {"/data/" + std::string(4000, 'x') + "/libcudnn.so.8", 0}}};
  framework.causes.front().fix->commands = {"rm '/tmp/\x1b[2J'"};
  return verdict;
}

} // namespace gpuwhy::samples
