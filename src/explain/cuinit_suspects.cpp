// The driver is there and fails or is too old: the kernel's log, cuInit's errors, numbers.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

void kernel_log(const Scene& scene, Suspects& out) {
  constexpr std::array<std::string_view, 20> kLost = {
      "54",  "57",  "58",  "61",  "62",  "79",  "110", "119", "120", "122",
      "123", "143", "154", "158", "167", "168", "64",  "63",  "48",  "95"};
  for (const auto* seen : scene.text.all("xid")) {
    const auto code = seen->value("code");
    const bool lost = std::find(kLost.begin(), kLost.begin() + 16, code) != kLost.begin() + 16;
    const std::string_view id = lost ? "H07" : code == "136" ? "H14" : "R12";
    out.push_back({std::string(id),
                   Weight::settled,
                   "Xid " + std::string(code) +
                       (lost ? ": the driver lost the GPU"
                             : ": the driver reports an error of the GPU while it ran"),
                   {seen},
                   {},
                   {}});
  }
  if (const auto* seen = scene.text.find("probed-none")) {
    const bool failed = seen->message->name == "probed-none/failed";
    out.push_back({failed ? "H07" : "H04",
                   Weight::probable,
                   std::string(seen->message->says),
                   {seen},
                   {},
                   seen->message->ask});
  }
}

void unknown_error(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cuinit-unknown");
  if (seen == nullptr) return;
  const auto* node = scene.text.find("device-node");
  if (node != nullptr && node->message->name == "device-node/denied") {
    out.push_back({"H08",
                   Weight::probable,
                   "cuInit fails and the device files are open to one group only",
                   {node, seen},
                   {},
                   {}});
    return;
  }
  if (const auto* optimus = scene.text.find("optimus")) {
    out.push_back({"H15",
                   Weight::probable,
                   "the laptop's GPU is switched off when CUDA asks for it",
                   {optimus, seen},
                   {},
                   {}});
    return;
  }
  if (scene.has_gpu == false || scene.virtual_display) {
    no_driver(scene, *seen, out);
    return;
  }
  if (scene.text.has("nvml-unknown")) return; // the container lost its GPU: said there
  std::string summary(seen->message->says);
  std::vector<const Sighting*> evidence = {seen};
  if (const auto* slept = scene.text.find("suspend")) {
    summary = "the machine slept and the module nvidia_uvm did not come back";
    evidence.push_back(slept);
  }
  out.push_back(
      {"H09", Weight::probable, std::move(summary), std::move(evidence), {}, seen->message->ask});
}

/// Old TensorFlow makes a context on every GPU, also on one that is too old for it.
void context_refused(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("context-refused");
  if (seen == nullptr || scene.text.has("compute-mode")) return;
  constexpr int kKepler = 3; // of compute capability, what TensorFlow 0.x and 1.x ask for
  for (const auto name : scene.text.all_said("gpu")) {
    const auto capability = capability_of_name(name);
    if (!capability || capability->major >= kKepler) continue;
    out.push_back({"H11",
                   Weight::probable,
                   std::string(name) + " (compute capability " + capability->str() +
                       ") is too old, and the framework wants a context on every GPU",
                   {seen},
                   "hide it: set CUDA_VISIBLE_DEVICES to the other GPUs",
                   {}});
    return;
  }
}

/// A GPU that stands behind NVSwitch waits for a service.
void fabric_manager(const Scene& scene, Suspects& out) {
  const auto* unit = scene.text.find("fabric-unit");
  const auto* inactive = scene.text.find("unit-inactive");
  if (unit == nullptr || inactive == nullptr || scene.no_gpu == nullptr) return;
  out.push_back({"H14",
                 Weight::hint,
                 "the fabric manager does not run, without which the GPUs behind NVSwitch do not "
                 "start",
                 {inactive, unit},
                 "sudo systemctl enable --now nvidia-fabricmanager",
                 "nvidia-smi -q | grep -A2 Fabric"});
}

