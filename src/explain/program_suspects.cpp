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
  // One interpreter of this text has the framework, and its GPU.
  const bool elsewhere = scene.succeeded != nullptr && scene.succeeded->last_run != seen->last_run;
  if (elsewhere) {
    out.push_back({"F07",
                   Weight::probable,
                   "another interpreter of this machine has the package, and the GPU",
                   {seen, scene.succeeded},
                   {},
                   seen->message->ask,
                   {},
                   true});
    return;
  }
  const bool scheduled = scene.text.has("other-user");
  if (scene.notebook || installed || root || scheduled || paths.size() > 1 ||
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

/// The interpreter that runs is not that of the environment that was made for the GPU.
void outside_of_environment(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("interpreter-path"); // of several that are listed, the first
  for (const auto* each : scene.text.all("interpreter-path"))
    if (each->message->name == "interpreter-path/answer") seen = each;
  const auto path = std::string(seen == nullptr ? "" : seen->value("interpreter_path"));
  if (path.empty() || seen == nullptr || scene.no_gpu == nullptr) return;
  for (const auto name : scene.text.all_said("conda_env")) {
    if (name == "base" || contains(path, name) || contains(path, "venv") ||
        contains(path, "virtualenvs"))
      continue;
    out.push_back({"F07",
                   Weight::hint,
                   "the program runs in " + path + ", and the environment that was made is " +
                       std::string(name),
                   {seen, scene.no_gpu},
                   "start it with the interpreter of that environment",
                   {}});
    return;
  }
}

/// Another framework computes, and TensorFlow only reads its data.
bool only_reads_data(const Scene& scene) {
  const auto& text = scene.text;
  if (scene.no_gpu != nullptr || text.has("doubt-words") || text.has("speed-words")) return false;
  const auto imports = text.all("framework-import");
  return std::any_of(imports.begin(), imports.end(), [](const Sighting* seen) {
    return contains(seen->text, "torch") || contains(seen->text, "jax");
  });
}

/// What the code says counts where nothing before it failed.
void code(const Scene& scene, Suspects& out) {
  for (const auto* seen : scene.text.all("code-hides")) {
    const auto& name = seen->message->name;
    const bool others = scene.in_use != nullptr && !scene.in_use->message->framework.empty() &&
                        scene.in_use->message->framework != "tensorflow";
    if (name == "code-hides/set" && !others &&
        !only_reads_data(scene)) // on purpose, where another framework computes
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
  if (const auto* none = scene.text.find("visible-none");
      none != nullptr && scene.text.has("gpu-listed")) {
    out.push_back({"P02",
                   Weight::hint,
                   "TensorFlow lists the GPU, and the program left none of it visible",
                   {none, scene.text.find("gpu-listed")},
                   {},
                   {}});
  }
  const auto* seen = scene.text.find("code-pins");
  const bool both_ways =
      seen != nullptr && seen->message->name == "code-pins/option" && scene.text.has("told-gpu");
  if (seen != nullptr && !both_ways) {
    out.push_back({"P01",
                   scene.text.has("on-cpu") ? Weight::probable : Weight::hint,
                   "the program pins work to the processor",
                   {seen},
                   {},
                   {}});
  }
}

/// What Keras says itself counts before the variable, and that before the file.
struct KerasBackend {
  std::string name;
  const Sighting* seen = nullptr;
};

KerasBackend keras_backend(const Scene& scene) {
  const auto& text = scene.text;
  const auto* says = text.find("keras-backend");
  const auto* variable = text.find("keras-variable");
  const bool later = says != nullptr && variable != nullptr && says->last < variable->first;
  if (text.says("keras_backend") && !later) return {lower(text.said("keras_backend")), says};
  if (text.says("keras_variable")) return {lower(text.said("keras_variable")), variable};
  return {lower(text.said("keras_json")), text.find("keras-json")};
}

void backend(const Scene& scene, Suspects& out) {
  const auto keras = keras_backend(scene);
  const auto variable = lower(scene.text.said("keras_variable"));
  const auto file = lower(scene.text.said("keras_json"));
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), keras.name) != names.end();
  };
  if (keras.name == "theano" && scene.text.has("theano-gpu")) {
    // Theano is what the writer wants, with its own way to the GPU.
  } else if (is({"theano", "cntk", "numpy", "openvino"})) {
    out.push_back({"F11",
                   Weight::settled,
                   "Keras runs on " + keras.name + ", not on TensorFlow",
                   {keras.seen},
                   {},
                   {}});
  } else if (is({"torch", "jax", "pytorch"})) {
    // Chosen, and without CUDA itself: the choice is the root.
    const bool chosen = scene.text.says("keras_variable") && scene.text.says("keras_backend");
    const bool without = scene.text.has("jax-no-cuda") || scene.text.has("torch-cpu");
    out.push_back({"F11",
                   chosen && without ? Weight::probable : Weight::hint,
                   "Keras runs on " + keras.name + ": what TensorFlow has does not count",
                   {keras.seen},
                   {},
                   {}});
  } else if (!variable.empty() && scene.text.says("keras_backend") && variable != keras.name) {
    out.push_back({"F11",
                   Weight::hint,
                   "Keras runs on " + keras.name + " though KERAS_BACKEND is set to " + variable +
                       ": it counts only before Keras is imported",
                   {keras.seen, scene.text.find("keras-variable")},
                   "set the variable above the first import of Keras, or in the shell",
                   {}});
  } else if (!variable.empty() && !file.empty() && variable != file) {
    out.push_back({"F11",
                   Weight::hint,
                   "KERAS_BACKEND=" + variable + " counts before keras.json, which says " + file,
                   {scene.text.find("keras-variable"), scene.text.find("keras-json")},
                   {},
                   {}});
  }
  const auto platforms = lower(scene.text.said("jax_platforms"));
  const auto* chosen = scene.text.find("platform-variable");
  const auto* refused = scene.text.find("jax-plugin");
  // Named in the code, it is raised where the default passes over it.
  const auto* amd = scene.text.find("jax-other-backend");
  if (platforms == "gpu" && amd != nullptr && contains(amd->text, "RuntimeError") &&
      contains(amd->text, "'rocm'")) {
    out.push_back({"E06",
                   Weight::probable,
                   "the platform 'gpu' makes JAX try AMD's too, and stop where it is not there",
                   {amd, chosen},
                   "name it cuda, or leave the choice to JAX",
                   {},
                   {},
                   true});
  }
  if (platforms == "gpu" && refused != nullptr && contains(refused->text, "set JAX_PLATFORMS") &&
      scene.text.says("jax_plugin")) {
    out.push_back({"E06",
                   Weight::settled,
                   "JAX_PLATFORMS=gpu makes JAX try AMD's platform too, and stop where it is not "
                   "there",
                   {refused, chosen},
                   "unset JAX_PLATFORMS, or set it to cuda",
                   {}});
  }
  if (platforms == "cpu" && chosen != nullptr && !contains(chosen->text, "set JAX_PLATFORMS")) {
    out.push_back({"E06",
                   Weight::hint,
                   "JAX_PLATFORMS is cpu",
                   {chosen},
                   "unset JAX_PLATFORMS",
                   {},
                   {},
                   true});
  }
}

