// "No device": the driver's library works and shows nothing. Who hides the GPU: a variable, the
// program, the container, the scheduler, or is there no driver behind the library?
#include "base/text.h"
#include "explain/choice.h"
#include "explain/place.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

std::vector<const Sighting*> with(const Sighting* seen, const Sighting* more) {
  if (more == nullptr) return {seen};
  return {more, seen};
}

/// Every start of a container that the text shows asks for the GPU.
bool each_start_asks(const Scene& scene) {
  const auto starts = scene.text.all_said("container_start");
  return scene.container_gets_gpu && !starts.empty() &&
         std::all_of(starts.begin(), starts.end(), [](std::string_view start) {
           return contains(start, "--gpus") || contains(start, "--nv") || contains(start, "nvidia");
         });
}

/// Nothing for: this scene does not tell.
std::optional<Suspect> who_hides(const Scene& scene, const Sighting& seen) {
  const auto& text = scene.text;
  if (const auto* none = text.find("slurm-none")) {
    return Suspect{
        "C07", Weight::settled, "the step asks the scheduler for no GPU", {none, &seen}, {}, {}};
  }
  if (const auto* package = text.find("no-driver-package"); package != nullptr && !scene.wsl)
    return Suspect{"H03", Weight::probable, std::string(package->message->says), {package, &seen},
                   {},    "nvidia-smi"};
  if (auto chosen = chosen_away(scene, seen)) return chosen;
  const auto set = chosen_devices(scene);
  const auto* shown = text.find("visible-devices");
  if (scene.colab || scene.kaggle)
    return Suspect{"C04", Weight::probable, "the notebook's runtime has no GPU", {&seen}, {}, {}};
  if (scene.login_node || (scene.slurm && !scene.slurm_asked && scene.slurm_told)) {
    return Suspect{"C07", Weight::probable, "the job asked the scheduler for no GPU", {&seen}, {},
                   {}};
  }
  const auto prompts = text.all("prompt-of");
  const bool root_too = std::any_of(prompts.begin(), prompts.end(), [](const Sighting* prompt) {
    return prompt->message->name == "prompt-of/root";
  });
  const bool user_too = std::any_of(prompts.begin(), prompts.end(), [](const Sighting* prompt) {
    return prompt->message->name == "prompt-of/user";
  });
  const bool by_root = text.has("root-run") && scene.worked_in_another_run(seen);
  if (by_root || (scene.worked_in_another_run(seen) && root_too && user_too)) {
    Suspect suspect{
        "H08", Weight::probable,    "root gets the GPU and a plain user does not", {&seen},
        {},    "ls -l /dev/nvidia*"};
    suspect.beside_success = by_root;
    return suspect;
  }
  if (scene.worked_in_another_run(seen)) {
    return Suspect{"P03",
                   Weight::probable,
                   "the GPU works in another run of the same text: this program, or a package that "
                   "it imports, hides it (CUDA_VISIBLE_DEVICES set in code)",
                   {&seen},
                   {},
                   "grep -rn CUDA_VISIBLE_DEVICES ."};
  }
  if (scene.has_gpu == false)
    return Suspect{
        "H01", Weight::probable, "there is no GPU in this machine, as the writer says", {&seen}, {},
        {}};
  if (scene.other_gpu_only && !text.has("prime"))
    return Suspect{"H02", Weight::probable, "the GPU is not NVIDIA's", {&seen}, {}, {}};
  if (auto off = switched_off(scene, seen)) return off;
  const auto place = place_without_driver(scene);
  if (!place.empty() && (scene.virtual_display || instance_without_gpu(scene) != nullptr)) {
    return Suspect{std::string(place),
                   Weight::probable,
                   place_words(scene, place),
                   with(&seen, place_evidence(scene, place)),
                   {},
                   {}};
  }
  if (scene.wsl)
    return Suspect{"C03", Weight::probable, "inside WSL libcuda shows no device", {&seen}, {}, {}};
  const auto* missing = text.find("kernel-driver-missing");
  const bool beyond =
      set.shown && set.value.find_first_not_of('0') != std::string::npos && scene.smi_gpus == 0;
  const Suspect no_such_number{"E02",
                               Weight::probable,
                               "CUDA_VISIBLE_DEVICES is '" + set.value +
                                   "', and no such GPU is shown to the program",
                               with(&seen, shown),
                               {},
                               "nvidia-smi -L"};
  // A container that gets some of the GPUs counts them from 0.
  if (scene.container && beyond && (scene.container_gets_gpu || scene.slurm_asked))
    return no_such_number;
  if (scene.container && each_start_asks(scene)) {
    return Suspect{"C02",
                   Weight::probable,
                   "the container was started with the GPU, and libcuda sees none in it",
                   with(&seen, missing),
                   {},
                   "nvidia-smi -L",
                   {{"E01", "a variable of the container or of the program hides it"},
                    {"H08", "this user may not open the device files in it"},
                    {"C06", "systemd took the GPU away from the running container"}}};
  }
  if (scene.container) {
    return Suspect{"C01",
                   Weight::probable,
                   "libcuda sees no device inside the container: it was started without the GPU",
                   with(&seen, missing),
                   {},
                   {}};
  }
  if (const auto* node = text.find("device-node");
      node != nullptr && node->message->name == "device-node/denied") {
    return Suspect{"H08",
                   Weight::probable,
                   "the device files are open to one group only",
                   with(&seen, node),
                   {},
                   {}};
  }
  if (const auto* node = text.find("device-node-missing")) {
    return Suspect{
        "H08", Weight::probable,  "the driver runs and /dev/nvidia0 is missing", with(&seen, node),
        {},    node->message->ask};
  }
  if (const auto* nouveau = text.find("nouveau")) {
    return Suspect{
        "H04", Weight::probable, "nouveau is loaded and holds the GPU", with(&seen, nouveau), {},
        {}};
  }
  if (missing != nullptr) {
    return Suspect{"H03",
                   Weight::probable,
                   "no NVIDIA kernel module is loaded on this machine",
                   with(&seen, missing),
                   {},
                   "nvidia-smi"};
  }
  if (scene.slurm && !scene.slurm_asked) {
    return Suspect{"C07",
                   Weight::probable,
                   "the job shows no request for a GPU",
                   {&seen},
                   {},
                   "scontrol show job $SLURM_JOB_ID | grep -i tres"};
  }
  if (beyond) return no_such_number;
  if (scene.mig)
    return Suspect{"H14",
                   Weight::probable,
                   "MIG is on, and no MIG instance is shown to the program",
                   with(&seen, text.find("mig-mode")),
                   {},
                   "nvidia-smi -L"};
  // A driver that is well and shows no device: hidden by a variable, in code, or by the rights of
  // the device files.
  return std::nullopt;
}

