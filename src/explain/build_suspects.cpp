// The installed build: has it GPU support at all, for this system, this Python, this GPU?
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

/// 2.16's RUNPATH names two of the folders only (docs/tensorflow_loading_observed.md).
constexpr int kShortRunpathMinor = 16;
constexpr int kLastWindowsMinor = 10; // TensorFlow 2.10 was the last with a GPU on native Windows

/// Something says that the framework shows no GPU, or fails for want of one.
const Sighting* no_gpu_line(const Scene& scene) {
  for (const std::string_view signal :
       {"no-gpu-listed", "dlopen-some", "cudart-stub", "torch-false", "strategy-cpu",
        "nonexistent-device", "jax-no-gpu"}) {
    if (const auto* seen = scene.text.find(signal)) return seen;
  }
  return nullptr;
}

bool after_last_windows_release(const Version& version) {
  return version.major() > 2 || (version.major() == 2 && version.minor() > kLastWindowsMinor);
}

std::vector<const Sighting*> versions(const Scene& scene) {
  auto seen = scene.text.all("version-of");
  if (const auto* line = no_gpu_line(scene)) seen.insert(seen.begin(), line);
  return seen;
}

void windows(const Scene& scene, Suspects& out) {
  if (!scene.windows || !scene.tensorflow || !after_last_windows_release(*scene.tensorflow) ||
      scene.in_use != nullptr)
    return;
  if (scene.text.says("directml")) return;
  out.push_back({"F03",
                 Weight::hint,
                 "TensorFlow " + scene.tensorflow->str() +
                     " on native Windows: 2.10 was the last with a GPU there",
                 versions(scene),
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
                 versions(scene),
                 {},
                 {}});
}

bool without_cuda(std::string_view build) {
  return build.starts_with("mkl") || build.starts_with("eigen") || build.starts_with("cpu");
}

/// Builds with CUDA and without it side by side: a channel's list, not what is installed.
bool lists_what_is_on_offer(const View& text) {
  const auto builds = text.all_said("tensorflow_build");
  return std::any_of(builds.begin(), builds.end(), without_cuda) &&
         !std::all_of(builds.begin(), builds.end(), without_cuda);
}

/// conda's builds carry their kind in the build string.
void packages(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  if (scene.in_use != nullptr) return;
  for (const auto* seen : text.all("version-of")) {
    const std::string build(seen->value("tensorflow_build"));
    const std::string package(seen->value("cpu_package"));
    if (without_cuda(build)) {
      if (lists_what_is_on_offer(text)) continue;
      out.push_back({"F02",
                     Weight::probable,
                     "the conda build " + build + " is one without CUDA",
                     {seen},
                     "conda install 'tensorflow=*=*cuda*' (conda-forge), or python -m pip install "
                     "'tensorflow[and-cuda]'",
                     {}});
    } else if (!package.empty() && !text.says("directml") &&
               !(package == "tensorflow-intel" && scene.windows)) {
      out.push_back(
          {"F02", Weight::hint, package + " is installed: it has no CUDA", {seen}, {}, {}});
    }
    if (seen->message->name == "version-of/torch-cpu") {
      out.push_back(
          {"F13", Weight::hint, "this PyTorch is the build without CUDA (+cpu)", {seen}, {}, {}});
    }
    if (!seen->value("torch_build").empty() && contains(seen->value("torch_build"), "cpu")) {
      out.push_back({"F13",
                     Weight::hint,
                     "this PyTorch is the build without CUDA (" +
                         std::string(seen->value("torch_build")) + ")",
                     {seen},
                     {},
                     {}});
    }
    if (seen->message->name == "version-of/rocm" && !text.says("gpu")) continue;
  }
  const auto* unloadable = text.find("torch-deserialize");
  if (unloadable != nullptr && (scene.windows || scene.macos)) {
    out.push_back({"F13",
                   Weight::probable,
                   std::string(unloadable->message->says) +
                       "; on this system pip installs PyTorch without CUDA",
                   {unloadable},
                   {},
                   unloadable->message->ask});
  }
}

