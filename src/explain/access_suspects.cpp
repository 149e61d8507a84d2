// "No device": the driver's library works and shows nothing. Who hides the GPU: a variable, the
// program, the container, the scheduler, or is there no driver behind the library?
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

std::string_view unquoted(std::string_view value) {
  while (!value.empty() && (value.front() == '"' || value.front() == '\'')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '"' || value.back() == '\'')) value.remove_suffix(1);
  return value;
}

constexpr std::size_t kMostGpus = 32; // of one machine

enum class Choice { none, hides_all, invalid, beyond, valid };

/// What a value of CUDA_VISIBLE_DEVICES does on a machine with `gpus` GPUs (0: not known) of these
/// UUIDs (none: not known).
Choice choice_of(std::string_view value, std::size_t gpus,
                 const std::vector<std::string_view>& uuids) {
  value = unquoted(trim(value));
  if (value.empty() || value.starts_with('-') || value == "NoDevFiles" || value == "none")
    return Choice::hides_all;
  const auto first = value.substr(0, value.find(','));
  if (first.starts_with("GPU-") || first.starts_with("MIG-")) {
    const bool listed = uuids.empty() ||
                        std::any_of(uuids.begin(), uuids.end(),
                                    [&](std::string_view uuid) { return uuid.starts_with(first); });
    return listed ? Choice::valid : Choice::invalid;
  }
  const auto index = to_number(first);
  if (!index) return Choice::invalid;
  const std::size_t there = gpus != 0 ? gpus : kMostGpus;
  return static_cast<std::size_t>(*index) >= there ? Choice::beyond : Choice::valid;
}

/// The values that the text shows, set in a shell, seen by the framework, or in the program's own
/// code.
struct Variable {
  bool shown = false;
  Choice choice = Choice::none;
  std::string value;
  bool in_code = false;
};

Variable variable(const Scene& scene) {
  Variable found;
  const auto take = [&](std::string_view value, bool in_code) {
    const auto choice = choice_of(value, scene.smi_gpus, scene.text.all_said("uuid"));
    if (in_code && found.shown && found.value == unquoted(value)) found.in_code = true; // one line
    if (found.shown && (choice == Choice::valid || (found.choice != Choice::valid && !in_code)))
      return;
    found = {true, choice, std::string(unquoted(value)), in_code};
  };
  for (const auto value : scene.text.all_said("visible_devices")) take(value, false);
  for (const std::string_view key : {"cuda visible devices", "env"}) {
    const auto value = scene.text.said(key);
    if (!value.empty() && key != "env") take(value, false);
  }
  for (const auto value : scene.text.all_said("code_devices")) take(value, true);
  return found;
}

std::vector<const Sighting*> with(const Sighting* seen, const Sighting* more) {
  if (more == nullptr) return {seen};
  return {more, seen};
}

