// The framework has the GPU: does the model, an array or a list of devices show that the program
// uses it?
#include "base/text.h"
#include "explain/suspect.h"

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
  const bool wanted = contains(lies->text, "parameters()") &&
                      (scene.text.has("use-none") || scene.text.has("use-low") ||
                       scene.text.has("doubt-words"));
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

} // namespace

void placement_suspects(const Scene& scene, Suspects& out) {
  hidden(scene, out);
  lies_on_processor(scene, out);
  stands_still(scene, out);
}

} // namespace gpuwhy::explain
