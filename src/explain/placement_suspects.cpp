// The framework has the GPU: does the model, an array or a list of devices show that the program
// uses it?
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
  if (lies == nullptr) lies = scene.text.find("model-on-cpu");
  const auto* there = scene.text.find("gpu-listed");
  if (there == nullptr) there = scene.text.find("gpu-created");
  if (lies == nullptr || there == nullptr || scene.no_gpu != nullptr) return;
  out.push_back({"P15",
                 Weight::hint,
                 "the framework has the GPU, and what the program computes on lies on the "
                 "processor",
                 {lies, there},
                 {},
                 {},
                 {{"P01", "the program chooses the processor by itself"}}});
}

} // namespace

void placement_suspects(const Scene& scene, Suspects& out) {
  hidden(scene, out);
  lies_on_processor(scene, out);
}

} // namespace gpuwhy::explain