/// Nothing for: this scene does not tell.
std::optional<Suspect> who_hides(const Scene& scene, const Sighting& seen) {
  const auto& text = scene.text;
  const auto set = variable(scene);
  const auto* code = text.find("code-hides");
  if (code != nullptr && (set.in_code || !set.shown)) {
    return Suspect{"P03",
                   Weight::settled,
                   "the program itself sets CUDA_VISIBLE_DEVICES to '" + set.value + "'",
                   with(&seen, code),
                   {},
                   {}};
  }
  const auto* shown = text.find("visible-devices");
  if (set.shown && set.value == "NoDevFiles")
    return Suspect{"C07", Weight::settled, "Slurm gave the job no GPU", with(&seen, shown), {}, {}};
  if (set.choice == Choice::hides_all && scene.slurm && !scene.slurm_asked && set.value.empty()) {
    return Suspect{"C07",
                   Weight::probable,
                   "Slurm gave the job no GPU: CUDA_VISIBLE_DEVICES is empty",
                   with(&seen, shown),
                   {},
                   {}};
  }
  if (set.choice == Choice::hides_all) {
    return Suspect{"E01",
                   Weight::settled,
                   "CUDA_VISIBLE_DEVICES is '" + set.value + "', which hides every GPU",
                   with(&seen, shown),
                   {},
                   {}};
  }
  if (set.choice == Choice::invalid || set.choice == Choice::beyond) {
    return Suspect{"E02",
                   Weight::settled,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "', which names no GPU that exists here",
                   with(&seen, shown),
                   {},
                   {}};
  }
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
  if (scene.worked_in_another_run(seen.last_run) && root_too && user_too) {
    return Suspect{
        "H08", Weight::probable,    "root gets the GPU and a plain user does not", {&seen},
        {},    "ls -l /dev/nvidia*"};
  }
  if (scene.worked_in_another_run(seen.last_run)) {
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
  if (scene.other_gpu_only)
    return Suspect{"H02", Weight::probable, "the GPU is not NVIDIA's", {&seen}, {}, {}};
  if (scene.wsl)
    return Suspect{"C03", Weight::probable, "inside WSL libcuda shows no device", {&seen}, {}, {}};
  const auto* missing = text.find("kernel-driver-missing");
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
  if (set.shown && set.value.find_first_not_of("0") != std::string::npos && scene.smi_gpus == 0) {
    return Suspect{"E02",
                   Weight::probable,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "', and no such GPU is shown to the program",
                   with(&seen, shown),
                   {},
                   "nvidia-smi -L"};
  }
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

void ordinals(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("invalid-ordinal");
  if (seen == nullptr) return;
  const auto set = variable(scene);
  if (set.shown && set.choice != Choice::hides_all) {
    out.push_back({"E02",
                   Weight::settled,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "': inside the program the chosen GPUs count from 0, so the number asked "
                       "for does not exist",
                   {seen},
                   {},
                   {}});
  } else {
    out.push_back(
        {"P06", Weight::settled, std::string(seen->message->says), {seen}, {}, seen->message->ask});
  }
}

/// PyTorch counts by NVML, which knows nothing of slices nor of what a variable made of the list.
void device_assert(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("device-assert");
  if (seen == nullptr) return;
  if (scene.mig) {
    out.push_back({"H14",
                   Weight::probable,
                   "the GPU is cut into slices (MIG) and none is chosen: PyTorch counts more GPUs "
                   "than CUDA gives it",
                   {seen, scene.text.find("mig-mode")},
                   "set CUDA_VISIBLE_DEVICES to the UUID of a slice (nvidia-smi -L)",
                   "nvidia-smi -L"});
    return;
  }
  out.push_back({"E02",
                 Weight::probable,
                 "PyTorch counted more GPUs than CUDA gives it: CUDA_VISIBLE_DEVICES names some "
                 "twice or one that is not there, or was changed by the program",
                 {seen},
                 {},
                 seen->message->ask});
}

void revoked(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("nvml-unknown");
  if (seen == nullptr) return;
  const auto* reload = scene.text.find("cgroup-reload");
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
  const auto* pod = scene.text.find("pod-limits");
  const bool shown = scene.text.says("container_start") || pod != nullptr;
  if (!scene.container || !shown || scene.container_gets_gpu || scene.no_gpu == nullptr) return;
  out.push_back({"C01",
                 Weight::hint,
                 pod != nullptr ? "the pod asks for no GPU: its limits name no nvidia.com/gpu"
                                : "the container was started without the GPU",
                 {pod, scene.no_gpu},
                 {},
                 {}});
}

/// The program or a variable chooses a GPU that is not there, or too late, and nothing complains.
void wrong_choice(const Scene& scene, const Variable& set, Suspects& out) {
  if (!set.shown || set.choice == Choice::none || set.choice == Choice::hides_all) return;
  const auto* code = scene.text.find("code-hides");
  if (set.choice != Choice::valid) {
    out.push_back({set.in_code ? "P03" : "E02",
                   Weight::hint,
                   "CUDA_VISIBLE_DEVICES is '" + set.value +
                       "', which names no GPU that exists here" +
                       (scene.smi_gpus == 0 ? std::string()
                                            : ": " + std::to_string(scene.smi_gpus) + " is shown"),
                   {set.in_code ? code : scene.text.find("visible-devices")},
                   {},
                   "nvidia-smi -L"});
    return;
  }
  // The GPU that the code chooses is idle while another one works.
  bool chosen_idle = false;
  bool other_busy = false;
  for (const auto* use : scene.text.all("gpu-use")) {
    const auto now = to_number(use->value("gpu_now")).value_or(0);
    if (use->value("gpu_index") == set.value)
      chosen_idle = now == 0;
    else
      other_busy = other_busy || now > 0;
  }
  const auto* call = scene.text.find("cuda-call");
  const bool after_call = code != nullptr && call != nullptr && call->first < code->first &&
                          (scene.text.mentions("gpu 0") || scene.text.mentions("gpu0") ||
                           scene.text.mentions("wrong gpu"));
  if (set.in_code && ((chosen_idle && other_busy) || after_call)) {
    out.push_back({"P03",
                   Weight::hint,
                   "the program sets CUDA_VISIBLE_DEVICES to '" + set.value +
                       "' too late: another GPU is used, so CUDA had started before",
                   {code, scene.text.find("numbered-import")},
                   "set the variable before the program starts, or above its first import",
                   {}});
  }
}

/// One program, one machine: it gets the GPU here and not there, and no message tells why.
void elsewhere(const Scene& scene, Suspects& out) {
  for (const std::string_view signal : {"torch-false", "no-gpu-listed", "app-on-cpu"}) {
    const auto all = scene.text.all(signal);
    if (all.empty() || scene.text.reading().is_past(*all.back())) continue;
    const auto* seen = all.back();
    if (!scene.worked_in_another_run(seen->last_run)) continue;
    const auto steps = scene.text.all("slurm");
    const bool srun = std::any_of(steps.begin(), steps.end(), [&](const Sighting* run) {
      return contains(run->text, "srun ") && run->first <= seen->last;
    });
    if (srun && !scene.slurm_asked) {
      out.push_back({"C07",
                     Weight::probable,
                     "the GPU is there outside of srun: the step asks the scheduler for none",
                     {seen},
                     {},
                     "scontrol show step"});
    } else if (const auto* root = scene.text.find("root-run");
               root != nullptr && scene.succeeded != nullptr &&
               root->first <= scene.succeeded->first && scene.succeeded->last < seen->first) {
      out.push_back({"H08",
                     Weight::probable,
                     "root gets the GPU and a plain user does not",
                     {seen, root},
                     {},
                     "ls -l /dev/nvidia*"});
    } else if (const auto* other = scene.text.find("other-user")) {
      out.push_back({"E08",
                     Weight::probable,
                     "one user gets the GPU and another does not, on the same machine",
                     {seen, other},
                     {},
                     "id"});
    }
  }
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
  ordinals(scene, out);
  device_assert(scene, out);
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
  // Job scripts and variables alone are a hint: they may be another job's.
  if (scene.slurm_told && !scene.slurm_asked && scene.text.has("torch-false")) {
    out.push_back({"C07",
                   Weight::hint,
                   "the job asks the scheduler for no GPU",
                   {scene.text.find("slurm-script")},
                   {},
                   {}});
  }
  if (scene.colab || scene.kaggle) {
    for (const std::string_view signal : {"no-gpu-listed", "torch-false", "jax-no-gpu"}) {
      if (const auto* seen = scene.text.find(signal))
        out.push_back({"C04", Weight::hint, "the notebook's runtime has no GPU", {seen}, {}, {}});
    }
  }
  const auto set = variable(scene);
  plain_container(scene, out);
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
  wrong_choice(scene, set, out);
  elsewhere(scene, out);
  if (set.shown && set.choice == Choice::hides_all) {
    const auto* code = scene.text.find("code-hides");
    out.push_back({set.in_code ? "P03" : "E01",
                   Weight::hint,
                   "CUDA_VISIBLE_DEVICES is set to '" + set.value + "', which hides every GPU",
                   {set.in_code ? code : scene.text.find("visible-devices")},
                   {},
                   {}});
  }
}

} // namespace gpuwhy::explain