/// A wheel cannot be had: is it the Python, or the package's name?
void no_wheel(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("no-wheel");
  if (seen == nullptr || seen->message->cause != "F08") return;
  const auto python = version_in(scene.text.said("python"));
  const auto package = seen->value("package");
  std::string summary = "pip finds no wheel of " +
                        std::string(package.empty() ? "the framework" : package) +
                        " for this Python or platform";
  if (python)
    summary = "pip finds no wheel of " + std::string(package.empty() ? "the framework" : package) +
              " for Python " + python->str() + " here";
  const auto& releases = tensorflow_releases();
  const bool plain_python_fits =
      python && !releases.empty() && releases.back().supports_python(*python);
  if (package.starts_with("tensorflow-gpu") && plain_python_fits && !scene.windows) {
    out.push_back({"F09",
                   Weight::probable,
                   "tensorflow-gpu has no release for this Python: the package was given up, it is "
                   "tensorflow now",
                   {seen},
                   {},
                   {}});
    return;
  }
  out.push_back({"F08", Weight::settled, std::move(summary), {seen}, {}, seen->message->ask});
}

std::optional<int> sm_number(std::string_view text) {
  const auto number = to_number(text);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Lowest of "sm_50 sm_60 sm_90 compute_90", as 50.
std::optional<int> lowest_sm(std::string_view list) {
  std::optional<int> lowest;
  for (const auto word : split(list, ' ')) {
    const auto at = word.find('_');
    const auto number =
        at == std::string_view::npos ? std::nullopt : sm_number(word.substr(at + 1));
    if (number && (!lowest || *number < *lowest)) lowest = number;
  }
  return lowest;
}

/// No release that is known has PTX of the GPU's generation: the CUDA libraries of the build do not
/// know the GPU either, whatever the driver makes of the PTX.
bool beyond_all_ptx(const Scene& scene) {
  if (!scene.capability) return false;
  std::optional<ComputeCapability> newest;
  for (const auto& release : tensorflow_releases()) {
    if (release.newest_ptx && (!newest || *newest < *release.newest_ptx))
      newest = release.newest_ptx;
  }
  return newest && scene.capability->major > newest->major;
}

/// No code for this GPU: too new for the build, or too old?
void architecture(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("sm-unsupported");
  if (seen == nullptr) seen = scene.text.find("no-kernel");
  if (seen == nullptr) seen = scene.text.find("no-sass");
  if (seen == nullptr) return;
  auto lowest = lowest_sm(scene.text.said("sm_list"));
  if (!lowest && scene.release != nullptr && scene.release->min_capability) {
    lowest = scene.release->min_capability->major * 10 + scene.release->min_capability->minor;
  }
  constexpr int kUnknown = -1;
  constexpr int kKepler = 35; // where the build's list is not known, what no build of today has
  const int has =
      scene.capability ? scene.capability->major * 10 + scene.capability->minor : kUnknown;
  const std::string gpu = scene.gpu.empty() ? "this GPU" : std::string(scene.gpu);
  const std::string capability =
      scene.capability ? " (compute capability " + scene.capability->str() + ")" : "";
  std::vector<const Sighting*> evidence = {seen};
  for (const std::string_view more : {"no-kernel", "sm-list"}) {
    if (const auto* other = scene.text.find(more); other != nullptr && other != seen)
      evidence.push_back(other);
  }
  if (has != kUnknown && has < lowest.value_or(kKepler)) {
    out.push_back({"H11",
                   Weight::settled,
                   gpu + capability + " is older than what this build has code for",
                   std::move(evidence),
                   {},
                   {}});
    return;
  }
  const bool failed = scene.text.has("no-kernel") || scene.text.has("midrun");
  const bool waits =
      (scene.text.has("ptx-jit") || contains(seen->text, "jit-compiled from PTX")) && !failed;
  if (waits && seen->message->signal == "no-sass" && !beyond_all_ptx(scene)) {
    out.push_back({"R11",
                   Weight::probable,
                   gpu + capability +
                       " has no ready code in this build: the first start compiles it from PTX, "
                       "later ones find it in CUDA's cache",
                   std::move(evidence),
                   {},
                   seen->message->ask});
    return;
  }
  out.push_back({"H12",
                 failed || seen->message->signal != "no-sass" ? Weight::settled : Weight::probable,
                 gpu + capability + " is newer than what this build has code for",
                 std::move(evidence),
                 {},
                 seen->message->ask});
}

/// The limit is the smaller of 8 and what the strongest visible GPU has, unless the variable sets
/// another (or the release is from before 1.0, with a fixed 8): where every GPU is left out, or the
/// limit is higher, the variable decides.
void ignored(const Scene& scene, Suspects& out) {
  const auto seen = scene.text.all("too-few-cores");
  if (seen.empty() || scene.in_use != nullptr) return;
  const std::string cores(seen.front()->value("cores"));
  std::uint64_t ignored_gpus = 0;
  for (const auto* each : seen) ignored_gpus += each->count;
  std::uint64_t found_gpus = 0;
  for (const auto* each : scene.text.all("gpu-found"))
    found_gpus += each->message->name == "gpu-found/tf" ? each->count : 0;
  const auto limit = to_number(seen.front()->value("minimum"));
  const bool none_left = (found_gpus > 0 && ignored_gpus >= found_gpus) ||
                         no_gpu_line(scene) != nullptr || (limit && *limit > 8);
  if (!none_left) {
    out.push_back(
        {"H16",
         Weight::settled,
         "TensorFlow leaves out a GPU with " + cores + " multiprocessors; a stronger one is there",
         seen,
         {},
         {}});
    return;
  }
  const std::string summary = "TensorFlow leaves the GPU out: it has " + cores +
                              " multiprocessors, fewer than " +
                              std::string(seen.front()->value("minimum"));
  out.push_back({"E06",
                 Weight::settled,
                 summary + ", the limit of TF_MIN_GPU_MULTIPROCESSOR_COUNT",
                 seen,
                 "set TF_MIN_GPU_MULTIPROCESSOR_COUNT=" + cores,
                 {}});
}

void broken(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("dll-load");
  if (seen == nullptr) return;
  if (scene.text.has("library-missing") || scene.text.has("libcuda-missing") ||
      scene.text.has("broken"))
    return;
  out.push_back(
      {"F10", Weight::probable, std::string(seen->message->says), {seen}, {}, seen->message->ask});
}

/// Before 1.15, and in 2.0, the plain package was the one without CUDA.
bool plain_package_without_cuda(const Version& version) {
  return (version.major() == 1 && version.minor() < 15) ||
         (version.major() == 2 && version.minor() == 0);
}

/// What is installed, against what the tables know of the release; no message names a cause.
void by_tables(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto* line = no_gpu_line(scene);
  if (scene.in_use != nullptr) return;
  const bool needs_cuda = text.has("library-missing") || text.has("dll-load") ||
                          text.has("native-runtime") || text.has("dlopen-some") ||
                          text.has("cudart-stub");
  if (scene.other_gpu_only && needs_cuda) {
    out.push_back({"H02",
                   Weight::probable,
                   "the GPU is not NVIDIA's (" + scene.gpu + "), and this build wants CUDA",
                   versions(scene),
                   {},
                   {}});
  }
  if (scene.other_gpu_only && !text.says("rocm_package") && !text.says("directml") &&
      !scene.macos && (line != nullptr || scene.tensorflow)) {
    out.push_back({"H02",
                   Weight::hint,
                   "the GPU is not NVIDIA's (" + scene.gpu + "), and this build wants CUDA",
                   versions(scene),
                   {},
                   {}});
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
                   versions(scene),
                   {},
                   {}});
  }
  if (scene.windows || scene.wsl) return;
  if (plain_package_without_cuda(*scene.tensorflow) && text.has("version-of") && line != nullptr &&
      !text.says("tensorflow_gpu") &&
      text.find("version-of")->message->name == "version-of/pip-tensorflow") {
    out.push_back(
        {"F02",
         Weight::hint,
         name + ": before 1.15, and in 2.0, the package tensorflow is the one without CUDA",
         versions(scene),
         "python -m pip install tensorflow-gpu==" + scene.tensorflow->str(),
         {}});
  }
  if (scene.aarch64 && line != nullptr)
    out.push_back({"F02",
                   Weight::hint,
                   name + " has no CUDA in its wheels for ARM servers",
                   versions(scene),
                   {},
                   {}});
  if (scene.tensorflow->major() == 2 && scene.tensorflow->minor() == kShortRunpathMinor &&
      line != nullptr && scene.wheels) {
    out.push_back({"L05",
                   Weight::hint,
                   name + " does not look into NVIDIA's wheels, which the extra and-cuda installs",
                   versions(scene),
                   "take another release of TensorFlow, or add the nvidia/*/lib folders of "
                   "site-packages to LD_LIBRARY_PATH",
                   {}});
  }
  if (scene.tensorflow->major() == 2 && scene.tensorflow->minor() >= 12 && line != nullptr &&
      text.has("version-of") && !scene.wheels && !scene.cuda && scene.smi_works) {
    out.push_back({"F05",
                   Weight::hint,
                   name + " is installed without NVIDIA's wheels, and no CUDA is shown",
                   versions(scene),
                   {},
                   {}});
  }
}

