// The framework has the GPU: does the model, an array or a list of devices show that the program
// uses it?
#include "base/text.h"
#include "explain/choice.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

/// TensorFlow lists the card, and to the program it shows none.
void hidden(const Scene& scene, Suspects& out) {
  const auto* none = scene.text.find("visible-none");
  const auto* listed = scene.text.find("gpu-listed");
  if (none == nullptr || listed == nullptr) return;
  out.push_back({"P02",
                 Weight::probable,
                 "TensorFlow lists the GPU and shows the program none: something that it imports "
                 "or runs hid it (set_visible_devices)",
                 {none, listed},
                 "look for set_visible_devices in the program and in what it imports",
                 {}});
}

void lies_on_processor(const Scene& scene, Suspects& out) {
  const auto* lies = scene.text.find("array-on-cpu");
  // Of tensors that are looked at, some are meant to lie there.
  if (lies == nullptr && !scene.text.has("model-on-gpu")) lies = scene.text.find("model-on-cpu");
  const auto* there = scene.text.find("gpu-listed");
  if (there == nullptr) there = scene.text.find("gpu-created");
  if (lies == nullptr || scene.no_gpu != nullptr) return;
  const bool wanted =
      contains(lies->text, "parameters()") &&
      (scene.text.has("use-none") || scene.text.has("use-low") || scene.text.has("doubt-words"));
  if (there == nullptr && !wanted) return;
  out.push_back({"P15",
                 Weight::hint,
                 "the framework has the GPU, and what the program computes on lies on the "
                 "processor",
                 {lies, there},
                 {},
                 {},
                 {{"P01", "the program chooses the processor by itself"}}});
  if (there == nullptr) {
    out.back().ask = kLook;
    out.back().instead.push_back({"F13", "this PyTorch is built without CUDA"});
  }
}

/// PyTorch has the GPU, and it stands still.
void stands_still(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* none = text.find("use-none");
  const auto* listed = text.find("gpu-listed");
  if (none == nullptr || listed == nullptr || listed->message->framework != "torch") return;
  const bool held = text.has("gpu-created") || text.has("smi-usage") || text.has("gpu-use") ||
                    text.has("slow-input") || text.has("memory-series");
  if (held || scene.no_gpu != nullptr) return;
  out.push_back({"P15",
                 Weight::hint,
                 "PyTorch has the GPU, and it is not used: the model was not moved there",
                 {none, listed},
                 {},
                 "nvidia-smi",
                 {{"P01", "the program chooses the processor by itself"},
                  {"R03", "it is moved there, and waits for its data"}}});
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// The program's own choice of GPUs came too late: it works on, or sees, others than it names.
void too_late(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto chosen = chosen_devices(scene);
  const auto* code = text.find("code-hides");
  if (!chosen.shown || !chosen.in_code || chosen.choice != Choice::valid || code == nullptr) return;
  const auto names = split(chosen.value, ',');
  const auto named = [&](std::string_view index) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return trim(name) == index; });
  };
  const auto processes = text.all("smi-process");
  const bool others =
      !processes.empty() &&
      std::none_of(processes.begin(), processes.end(),
                   [&](const Sighting* process) { return named(process->value("process_gpu")); });
  std::size_t shown = text.all("device-line").size();
  for (const auto* list : text.all("gpu-created"))
    shown = std::max(shown, count_of(list->text, "Device(id="));
  const bool more = shown > names.size();
  if (!others && !more) return;
  out.push_back({"P03",
                 Weight::hint,
                 "the program sets CUDA_VISIBLE_DEVICES=" + chosen.value +
                     " when CUDA was started already: it has no effect",
                 {code, others ? processes.front() : text.find("device-line")},
                 "set it before the first import of a framework, or in the shell",
                 {}});
}

/// What hides the GPUs stands in the process, not in the shell.
void hidden_in_process(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  if (const auto* none = text.find("env-answer"); none != nullptr && scene.in_use == nullptr) {
    out.push_back({"P03",
                   Weight::probable,
                   "in the running program CUDA_VISIBLE_DEVICES hides every GPU",
                   {none},
                   "find what sets it: the program, or what it imports",
                   "env | grep VISIBLE_DEVICES",
                   {{"E01", "it is set so in the shell"}}});
  }
  const auto* worker = text.find("ray-worker");
  const auto* refused = text.find("no-device");
  if (worker != nullptr && refused != nullptr && !text.has("ray-no-gpu")) {
    out.push_back({"E01",
                   Weight::probable,
                   "a worker of Ray sees no GPU: Ray empties CUDA_VISIBLE_DEVICES for a task that "
                   "asks for none",
                   {worker, refused},
                   "ask for it: @ray.remote(num_gpus=1), ScalingConfig(use_gpu=True)",
                   "python -c \"import ray; ray.init('auto'); print(ray.cluster_resources())\"",
                   {{"C01", "the node or the container of the worker has no GPU"}}});
  }
  if (const auto* ray = text.find("ray-no-gpu"); ray != nullptr && scene.in_use == nullptr) {
    out.push_back({"P02",
                   Weight::probable,
                   "the workers are started without a share of the GPU, and Ray hides it from them",
                   {ray, text.find("no-device")},
                   "ask for it: num_gpus=1, resources_per_trial={'gpu': 1}",
                   {}});
  }
}

} // namespace

void placement_suspects(const Scene& scene, Suspects& out) {
  hidden(scene, out);
  lies_on_processor(scene, out);
  stands_still(scene, out);
  too_late(scene, out);
  hidden_in_process(scene, out);
}

} // namespace gpuwhy::explain
