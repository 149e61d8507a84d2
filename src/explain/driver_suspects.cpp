// No driver answers: none is there, its module is not loaded, or the place does not show it.
#include "base/text.h"
#include "explain/missing.h"
#include "explain/place.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <optional>

namespace gpuwhy::explain {
namespace {

/// The flavour of the module that runs does not support the GPU: from Blackwell on only the open
/// one does, before Turing only the proprietary one.
std::optional<Suspect> wrong_flavour(const Scene& scene, const Sighting& seen) {
  const auto* module = scene.text.find("kernel-module");
  if (module == nullptr || !scene.capability) return std::nullopt;
  const bool open = contains(module->text, "Open Kernel Module");
  const int has = scene.capability->major * 10 + scene.capability->minor;
  constexpr int kTuring = 75;
  constexpr int kBlackwell = 100;
  if (open ? has >= kTuring : has < kBlackwell) return std::nullopt;
  return Suspect{
      "H06",
      Weight::settled,
      open ? "the open kernel module is loaded, and this GPU is older than Turing: only "
             "the proprietary one drives it"
           : "the proprietary kernel module is loaded, and a Blackwell GPU works with the "
             "open one only",
      {module, &seen},
      open ? "install the proprietary flavour of the driver"
           : "install the open flavour of the driver (nvidia-open, nvidia-driver-570-open)",
      {}};
}

/// The kernel's half of the driver answers, and the program does not find the other half.
Suspect off_the_path(const Sighting& seen) {
  return {"L05",
          Weight::probable,
          "the kernel module runs, yet the loader does not find libcuda.so.1: the driver's own "
          "library is off its path or not installed",
          {&seen},
          "install the driver's libcuda package, or run ldconfig where it is installed",
          kLook,
          {{"H03", "the part of the driver with libcuda.so.1 is not installed"},
           {"C01", "the program runs in a container that was started without the GPU; the host's "
                   "module shows through"},
           {"C02", "it runs in a container that gets no compute libraries "
                   "(NVIDIA_DRIVER_CAPABILITIES)"},
           {"L07", "libcuda.so.1 is a link that leads nowhere"}}};
}

/// libcuda.so.1 does not load: "303", "Could not load ... libcuda.so.1".
void libcuda_missing(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("libcuda-missing");
  if (seen == nullptr) seen = scene.text.find("cuinit-303");
  if (seen == nullptr || scene.text.says("directml") || scene.text.has("cuinit-stub")) return;
  if (const auto* absent = scene.text.find("absent-file")) {
    const auto targets = scene.text.all_said("link_target");
    const auto name = base_name(absent->value("absent"));
    const bool dangles = name.starts_with("libcuda.so") &&
                         std::any_of(targets.begin(), targets.end(), [&](std::string_view target) {
                           return base_name(target) == name;
                         });
    if (dangles) {
      out.push_back({"L07",
                     Weight::settled,
                     "libcuda.so.1 is a link to " + std::string(name) + ", which is not there",
                     {absent, scene.text.find("link"), seen},
                     "reinstall the driver's libcuda package, or run ldconfig",
                     {}});
      return;
    }
  }
  const bool module_here = scene.module_runs || scene.smi_works;
  if (module_here && !scene.container && !scene.wsl && !scene.colab) {
    out.push_back(off_the_path(*seen));
    return;
  }
  if (module_here && scene.container) {
    const auto executed = scene.text.all_said("container_exec");
    const bool smi_inside =
        std::any_of(executed.begin(), executed.end(),
                    [](std::string_view command) { return contains(command, "nvidia-smi"); });
    out.push_back({scene.container_gets_gpu || smi_inside || !scene.smi_works ? "C02" : "C01",
                   Weight::probable,
                   "the host's driver runs, and the container does not see its libcuda.so.1",
                   {seen},
                   {},
                   {}});
    return;
  }
  no_driver(scene, *seen, out);
}

/// Of two files with one name the loader takes the first, and those of LD_LIBRARY_PATH before all;
/// only where CUDA then shows no device.
bool stub_is_first(const Scene& scene) {
  if (scene.no_gpu == nullptr && !scene.text.has("no-device")) return false;
  const auto listed = scene.text.all_said("libcuda_path");
  if (!listed.empty()) return contains(listed.front(), "/stubs/");
  const auto searched = scene.text.said("ld_library_path");
  return scene.text.has("no-device") && contains(searched, "/stubs");
}

void stub(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cuinit-stub");
  if (seen == nullptr) seen = scene.text.find("nvml-stub");
  if (seen == nullptr && stub_is_first(scene)) {
    const auto* refused = scene.text.find("no-device");
    const auto* path = scene.text.find("libcuda-path");
    out.push_back({"L08",
                   path != nullptr ? Weight::settled : Weight::probable,
                   "the loader finds the toolkit's stub of libcuda.so.1 first",
                   {path != nullptr ? path : scene.text.find("library-path"),
                    refused != nullptr ? refused : scene.no_gpu},
                   "take the stubs folder out of LD_LIBRARY_PATH and /etc/ld.so.conf.d, and run "
                   "ldconfig",
                   "ldconfig -p | grep libcuda"});
    return;
  }
  if (seen == nullptr) return;
  const auto* absent = scene.text.find("kernel-driver-missing");
  const bool without = scene.text.says("container_start") && !scene.container_gets_gpu;
  if (scene.container && (absent != nullptr || without)) {
    out.push_back(
        {"C01",
         Weight::probable,
         "the container has no driver, only the toolkit's stub: it was started without the GPU",
         {absent, seen},
         {},
         {}});
    return;
  }
  out.push_back({"L08", Weight::settled, std::string(seen->message->says), {seen}, {}, {}});
}

/// The list of adapters shows NVIDIA's, and no driver that holds it.
void unclaimed(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("unclaimed");
  if (seen == nullptr || scene.other_gpu_only || scene.gpu.empty() || scene.smi_works ||
      scene.module_runs || scene.in_use != nullptr || scene.wsl)
    return;
  no_driver(scene, *seen, out);
  out.back().weight = Weight::hint;
}

/// The bus was looked at, or the writer says what the machine has.
void hardware(const Scene& scene, Suspects& out) {
  if (scene.in_use == nullptr && !scene.smi_works) {
    if (auto other = built_for_another(scene, scene.no_gpu)) out.push_back(std::move(*other));
  }
  if (const auto* stopped = scene.text.find("gpu-lost");
      stopped != nullptr && stopped->message->name == "gpu-lost/windows" && scene.virtual_machine) {
    out.push_back(
        {"C05",
         Weight::probable,
         "the driver in the virtual machine stops the GPU that was passed in",
         {stopped},
         "hide the hypervisor from the guest (kvm hidden=on), or update the driver to 465 "
         "or newer",
         {}});
  }
  if (const auto* seen = scene.text.find("no-pci-gpu")) {
    const bool guest = scene.virtual_machine;
    out.push_back({guest ? "C05" : "H01",
                   seen->message->ask.empty() ? Weight::settled : Weight::probable,
                   guest ? "the virtual machine shows no NVIDIA GPU: none was passed in"
                         : std::string(seen->message->says),
                   {seen},
                   {},
                   seen->message->ask});
  } else if ((scene.no_gpu != nullptr || scene.text.has("library-missing")) &&
             scene.has_gpu == false && !scene.smi_works) {
    out.push_back({"H01",
                   scene.in_use == nullptr ? Weight::probable : Weight::hint,
                   "there is no GPU in this machine that computes",
                   {scene.no_gpu, scene.text.find("pci-gpu"), scene.text.find("library-missing")},
                   {},
                   {}});
  } else if (scene.no_gpu != nullptr && scene.virtual_display) {
    if (const auto place = place_without_driver(scene); !place.empty())
      out.push_back({std::string(place), Weight::hint, place_words(scene, place), {scene.no_gpu}});
  }
  bus_without_gpu(scene, out);
  unclaimed(scene, out);
}

/// nvidia-smi answers in the place of this line, or somewhere in a text that names no places.
bool answers_there(const Scene& scene, const Sighting& seen) {
  if (!scene.smi_works) return false;
  const auto& reading = scene.text.reading();
  const int here = reading.place_of(seen.first).id;
  auto answers = scene.text.all("smi-gpu");
  if (const auto* header = scene.text.find("smi-header")) answers.push_back(header);
  return answers.empty() || std::any_of(answers.begin(), answers.end(), [&](const Sighting* smi) {
           return reading.place_of(smi->first).id == here || reading.place_of(smi->last).id == here;
         });
}

void nvidia_smi(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  for (const std::string_view signal :
       {"smi-failed", "nvml-driver", "nvml-library", "driver-not-found"}) {
    const auto* seen = text.find(signal);
    if (seen == nullptr) continue;
    // Containers get the driver's libraries in a folder of their own; with the device's file there,
    // only the loader's path is missing.
    const bool passed_in = text.has("node-of-gpu") && on_disk(scene, "libcuda.so.1");
    if (signal == "driver-not-found" &&
        (passed_in || ((scene.smi_works || scene.module_runs) && !scene.container && !scene.wsl &&
                       !scene.colab && !scene.slurm))) {
      out.push_back(off_the_path(*seen));
    } else {
      no_driver(scene, *seen, out);
    }
  }
  if (const auto* seen = text.find("module-unbuilt"); seen != nullptr && !scene.smi_works) {
    const bool tools = text.has("smi-failed") || text.has("driver-package");
    out.push_back({tools ? "H06" : "H03",
                   Weight::probable,
                   tools ? "a driver is installed, and no module is built for the kernel that runs"
                         : "no NVIDIA module is installed for the kernel that runs",
                   {seen},
                   {},
                   "dkms status"});
  }
  if (const auto* seen = text.find("module-not-listed"); seen != nullptr && !scene.smi_works) {
    no_driver(scene, *seen, out);
    out.back().weight = Weight::hint;
  }
  // What is executed in a container says nothing of where else nvidia-smi answers.
  if (const auto* seen = text.find("smi-not-found");
      seen != nullptr && scene.in_use == nullptr &&
      (!answers_there(scene, *seen) ||
       (scene.container && seen->message->name == "smi-not-found/exec"))) {
    no_driver(scene, *seen, out);
    if (out.back().id == "H03") out.back().weight = Weight::hint;
  }
  const auto* none = text.find("no-devices-found");
  if (none == nullptr) none = text.find("rm-init");
  auto flavour = none == nullptr ? std::nullopt : wrong_flavour(scene, *none);
  if (none != nullptr && !flavour && !scene.virtual_machine)
    flavour = dropped_by_driver(scene, *none);
  if (flavour) {
    out.push_back(std::move(*flavour));
  } else if (const auto* seen = text.find("no-devices-found")) {
    std::string_view id = "H07";
    if (scene.has_gpu == false)
      id = "H01";
    else if (scene.virtual_machine || scene.virtual_display)
      id = "C05";
    else if (scene.slurm && (!scene.slurm_asked || text.mentions("ssh")))
      id = "C07"; // a login by ssh is no part of the job that got the GPU
    else if (text.find("device-node") != nullptr &&
             text.find("device-node")->message->name == "device-node/denied")
      id = "H08";
    else if (scene.smi_works && scene.container)
      id = scene.container_gets_gpu ? "C02" : "C01";
    out.push_back(
        {std::string(id),
         Weight::probable,
         id == "C05"         ? "the driver in the virtual machine finds no GPU that it can use"
         : id == "H01"       ? "there is no GPU in this machine, as the writer says"
         : id == "C07"       ? "the job asked the scheduler for no GPU, so that it is shown none"
         : id.front() == 'C' ? "the host's driver shows the GPU, and none reaches the container"
                             : std::string(seen->message->says),
         {seen},
         {},
         seen->message->ask});
  }
  if (const auto* seen = text.find("passthrough")) {
    out.push_back({"C05",
                   Weight::hint,
                   "the GPU is reserved for a virtual machine (" +
                       std::string(seen->value("passthrough")) + ")",
                   {seen},
                   {},
                   {}});
  }
  if (const auto* seen = text.find("nouveau");
      seen != nullptr && !scene.module_runs && !scene.smi_works) {
    out.push_back({"H04",
                   Weight::hint,
                   "nouveau is loaded, so NVIDIA's module cannot hold the GPU",
                   {seen},
                   {},
                   {}});
  }
}

/// The toolkit does not find the driver on a host where nvidia-smi does: a Docker that sees other
/// files (snap, rootless).
void container_driver(const Scene& scene, Suspects& out) {
  const auto* request = scene.text.find("container-other");
  if (request != nullptr && scene.wsl && request->message->name == "container-other/request") {
    out.push_back({"C03",
                   Weight::probable,
                   "inside WSL the driver of Windows does not answer the container tool: a Linux "
                   "driver is in its way, or it is too old",
                   {request},
                   "remove every nvidia driver package inside WSL, and update the one of Windows",
                   "nvidia-smi.exe"});
  }
  if (const auto* refused = scene.text.find("toolkit-missing");
      refused != nullptr && (scene.macos || scene.other_gpu_only)) {
    out.push_back({"H02",
                   Weight::probable,
                   "the container engine was asked for an NVIDIA GPU, and this machine has none",
                   {refused},
                   "start the container without --gpus; on a Mac use the framework outside Docker, "
                   "with Metal",
                   {}});
  }
  const auto* seen = scene.text.find("container-driver");
  if (seen == nullptr) return;
  if (scene.wsl || (scene.windows && !scene.smi_works)) {
    out.push_back({"C03",
                   Weight::probable,
                   "the Linux of Windows in which the container engine works shows no driver "
                   "library: Windows (21H2 or newer) or its driver is too old for that, or a Linux "
                   "driver was installed there",
                   {seen},
                   "update Windows, its NVIDIA driver and WSL (wsl --update), then restart",
                   "wsl nvidia-smi"});
  } else if (scene.smi_works && seen->message->name == "container-driver/library") {
    out.push_back({"C02",
                   Weight::probable,
                   "the host's driver works and the container engine does not find its libraries "
                   "(a Docker from snap, or rootless)",
                   {seen},
                   {},
                   {}});
  } else {
    out.push_back(
        {"H03", Weight::probable, std::string(seen->message->says), {seen}, {}, "nvidia-smi"});
  }
}

} // namespace

void driver_suspects(const Scene& scene, Suspects& out) {
  libcuda_missing(scene, out);
  stub(scene, out);
  nvidia_smi(scene, out);
  hardware(scene, out);
  container_driver(scene, out);
}

} // namespace gpuwhy::explain