void revoked(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("nvml-unknown");
  const auto* reload = scene.text.find("cgroup-reload");
  const auto* cured = scene.text.find("restart-cures");
  if (seen == nullptr && (cured != nullptr || reload != nullptr))
    seen = scene.text.find("torch-nvml");
  if (seen == nullptr) return;
  const auto* node = scene.text.find("device-node");
  const auto* root = scene.text.find("root-smi");
  if (reload == nullptr && root != nullptr && scene.smi_works && root->first > seen->last) {
    out.push_back({"H08",
                   Weight::probable,
                   "root gets the GPU and a plain user does not",
                   {seen, root},
                   {},
                   "ls -l /dev/nvidia*"});
    return;
  }
  if (reload == nullptr && node != nullptr && node->message->name == "device-node/denied") {
    out.push_back({"H08",
                   Weight::probable,
                   "the device files are open to one group only",
                   {node, seen},
                   {},
                   {}});
    return;
  }
  if (const auto* none = scene.text.find("no-device-nodes"); none != nullptr && reload == nullptr) {
    out.push_back({"C01",
                   Weight::probable,
                   "the driver's tools are here and its device files are not: the container was "
                   "given no GPU",
                   {none, seen},
                   {},
                   {}});
    return;
  }
  out.push_back({"C06",
                 reload != nullptr ? Weight::settled : Weight::probable,
                 reload != nullptr
                     ? "systemd took the GPU from the running container when it reloaded"
                     : std::string(seen->message->says),
                 with(seen, reload),
                 {},
                 {}});
}