/// Two packages write into one folder.
void doubled(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  const auto gpu = text.said("tensorflow_gpu");
  const auto cpu = text.said("cpu_package");
  const auto plain = text.all_said("tensorflow");
  const auto packages = text.all("version-of");
  if (scene.in_use != nullptr) return;
  const auto plain_version = plain.empty() ? std::nullopt : Version::parse(plain.back());
  if (!gpu.empty() && plain_version && plain_package_without_cuda(*plain_version)) {
    out.push_back({"F06",
                   Weight::hint,
                   "tensorflow " + plain_version->str() +
                       " (without CUDA in that release) and tensorflow-gpu " + std::string(gpu) +
                       " overwrite each other",
                   packages,
                   {},
                   {}});
  }
  if (!text.has("no-gpu-listed") && !text.has("keras-mismatch") && !text.has("broken")) return;
  const bool cpu_and_gpu = !gpu.empty() && cpu == "tensorflow-cpu";
  const bool two_releases =
      !gpu.empty() &&
      std::none_of(plain.begin(), plain.end(),
                   [&](std::string_view version) { return version == gpu; }) &&
      std::any_of(packages.begin(), packages.end(), [](const Sighting* seen) {
        return seen->message->name == "version-of/pip-tensorflow";
      });
  if (cpu_and_gpu || two_releases) {
    out.push_back({"F06",
                   Weight::probable,
                   "packages of TensorFlow overwrite each other: tensorflow-gpu " +
                       std::string(gpu) + " and " + (cpu_and_gpu ? std::string(cpu) : "tensorflow"),
                   text.all("version-of"),
                   {},
                   {}});
  }
}