/// Docker Desktop and WSL pair a new driver with older pieces of their own.
void missing_symbol(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("symbol-500");
  if (seen == nullptr) return;
  const bool windows = scene.wsl || scene.windows;
  out.push_back(
      {windows ? "C03" : "H18",
       Weight::probable,
       windows ? "the driver of Windows and what WSL or Docker Desktop passes in do not fit: "
                 "a function is missing"
               : std::string(seen->message->says),
       {seen},
       windows ? "update Docker Desktop, WSL (wsl --update) and the driver of Windows" : "",
       seen->message->ask});
}

/// All is there, and cuInit fails without a word of why.
void init_failed(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("driver-init-failed");
  if (seen == nullptr || !scene.smi_works || scene.container || scene.wsl) return;
  out.push_back(
      {"H18",
       Weight::hint,
       "the driver answers nvidia-smi and does not start for CUDA",
       {seen},
       "reload nvidia_uvm (sudo modprobe -r nvidia_uvm, then sudo modprobe nvidia_uvm), or "
       "restart the machine",
       kLook,
       {{"H09", "nvidia_uvm is missing, or stale since the machine slept"}}});
}

/// "driver version is insufficient" is also said where no driver answers at all.
void too_old(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("driver-too-old");
  if (seen == nullptr) return;
  if (scene.text.has("smi-failed") && !scene.smi_works) return;
  if (scene.has_gpu == false || scene.virtual_display) {
    no_driver(scene, *seen, out);
    return;
  }
  std::string summary(seen->message->says);
  const auto driver = scene.text.said("driver");
  if (!driver.empty()) summary = "driver " + std::string(driver) + " is too old: " + summary;
  std::string fix;
  if (scene.release != nullptr && scene.release->min_driver) {
    fix = "update the driver to " + scene.release->min_driver->str() + " or newer (TensorFlow " +
          scene.tensorflow->str() + " is built with CUDA " + scene.release->cuda.str() + ")";
  }
  // Said by the runtime where it finds no driver at all, too.
  const bool told = !driver.empty() || scene.smi_works || scene.module_runs ||
                    seen->message->name == "driver-too-old/torch" || scene.text.has("smi-header");
  const bool by_code = seen->message->name == "driver-too-old/text" ||
                       seen->message->name == "driver-too-old/code" ||
                       seen->message->name == "driver-too-old/name";
  if (!told && by_code && scene.container && scene.text.says("container_start") &&
      !scene.container_gets_gpu) {
    no_driver(scene, *seen, out);
    return;
  }
  out.push_back({"H10", Weight::settled, std::move(summary), {seen}, std::move(fix), {}});
  if (!told && by_code) {
    out.back().ask = "nvidia-smi";
    out.back().instead = {{"H03", "no driver answers at all, which the runtime calls too old, too"},
                          {"C01", "the program runs in a container that was started without the "
                                  "GPU"}};
  }
}

/// The module nvidia and its device file are shown, and nvidia_uvm, by which CUDA works, is not.
void without_uvm(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* loaded = text.find("nvidia-loaded");
  const auto* node = text.find("node-of-gpu");
  const bool module_missing = loaded != nullptr && !text.has("uvm-loaded");
  const bool node_missing = node != nullptr && !text.has("node-of-uvm");
  if ((!module_missing && !node_missing) || text.has("uvm-loaded") || text.has("node-of-uvm") ||
      scene.no_gpu == nullptr || scene.in_use != nullptr || scene.wsl)
    return;
  const bool given = scene.container && node_missing;
  out.push_back({given ? "C02" : "H09",
                 Weight::hint,
                 given ? "the container gets the GPU's device file and not /dev/nvidia-uvm, by "
                         "which CUDA works"
                       : "the module nvidia is loaded and nvidia_uvm, by which CUDA works, is not",
                 {node_missing ? node : loaded, scene.no_gpu},
                 given ? "pass /dev/nvidia-uvm and /dev/nvidia-uvm-tools in, too"
                       : "sudo nvidia-modprobe -c 0 -u",
                 "ls -l /dev/nvidia-uvm"});
}

