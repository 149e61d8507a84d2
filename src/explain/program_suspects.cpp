// Which interpreter runs, what the program itself says, and what variables make of the backend.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>
#include <set>

namespace gpuwhy::explain {
namespace {

void interpreter(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("module-missing");
  if (seen == nullptr) return;
  std::set<std::string_view> interpreters;
  std::set<std::string_view> paths;
  for (const auto value : scene.text.all_said("interpreter_path")) paths.insert(value);
  for (const auto value : scene.text.all_said("interpreter")) interpreters.insert(value);
  const bool installed = scene.text.says("tensorflow") && scene.text.has("version-of");
  const auto runs = scene.text.all("python-run");
  const bool root = std::any_of(runs.begin(), runs.end(),
                                [](const Sighting* run) { return contains(run->text, "sudo "); });
  if (scene.notebook || installed || root || paths.size() > 1 ||
      (interpreters.size() > 1 && scene.text.mentions("environment"))) {
    out.push_back({"F07",
                   Weight::probable,
                   "the interpreter that runs has no such package, another one on this machine may",
                   {seen},
                   {},
                   seen->message->ask});
    return;
  }
  out.push_back({"F01",
                 Weight::settled,
                 std::string(seen->message->says),
                 {seen},
                 {},
                 kLook,
                 {{"F07", "it is installed for another interpreter of this machine"}}});
}

/// What the code says counts where nothing before it failed.
void code(const Scene& scene, Suspects& out) {
  for (const auto* seen : scene.text.all("code-hides")) {
    const auto& name = seen->message->name;
    if (name == "code-hides/set")
      out.push_back({"P02",
                     Weight::probable,
                     "the program hides the GPUs: set_visible_devices([], 'GPU')",
                     {seen},
                     {},
                     {}});
    if (name == "code-hides/count")
      out.push_back({"P04",
                     Weight::probable,
                     "the program asks for no GPU: device_count={'GPU': 0}",
                     {seen},
                     {},
                     {}});
  }
  if (const auto* seen = scene.text.find("code-pins")) {
    out.push_back({"P01",
                   scene.text.has("on-cpu") ? Weight::probable : Weight::hint,
                   "the program pins work to the processor",
                   {seen},
                   {},
                   {}});
  }
}

void backend(const Scene& scene, Suspects& out) {
  const auto keras = lower(scene.text.said("keras_backend"));
  if (keras == "theano" || keras == "cntk" || keras == "numpy" || keras == "openvino") {
    const auto* seen = scene.text.find("keras-backend");
    if (seen == nullptr) seen = scene.text.find("keras-variable");
    if (seen == nullptr) seen = scene.text.find("keras-json");
    out.push_back(
        {"F11",
         Weight::settled,
         "Keras runs on " + std::string(scene.text.said("keras_backend")) + ", not on TensorFlow",
         {seen},
         {},
         {}});
  }
  if (keras == "torch" || keras == "jax" || keras == "pytorch") {
    const auto* seen = scene.text.find("keras-backend");
    if (seen == nullptr) seen = scene.text.find("keras-variable");
    if (seen == nullptr) seen = scene.text.find("keras-json");
    out.push_back({"F11",
                   Weight::hint,
                   "Keras runs on " + std::string(scene.text.said("keras_backend")) +
                       ": what TensorFlow has does not count",
                   {seen},
                   {},
                   {}});
  }
  const auto platforms = lower(scene.text.said("jax_platforms"));
  const auto* variable = scene.text.find("platform-variable");
  if (platforms == "cpu" && variable != nullptr && !contains(variable->text, "set JAX_PLATFORMS")) {
    out.push_back(
        {"E06", Weight::probable, "JAX_PLATFORMS is cpu", {variable}, "unset JAX_PLATFORMS", {}});
  }
}

} // namespace

void program_suspects(const Scene& scene, Suspects& out) {
  interpreter(scene, out);
  code(scene, out);
  backend(scene, out);
}

} // namespace gpuwhy::explain