/// A GPU that is newer than all that the release has code for, and a failure that this explains.
void newer_gpu(const Scene& scene, Suspects& out) {
  if (scene.release == nullptr || !scene.capability || scene.in_use != nullptr) return;
  if (scene.text.has("no-kernel") || scene.text.has("sm-unsupported") || scene.text.has("no-sass"))
    return;
  const auto& release = *scene.release;
  const auto newest = release.newest_ptx;
  if (newest && scene.capability->major > newest->major) {
    out.push_back({"H12",
                   Weight::hint,
                   scene.gpu + " (compute capability " + scene.capability->str() +
                       ") is newer than TensorFlow " + scene.tensorflow->str() + " has code for",
                   versions(scene),
                   {},
                   {}});
  }
  if (release.min_capability && *scene.capability < *release.min_capability) {
    out.push_back({"H11",
                   Weight::hint,
                   scene.gpu + " (compute capability " + scene.capability->str() +
                       ") is older than TensorFlow " + scene.tensorflow->str() + " has code for",
                   versions(scene),
                   {},
                   {}});
  }
}

void jax(const Scene& scene, Suspects& out) {
  const auto& text = scene.text;
  if (scene.in_use != nullptr || text.has("jax-no-cuda")) return;
  const auto* fell = text.find("jax-no-gpu");
  const bool driver_failed = text.has("no-device") || text.has("cuinit-303") ||
                             text.has("cuinit-unknown") || text.has("smi-failed") ||
                             text.has("driver-mismatch");
  if (fell != nullptr && !driver_failed && !scene.other_gpu_only && scene.has_gpu != false) {
    out.push_back({"F12",
                   Weight::probable,
                   "JAX came up with its processor backend only: jaxlib is the build without CUDA, "
                   "unless the driver is missing",
                   {fell},
                   {},
                   fell->message->ask});
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

void build_suspects(const Scene& scene, Suspects& out) {
  windows(scene, out);
  mac(scene, out);
  packages(scene, out);
  no_wheel(scene, out);
  architecture(scene, out);
  ignored(scene, out);
  broken(scene, out);
  by_tables(scene, out);
  doubled(scene, out);
  newer_gpu(scene, out);
  jax(scene, out);
}

} // namespace gpuwhy::explain