/// MIG is on, and the list of GPUs shows none of its slices.
void mig_without_slices(const Scene& scene, Suspects& out) {
  const auto* mode = scene.text.find("mig-mode");
  if (mode == nullptr) mode = scene.text.find("mig-heading");
  if (!scene.mig || mode == nullptr || scene.no_gpu == nullptr || scene.in_use != nullptr ||
      scene.text.find("smi-gpu") == nullptr)
    return;
  for (const auto* seen : scene.text.all("mig-mode")) {
    if (seen->message->name == "mig-mode/slice") return;
  }
  out.push_back({"H14",
                 Weight::hint,
                 "MIG is on, and nvidia-smi lists no MIG instance: none was made",
                 {mode, scene.no_gpu},
                 {},
                 "nvidia-smi -L"});
}

/// nvidia-smi speaks with the driver and its libcuda does not start: the number of CUDA is missing.
void smi_without_cuda(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("smi-no-cuda");
  if (seen == nullptr || scene.in_use != nullptr || (!scene.wsl && !scene.container)) return;
  out.push_back({scene.wsl ? "C03" : "C02",
                 Weight::probable,
                 scene.wsl ? "nvidia-smi answers inside WSL and libcuda does not: the driver of "
                             "Windows and the libraries in WSL do not fit"
                           : "nvidia-smi answers in the container and shows no CUDA: the container "
                             "gets the driver without its compute libraries",
                 {seen},
                 scene.wsl ? "update the driver of Windows, then wsl --update and wsl --shutdown"
                           : "start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                 "ldconfig -p | grep libcuda"});
}

/// cuInit failed, and the two versions that its diagnostics tell differ: the log was cut before the
/// line that says so.
void two_versions(const Scene& scene, Suspects& out) {
  const auto* library = scene.text.find("libcuda-version");
  const auto* kernel = scene.text.find("kernel-version");
  if (kernel == nullptr) kernel = scene.text.find("kernel-module");
  if (library == nullptr || kernel == nullptr || scene.in_use != nullptr || scene.smi_works ||
      scene.text.has("driver-mismatch") || scene.text.has("versions-agree"))
    return;
  const auto loaded = Version::parse(library->value("libcuda"));
  const auto running = Version::parse(kernel->value("driver"));
  if (!loaded || !running || *loaded == *running) return;
  out.push_back({"H05",
                 Weight::probable,
                 "the kernel module is " + running->str() + " and libcuda " + loaded->str(),
                 {kernel, library},
                 {},
                 "nvidia-smi"});
}

/// The package manager put a new driver in, and NVML does not start: the old module still runs.
void upgraded(const Scene& scene, Suspects& out) {
  const auto* changed = scene.text.find("driver-upgraded");
  const auto* nvml = scene.text.find("torch-nvml");
  if (changed == nullptr || nvml == nullptr || scene.in_use != nullptr || scene.smi_works) return;
  out.push_back({"H05",
                 Weight::probable,
                 "the driver's packages were upgraded, and the module that runs is the old one",
                 {changed, nvml},
                 {},
                 "nvidia-smi"});
}

/// Inside WSL there is no module of Linux's: a mismatch means that a Linux driver was installed
/// there.
void linux_driver_in_wsl(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("driver-mismatch");
  const auto* package = scene.text.find("driver-package");
  if (!scene.wsl || package == nullptr) return;
  if (seen == nullptr) {
    const bool listed = package->text.starts_with("ii ");
    if (listed && scene.no_gpu != nullptr && !scene.smi_works && scene.in_use == nullptr) {
      out.push_back({"C03",
                     Weight::hint,
                     "a Linux driver is installed inside WSL, where only that of Windows works",
                     {package, scene.no_gpu},
                     "remove every nvidia driver package inside WSL (sudo apt purge 'nvidia-*')",
                     "ldconfig -p | grep libcuda"});
    }
    return;
  }
  out.push_back({"C03",
                 Weight::settled,
                 "a Linux driver is installed inside WSL, where only that of Windows works",
                 {package, seen},
                 "remove every nvidia driver package inside WSL (sudo apt purge 'nvidia-*')",
                 {}});
}

/// A compatibility folder's libcuda is the other half of a "mismatch"; without one the libcuda that
/// is "compatible" is that of an update whose module is not loaded yet.
void compat(const Scene& scene, Suspects& out) {
  const auto* path = scene.text.find("compat-path");
  const auto* seen = scene.text.find("driver-mismatch");
  const auto* refused = scene.text.find("compat-unsupported");
  if (refused != nullptr && (seen == nullptr || path != nullptr)) {
    out.push_back({"H17",
                   path != nullptr ? Weight::settled : Weight::probable,
                   std::string(refused->message->says),
                   {refused, path},
                   {},
                   "nvidia-smi",
                   {}});
    if (path == nullptr)
      out.back().instead = {{"H05", "the driver was updated, and the old module is still loaded"}};
    return;
  }
  if (path == nullptr || seen == nullptr) return;
  out.push_back(
      {"H17",
       Weight::probable,
       "libcuda comes from a forward-compatibility folder that does not fit the kernel module",
       {path, seen},
       {},
       {}});
}

/// By numbers alone: what is stated of the driver against what the release needs.
void by_numbers(const Scene& scene, Suspects& out) {
  if (scene.windows || scene.wsl || scene.in_use != nullptr || scene.release == nullptr ||
      !scene.release->min_driver)
    return;
  const auto driver = version_in(scene.text.said("driver"));
  if (!driver || driver->parts.size() < 2 || *driver >= *scene.release->min_driver) return;
  const auto all = scene.text.all("smi-header");
  out.push_back({"H10",
                 Weight::hint,
                 "driver " + driver->str() + " is older than the " +
                     scene.release->min_driver->str() + " that TensorFlow " +
                     scene.tensorflow->str() + " needs",
                 all,
                 {},
                 {}});
}

/// PyTorch says only that it has no GPU; its versions tell more.
void torch_by_numbers(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("torch-false");
  if (seen == nullptr || scene.in_use != nullptr) return;
  if (const auto* none = scene.text.find("driver-not-collected"); none != nullptr) {
    no_driver(scene, *none, out);
    out.back().weight = Weight::hint;
    return;
  }
  const auto cuda = cuda_of_torch(scene.text);
  const auto driver = version_in(scene.text.said("driver"));
  const auto needs = cuda ? minimum_driver(*cuda) : std::nullopt;
  if (!driver || !needs || scene.windows || scene.wsl || *driver >= *needs) return;
  out.push_back({"H10",
                 Weight::hint,
                 "driver " + driver->str() + " is older than the " + needs->str() + " that CUDA " +
                     cuda->str() + ", with which this PyTorch is built, needs",
                 {seen},
                 {},
                 "nvidia-smi"});
}

} // namespace

void cuinit_suspects(const Scene& scene, Suspects& out) {
  kernel_log(scene, out);
  unknown_error(scene, out);
  missing_symbol(scene, out);
  fabric_manager(scene, out);
  context_refused(scene, out);
  init_failed(scene, out);
  too_old(scene, out);
  smi_without_cuda(scene, out);
  without_uvm(scene, out);
  mig_without_slices(scene, out);
  two_versions(scene, out);
  upgraded(scene, out);
  linux_driver_in_wsl(scene, out);
  compat(scene, out);
  by_numbers(scene, out);
  torch_by_numbers(scene, out);
}

} // namespace gpuwhy::explain