/// No message tells, but the text shows how the container was started: without the GPU.
void plain_container(const Scene& scene, Suspects& out) {
  const auto capabilities = scene.text.said("driver_capabilities");
  if (scene.no_gpu != nullptr && scene.in_use == nullptr && !capabilities.empty() &&
      !contains(capabilities, "compute") && !contains(capabilities, "all")) {
    out.push_back({"C02",
                   Weight::hint,
                   "NVIDIA_DRIVER_CAPABILITIES is " + std::string(capabilities) +
                       ": the container gets no compute libraries",
                   {scene.text.find("capabilities"), scene.no_gpu},
                   "start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                   {}});
    return;
  }
  const auto* build = scene.text.find("image-build");
  if (build != nullptr && scene.no_gpu != nullptr && !scene.container_gets_gpu &&
      !scene.smi_works && scene.in_use == nullptr) {
    out.push_back({"C01",
                   Weight::hint,
                   "an image is being built, and a build is given no GPU",
                   {build, scene.no_gpu},
                   "do what needs the GPU when the container runs, or make nvidia docker's default "
                   "runtime",
                   {}});
  }
  const auto* pod = scene.text.find("pod-limits");
  const bool shown =
      scene.text.says("container_start") || pod != nullptr || scene.text.has("compose-services");
  if (!scene.container || !shown || scene.container_gets_gpu || scene.no_gpu == nullptr) return;
  out.push_back({"C01",
                 Weight::hint,
                 pod != nullptr ? "the pod asks for no GPU: its limits name no nvidia.com/gpu"
                                : "the container was started without the GPU",
                 {pod, scene.no_gpu},
                 {},
                 {}});
}

/// One step of the job was started with the GPU, and the one that fails without.
void step_without(const Scene& scene, Suspects& out) {
  const auto& starts = scene.text.reading().starts;
  if (scene.no_gpu == nullptr || scene.no_gpu->first_run < 1 ||
      static_cast<std::size_t>(scene.no_gpu->first_run) > starts.size())
    return;
  const auto asks = [](std::string_view command) {
    return contains(command, "--gres") || contains(command, "--gpus") || contains(command, " -G");
  };
  const std::string_view command =
      starts[static_cast<std::size_t>(scene.no_gpu->first_run) - 1].command;
  if (!contains(command, "srun ") || asks(command)) return;
  for (const auto* ask : scene.text.all("slurm-asks")) {
    if (!contains(ask->text, "srun ")) return; // a job around the step holds the GPU
  }
  out.push_back({"C07",
                 Weight::hint,
                 "this step was started without a GPU: " + std::string(command.substr(0, 60)),
                 {scene.no_gpu},
                 {},
                 {}});
}

} // namespace

void access_suspects(const Scene& scene, Suspects& out) {
  if (const auto* seen = scene.text.find("no-device")) {
    if (auto suspect = who_hides(scene, *seen)) out.push_back(std::move(*suspect));
  } else if (const auto* missing = scene.text.find("kernel-driver-missing");
             missing != nullptr && !scene.text.has("cuinit-stub") &&
             !scene.text.has("cuinit-unknown") && !scene.text.has("cuinit-303") &&
             !scene.text.has("libcuda-missing")) {
    if (auto suspect = who_hides(scene, *missing)) out.push_back(std::move(*suspect));
  }
  if (const auto* node = scene.text.find("device-node-missing");
      node != nullptr && !scene.text.has("no-device")) {
    out.push_back({scene.container ? "C01" : "H08",
                   Weight::probable,
                   std::string(node->message->says),
                   {node},
                   {},
                   node->message->ask});
  }
  if (const auto* refused = scene.text.find("not-permitted");
      refused != nullptr && scene.container && scene.text.has("selinux")) {
    out.push_back({"C02",
                   Weight::probable,
                   "SELinux keeps the container from the device files",
                   {refused, scene.text.find("selinux")},
                   "run it with --security-opt=label=disable, or set container_use_devices",
                   "sudo ausearch -m avc -ts recent"});
  }
  revoked(scene, out);
  if (const auto* node = scene.text.find("device-node");
      node != nullptr && node->message->name == "device-node/denied" && scene.in_use == nullptr) {
    out.push_back({"H08",
                   Weight::hint,
                   "the device files are open to one group only (" +
                       std::string(node->value("node_group")) + ")",
                   {node},
                   {},
                   "id"});
  }
  if (const auto* given = given_no_gpu(scene)) {
    out.push_back(
        {"C07",
         Weight::hint,
         "the scheduler gave the job no GPU (" + std::string(given->value("alloc_tres")) + ")",
         {given},
         "ask for it in the way of this cluster (--gpus=1 where --gres is not taken)",
         {}});
  }
  // Job scripts and variables alone are a hint: they may be another job's.
  const auto* script = scene.text.find("slurm-script");
  // Toil says of every step which accelerators it gets, also of those that want none.
  const bool of_a_step = script != nullptr && contains(script->text, "accelerators: ");
  if (scene.slurm_told && !scene.slurm_asked && scene.in_use == nullptr &&
      (!of_a_step || scene.no_gpu != nullptr)) {
    out.push_back({"C07", Weight::hint, "the job asks the scheduler for no GPU", {script}, {}, {}});
  }
  if (scene.colab || scene.kaggle) {
    for (const std::string_view signal : {"no-gpu-listed", "torch-false", "jax-no-gpu"}) {
      if (const auto* seen = scene.text.find(signal))
        out.push_back({"C04", Weight::hint, "the notebook's runtime has no GPU", {seen}, {}, {}});
    }
  }
  // The line that Colab's own guide raises.
  for (const auto* seen : scene.text.all("no-gpu-listed")) {
    if (!scene.colab && seen->message->cause == "C04")
      out.push_back({"C04", Weight::hint, "the notebook's runtime has no GPU", {seen}, {}, {}});
  }
  plain_container(scene, out);
  step_without(scene, out);
  const auto given = lower(scene.text.said("nvidia_visible_devices"));
  if (scene.no_gpu != nullptr && (given == "none" || given == "void")) {
    out.push_back({"C01",
                   Weight::hint,
                   "NVIDIA_VISIBLE_DEVICES is " + given + ": the container gets no GPU",
                   {scene.text.find("nvidia-visible-devices"), scene.no_gpu},
                   "start it with --gpus all, without that variable",
                   {}});
  }
  const auto accelerator = lower(scene.text.said("accelerator"));
  if ((scene.colab || scene.kaggle) && accelerator.starts_with("none")) {
    out.push_back({"C04",
                   Weight::hint,
                   "the notebook's runtime has no GPU: its accelerator is 'none'",
                   {scene.no_gpu},
                   {},
                   {}});
  }
}

} // namespace gpuwhy::explain
