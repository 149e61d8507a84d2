// The installed build: can it use a GPU on this system, and with the CUDA that is there?
#include "base/text.h"
#include "explain/choice.h"
#include "explain/place.h"
#include "explain/suspect.h"
#include "explain/use_figures.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

/// 2.16's RUNPATH names two of the folders only (docs/tensorflow_loading_observed.md).
constexpr int kShortRunpathMinor = 16;
constexpr int kLastWindowsMinor = 10; // TensorFlow 2.10 was the last with a GPU on native Windows

bool after_last_windows_release(const Version& version) {
  return version.major() > 2 || (version.major() == 2 && version.minor() > kLastWindowsMinor);
}

void windows(const Scene& scene, Suspects& out) {
  if (!scene.windows || !scene.tensorflow || !after_last_windows_release(*scene.tensorflow)) return;
  // PyTorch's success says nothing of TensorFlow, where that shows none itself.
  const bool other = scene.in_use != nullptr && scene.in_use->message->framework == "torch" &&
                     scene.no_gpu != nullptr && scene.no_gpu->message->framework == "tensorflow";
  if (scene.in_use != nullptr && !other) return;
  if (scene.text.says("directml")) return;
  const bool says_so = scene.text.has("not-built-with-cuda"); // no release for Windows is
  out.push_back({"F03",
                 says_so ? Weight::settled : Weight::hint,
                 "TensorFlow " + scene.tensorflow->str() +
                     " on native Windows: 2.10 was the last with a GPU there",
                 version_lines(scene),
                 {},
                 {}});
}

void mac(const Scene& scene, Suspects& out) {
  if (!scene.macos || scene.in_use != nullptr || scene.text.says("tensorflow_metal")) return;
  const bool tensorflow_here =
      scene.tensorflow || scene.text.has("no-gpu-listed") || scene.text.has("version-of");
  if (!tensorflow_here || scene.text.says("torch")) return;
  out.push_back({"F04",
                 Weight::hint,
                 "TensorFlow on a Mac without tensorflow-metal: it has no GPU",
                 version_lines(scene),
                 {},
                 {}});
}

/// What is installed, against what the tables know of the release; no message names a cause.
void by_tables(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* line = scene.no_gpu;
  if (scene.in_use != nullptr) return;
  const bool needs_cuda = text.has("library-missing") || text.has("dll-load") ||
                          text.has("native-runtime") || text.has("dlopen-some") ||
                          text.has("cudart-stub");
  if (line != nullptr && text.says("directml") && scene.windows) {
    out.push_back({"F14",
                   Weight::hint,
                   "the DirectML plugin is installed and brings no GPU: it fits one release of "
                   "TensorFlow only",
                   version_lines(scene),
                   {},
                   {}});
  }
  if (scene.other_gpu_only && needs_cuda && !text.says("rocm_package")) {
    out.push_back({"H02",
                   Weight::probable,
                   "the GPU is not NVIDIA's (" + scene.gpu + "), and this build wants CUDA",
                   version_lines(scene),
                   {},
                   {}});
  }
  if (scene.other_gpu_only && !text.says("rocm_package") && !text.says("directml") &&
      !scene.macos && (line != nullptr || scene.tensorflow || text.has("cpu-features"))) {
    out.push_back({"H02",
                   Weight::hint,
                   "the GPU is not NVIDIA's (" + scene.gpu + "), and this build wants CUDA",
                   version_lines(scene),
                   {},
                   {}});
  }
  const bool torch_for_cuda = contains(text.said("torch"), "+cu");
  if (scene.other_gpu_only && torch_for_cuda && scene.in_use == nullptr) {
    const bool wanted_rocm = text.mentions("rocm");
    out.push_back(
        {wanted_rocm ? "F14" : "H02",
         Weight::hint,
         "the GPU is not NVIDIA's (" + scene.gpu + "), and this PyTorch is built for CUDA",
         version_lines(scene),
         wanted_rocm ? "install PyTorch from the index of your ROCm release" : "",
         {}});
  }
  const bool nvidia_here = scene.capability && !scene.other_gpu_only;
  if (text.says("torch_hip") && nvidia_here && text.has("torch-false") && scene.in_use == nullptr) {
    out.push_back({"F14",
                   Weight::hint,
                   "this PyTorch is built for ROCm, and the GPU is NVIDIA's (" + scene.gpu + ")",
                   version_lines(scene),
                   "install PyTorch from the index that pytorch.org names for your CUDA",
                   {}});
  }
  if (scene.other_gpu_only && text.says("rocm_package") && scene.no_gpu != nullptr) {
    out.push_back({"F14",
                   Weight::hint,
                   "this build is one for ROCm and lists no GPU (" + scene.gpu + ")",
                   version_lines(scene),
                   {},
                   "rocminfo"});
  }
  if (scene.release == nullptr || scene.macos) return;
  const auto& release = *scene.release;
  const std::string name = "TensorFlow " + scene.tensorflow->str();
  const bool cpu_only_there = scene.windows && after_last_windows_release(*scene.tensorflow);
  if (scene.cuda && line != nullptr && !cpu_only_there &&
      (release.cuda.major() != scene.cuda->major() ||
       (release.cuda.major() < 11 && release.cuda.minor() != scene.cuda->minor()))) {
    out.push_back({"F15",
                   Weight::hint,
                   name + " is built with CUDA " + release.cuda.str() + ", and CUDA " +
                       scene.cuda->str() + " is installed",
                   version_lines(scene),
                   {},
                   {}});
  }
  if (scene.windows || scene.wsl) return;
  if (scene.aarch64 && line != nullptr)
    out.push_back({"F02",
                   Weight::hint,
                   name + " has no CUDA in its wheels for ARM servers",
                   version_lines(scene),
                   {},
                   {}});
  if (scene.tensorflow->major() == 2 && scene.tensorflow->minor() == kShortRunpathMinor &&
      line != nullptr && scene.wheels) {
    out.push_back({"L05",
                   Weight::hint,
                   name + " does not look into NVIDIA's wheels, which the extra and-cuda installs",
                   version_lines(scene),
                   "take another release of TensorFlow, or add the nvidia/*/lib folders of "
                   "site-packages to LD_LIBRARY_PATH",
                   {}});
  }
  if (scene.tensorflow->major() == 2 && scene.tensorflow->minor() >= 12 && line != nullptr &&
      text.has("version-of") && !scene.wheels && !scene.cuda &&
      (scene.smi_works || !scene.gpu.empty())) {
    out.push_back({"F05",
                   Weight::hint,
                   name + " is installed without NVIDIA's wheels, and no CUDA is shown",
                   version_lines(scene),
                   {},
                   {}});
  }
}