/// The GPU is there for the framework, and the program says that it runs on the processor.
void chose_processor(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("app-on-cpu");
  const auto* there = scene.text.find("gpu-listed");
  if (const auto* never = scene.text.find("never-named"); never != nullptr && there != nullptr) {
    out.push_back({"P15",
                   Weight::hint,
                   "the framework has the GPU, and the program never moves anything there",
                   {never, there},
                   {},
                   {}});
    return;
  }
  if (const auto* model = scene.text.find("model-on-cpu"); model != nullptr && there != nullptr &&
                                                           scene.no_gpu == nullptr &&
                                                           !scene.text.has("model-on-gpu")) {
    out.push_back({"P15",
                   Weight::hint,
                   "PyTorch has the GPU, and the model lies on the processor",
                   {model, there},
                   {},
                   {}});
    return;
  }
  const auto* nobody = scene.text.find("no-process");
  if (nobody != nullptr && there != nullptr && scene.no_gpu == nullptr && seen == nullptr) {
    out.push_back({"P15",
                   Weight::hint,
                   "PyTorch has the GPU, and the program does not use it: nothing was moved there",
                   {nobody, there},
                   {},
                   {},
                   {{"P01", "the program chooses the processor by itself"}}});
    return;
  }
  if (seen == nullptr || there == nullptr || scene.no_gpu != nullptr) return;
  out.push_back({"P01",
                 Weight::hint,
                 "the framework has the GPU, and the program put its model on the processor",
                 {seen, there},
                 "look at how the program chooses its device (grep -n 'cuda\\|device' in its code)",
                 {},
                 {{"P15", "it means to use the GPU and forgets to move the model there"}}});
}

} // namespace

void program_suspects(const Scene& scene, Suspects& out) {
  interpreter(scene, out);
  outside_of_environment(scene, out);
  code(scene, out);
  backend(scene, out);
  chose_processor(scene, out);
}

} // namespace gpuwhy::explain