/// Whether TensorFlow said anything of a driver, a CUDA library or a GPU.
bool spoke_of_cuda(const View& text) {
  const auto all = text.all();
  return std::any_of(all.begin(), all.end(), [](const Sighting* seen) {
    const auto& message = *seen->message;
    if (message.framework == "torch" || message.framework == "jax") return false;
    if (message.kind == Kind::harmless) return message.signal == "numa";
    if (message.kind == Kind::context || message.signal == "no-gpu-listed") return false;
    return message.signal != "app-on-cpu" && message.signal != "nonexistent-device";
  });
}

/// The GPU is seen to compute, or a Python of this text holds its memory.
bool seen_at_work(const View& text) {
  const UseFigures figures(text);
  if (figures.highest_use && *figures.highest_use > 0) return true;
  const auto processes = text.all("smi-process");
  return std::any_of(processes.begin(), processes.end(), [](const Sighting* process) {
    return contains(process->value("process"), "python");
  });
}

/// A TensorFlow with CUDA names the driver or a library when it looks for a GPU, whether that works
/// or not. One that tells the processor's features, comes to its devices and says nothing else is a
/// build without CUDA.
void silent(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* features = text.find("cpu-features");
  const bool gpu_there = scene.smi_works || (!scene.gpu.empty() && !scene.other_gpu_only);
  if (features == nullptr || scene.succeeded != nullptr || !gpu_there || scene.has_gpu == false)
    return;
  if (scene.macos || scene.jetson || scene.colab || scene.kaggle || scene.login_node) return;
  if (scene.container && !scene.container_gets_gpu && !scene.smi_works) return;
  if (chosen_devices(scene).choice == Choice::hides_all || text.has("code-hides")) return;
  const auto later = [&](const Sighting* seen) {
    return seen != nullptr && seen->last > features->first;
  };
  const auto* listed = text.find("no-gpu-listed");
  const bool trained = later(text.find("keras-epoch")) || later(text.find("training-step")) ||
                       later(text.find("xla-host"));
  // Of a training people show what they like: somebody must say that the GPU is not in use.
  const bool idle = text.has("doubt-words") || text.has("speed-words") || text.has("smi-processes");
  const bool came_to_devices = later(listed) || text.has("listed-cpu") || (trained && idle);
  if (!came_to_devices || spoke_of_cuda(text) || seen_at_work(text)) return;
  out.push_back({"F02",
                 Weight::hint,
                 "TensorFlow looks for devices and says nothing of a driver or a CUDA library: a "
                 "build without CUDA",
                 {listed != nullptr ? listed : features, features},
                 {},
                 "python -c \"import tensorflow as tf; print(tf.test.is_built_with_cuda())\""});
}

/// What builds an extension takes the toolkit of CUDA_HOME, or that of the path.
void toolkit(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("toolkit-mismatch");
  if (seen == nullptr) return;
  const auto home = scene.text.said("cuda_home");
  out.push_back({home.empty() ? "F15" : "E04",
                 Weight::probable,
                 std::string(seen->message->says) +
                     (home.empty() ? std::string() : ": CUDA_HOME is " + std::string(home)),
                 {seen, scene.text.find("cuda-home")},
                 home.empty() ? "" : "set CUDA_HOME to a toolkit of the framework's CUDA",
                 seen->message->ask});
}

/// What pip lists of JAX's two halves.
void jax_halves(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* crashed = text.find("crashed");
  if (scene.in_use != nullptr && (crashed == nullptr || crashed->last < scene.in_use->last)) return;
  const auto plugin = Version::parse(text.said("jax_plugin"));
  const auto lib = Version::parse(text.said("jaxlib"));
  if (plugin && lib && plugin->parts.size() >= 3 && lib->parts.size() >= 3 &&
      (*lib < *plugin || plugin->minor() != lib->minor())) {
    out.push_back({"F12",
                   Weight::hint,
                   "the CUDA plugin is " + plugin->str() + " and jaxlib " + lib->str() +
                       ": they must be of one release",
                   text.all("version-of"),
                   "python -m pip install -U 'jax[cuda12]'",
                   {}});
  }
}

void jax(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  if (scene.in_use != nullptr || text.has("jax-no-cuda")) return;
  const auto* fell = text.find("jax-no-gpu");
  const auto set = chosen_devices(scene);
  if (fell != nullptr && set.shown && set.choice == Choice::hides_all) {
    out.push_back({"E01",
                   Weight::probable,
                   "CUDA_VISIBLE_DEVICES is '" + set.value + "', which hides every GPU from JAX",
                   {text.find("visible-devices"), fell},
                   {},
                   {}});
    return;
  }
  const bool driver_failed = text.has("no-device") || text.has("cuinit-303") ||
                             text.has("cuinit-unknown") || text.has("smi-failed") ||
                             text.has("driver-mismatch") || given_no_gpu(scene) != nullptr;
  if (fell != nullptr && !driver_failed && !scene.other_gpu_only && scene.has_gpu != false) {
    constexpr int kJaxOldest = 35; // of compute capability, what XLA has taken from the start
    const int has = scene.capability ? scene.capability->major * 10 + scene.capability->minor : 99;
    if (has < kJaxOldest) {
      out.push_back({"H11",
                     Weight::probable,
                     scene.gpu + " (compute capability " + scene.capability->str() +
                         ") is older than what XLA takes: it is left out without a word",
                     {fell},
                     {},
                     {}});
      return;
    }
    // Their images bring a JAX with CUDA; what a program installs over it is shown by name.
    if ((scene.colab || scene.kaggle) && !text.says("jax") && !text.says("jaxlib")) {
      out.push_back({"C04",
                     Weight::probable,
                     "the notebook's runtime has no GPU: JAX finds its processor only",
                     {fell},
                     {},
                     "!nvidia-smi",
                     {{"F12", "a JAX without CUDA was installed over the notebook's own"}}});
      return;
    }
    out.push_back({"F12",
                   Weight::probable,
                   "JAX came up with its processor backend only: jaxlib is the build without CUDA, "
                   "unless the driver is missing",
                   {fell},
                   {},
                   fell->message->ask,
                   {{"H03", "jaxlib has CUDA and finds no NVIDIA driver"}}});
  }
  const auto* listed = text.find("no-gpu-listed");
  if (scene.windows && listed != nullptr && listed->message->framework == "jax") {
    out.push_back({"F12",
                   Weight::hint,
                   "JAX has no build with CUDA for native Windows",
                   {listed},
                   "use WSL 2",
                   {}});
  }
  if (text.says("jaxlib") && text.has("version-of") && !text.says("jax_plugin") &&
      text.has("no-gpu-listed") && !contains(text.said("jaxlib"), "cuda")) {
    out.push_back({"F12",
                   Weight::hint,
                   "jaxlib is installed without a CUDA plugin",
                   text.all("version-of"),
                   {},
                   {}});
  }
}

} // namespace

std::vector<const Sighting*> version_lines(const Scene& scene) {
  auto seen = scene.text.all("version-of");
  if (scene.no_gpu != nullptr) seen.insert(seen.begin(), scene.no_gpu);
  return seen;
}

void build_suspects(const Scene& scene, Suspects& out) {
  windows(scene, out);
  mac(scene, out);
  by_tables(scene, out);
  silent(scene, out);
  toolkit(scene, out);
  jax_halves(scene, out);
  jax(scene, out);
}

} // namespace gpuwhy::explain
