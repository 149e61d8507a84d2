// The packages that pip and conda list, take or refuse: a build without CUDA, two of one name, none
// for this Python.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace gpuwhy::explain {
namespace {

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
      const bool changed = seen->message->name == "version-of/conda-update";
      if (!changed && lists_what_is_on_offer(text)) continue;
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
    if (contains(seen->value("torch"), "+cpu")) {
      out.push_back(
          {"F13",
           Weight::hint,
           "this PyTorch is the build without CUDA (" + std::string(seen->value("torch")) + ")",
           {seen},
           {},
           {}});
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

std::string_view without_cuda_id(std::string_view framework) {
  return framework == "torch" ? "F13" : framework == "jax" ? "F12" : "F02";
}

/// A distribution, a cluster or another language's package index has the build without CUDA under
/// the plain name.
void plain_builds(const Scene& scene, Suspects& out) {
  for (const auto* seen : scene.text.all("cpu-build")) {
    const auto framework = seen->message->framework;
    const auto* used = scene.in_use;
    const bool other = used != nullptr && !used->message->framework.empty() &&
                       used->message->framework != framework;
    if (used != nullptr && !other) continue;
    if (scene.text.has("nix-with-cuda") || scene.macos) continue;
    out.push_back({std::string(without_cuda_id(framework)),
                   Weight::hint,
                   std::string(seen->value("cpu_build")) + " is the build without CUDA",
                   {seen, scene.no_gpu},
                   "install the build with CUDA, which has a name of its own there",
                   {}});
  }
}

/// "nix-shell -p python3Packages.torch" of a command that goes on with what is run there.
std::string_view place_of(std::string_view command) {
  for (const std::string_view maker : {"nix-shell ", "nix shell ", "conda run ", "mamba run "}) {
    const auto at = command.find(maker);
    if (at == std::string_view::npos) continue;
    const auto rest = command.substr(at);
    const auto end = rest.find(" --run");
    return rest.substr(0, end != std::string_view::npos ? end : rest.find(" python "));
  }
  return {};
}

/// One environment has the build without CUDA, and the one beside it works.
void beside_a_better_one(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("torch-cpu");
  if (seen == nullptr) seen = scene.text.find("not-built-with-cuda");
  if (seen == nullptr || scene.succeeded == nullptr) return;
  const auto& starts = scene.text.reading().starts;
  const auto place = [&](int run) {
    const auto at = static_cast<std::size_t>(run);
    return at == 0 || at > starts.size() ? std::string_view() : place_of(starts[at - 1].command);
  };
  const auto ours = place(seen->last_run);
  const auto theirs = place(scene.succeeded->last_run);
  if (ours.empty() || theirs.empty() || ours == theirs) return;
  out.push_back({std::string(without_cuda_id(seen->message->framework)),
                 Weight::probable,
                 "this environment has the build without CUDA, another one works",
                 {seen, scene.succeeded},
                 {},
                 {},
                 {},
                 true});
}

/// pip belongs to another Python than the one that runs.
void pip_of_another_python(const Scene& scene, Suspects& out) {
  const auto* pip = scene.text.find("pip-python");
  if (pip == nullptr || scene.no_gpu == nullptr || !pip->value("pip_python").starts_with("2."))
    return;
  for (const auto* run : scene.text.all("python-run")) {
    if (!contains(run->text, "python3")) continue;
    out.push_back({"F07",
                   Weight::hint,
                   "pip installs for Python " + std::string(pip->value("pip_python")) +
                       ", and the program runs in Python 3",
                   {pip, scene.no_gpu},
                   "install with python3 -m pip",
                   {}});
    return;
  }
}

struct PlainImage {
  std::string_view name;
  std::string_view cause;
  std::string_view with_cuda; // what the tag or name of its twin with CUDA holds
};

/// Images whose plain tag has no CUDA, by their makers' lists of tags.
constexpr std::array kPlainImages = {
    PlainImage{"tensorflow/tensorflow", "F02", "gpu"},
    PlainImage{"tensorflow/serving", "F02", "gpu"},
    PlainImage{"jupyter/tensorflow-notebook", "F02", "cuda"},
    PlainImage{"jupyter/pytorch-notebook", "F13", "cuda"},
    PlainImage{"openai-whisper-asr-webservice", "F13", "gpu"},
    PlainImage{"rhasspy/wyoming-whisper", "F13", "gpu"},
    PlainImage{"open-webui/open-webui", "F13", "cuda"},
    PlainImage{"immich-machine-learning", "F02", "cuda"},
    PlainImage{"/llama.cpp", "F02", "cuda"},
    PlainImage{"localai/localai", "F02", "gpu"}};

/// The word of a command that names an image built for the processor: "torchserve:latest-cpu".
std::string_view image_for_cpu(std::string_view text) {
  for (const auto word : split(text, ' ')) {
    if (word.starts_with('-') || word.find_first_of(":/") == std::string_view::npos) continue;
    for (const std::string_view mark : {"-cpu", ":cpu", "_cpu", ".cpu"}) {
      const auto at = word.find(mark);
      if (at == std::string_view::npos) continue;
      const auto end = at + mark.size();
      if (end == word.size() || std::isalnum(static_cast<unsigned char>(word[end])) == 0)
        return word;
    }
  }
  return {};
}

/// Many images come in two kinds, with CUDA and without.
void image(const Scene& scene, Suspects& out) {
  if (scene.in_use != nullptr) return;
  if (scene.no_gpu == nullptr && !scene.container_gets_gpu) return; // nobody wants one
  for (const auto key : {"image", "container_start"}) {
    const auto text = scene.text.said(key);
    auto name = image_for_cpu(text);
    std::string_view cause = contains(name, "torch") ? "F13" : "F02";
    for (const auto& plain : kPlainImages) {
      const auto at = text.find(plain.name);
      if (!name.empty() || at == std::string_view::npos) continue;
      const auto begin = text.rfind(' ', at);
      const auto word = text.substr(begin == std::string_view::npos ? 0 : begin + 1);
      if (contains(word.substr(0, word.find(' ')), plain.with_cuda)) continue;
      name = word.substr(0, word.find(' '));
      cause = plain.cause;
    }
    if (name.empty()) continue;
    out.push_back({std::string(cause),
                   Weight::hint,
                   "the image " + std::string(name) + " is the one without CUDA: take " +
                       (contains(name, "tensorflow/") ? "the tag that ends in -gpu"
                                                      : "the one for GPUs"),
                   {scene.text.find("image"), scene.no_gpu},
                   {},
                   {}});
    return;
  }
}

/// pip took a PyTorch with CUDA away and installed the one of its own index, which has no CUDA for
/// this system.
void replaced(const Scene& scene, Suspects& out) {
  const auto before = scene.text.said("torch_before");
  const auto now = scene.text.said("torch");
  if (scene.in_use != nullptr || !scene.windows || now.empty() || contains(now, "+")) return;
  const bool asked = scene.text.has("torch-false") || scene.text.has("app-on-cpu");
  if (before.empty() && (!asked || scene.text.says("torch_build"))) return;
  out.push_back({"F13",
                 before.empty() ? Weight::hint : Weight::probable,
                 "PyTorch " + std::string(now) +
                     " comes from PyPI, which has no CUDA for Windows" +
                     (before.empty() ? "" : ": it took the place of " + std::string(before)),
                 {scene.text.find("torch-removed"), scene.text.find("torch-false")},
                 {},
                 {}});
}

/// pip was asked for a build with CUDA ("torch==1.7.1+cu110") and lists the release without it: the
/// Python fits, and the index that it asked does not carry such builds.
bool other_index(const Sighting& seen) {
  const auto plus = seen.text.find("+cu");
  const auto listed = seen.text.find("from versions:");
  if (plus == std::string::npos || listed == std::string::npos || plus > listed) return false;
  const auto start = seen.text.rfind("==", plus);
  if (start == std::string::npos) return false;
  const auto release = seen.text.substr(start + 2, plus - start - 2);
  const auto versions = seen.text.substr(listed);
  return contains(versions, " " + release + ",") || contains(versions, " " + release + ")");
}

/// All that the index lists are builds for ROCm, of other releases.
bool rocm_index(const Sighting& seen) {
  const auto listed = seen.text.find("from versions:");
  return listed != std::string::npos && contains(seen.text.substr(listed), "+rocm");
}

/// A wheel cannot be had: is it the Python, the index, or the package's name?
void no_wheel(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("no-wheel");
  if (seen == nullptr || seen->message->cause != "F08") return;
  const auto python = version_in(scene.text.said("python"));
  const auto package = seen->value("package");
  if (other_index(*seen)) {
    out.push_back({package.starts_with("jax") ? "F12" : "F13",
                   Weight::probable,
                   "the index that pip asks has no " + std::string(package) +
                       " built with CUDA: it was given a page without such wheels",
                   {seen},
                   {},
                   "pip list"});
    return;
  }
  if (rocm_index(*seen)) {
    out.push_back({"F14",
                   Weight::probable,
                   "the index for this ROCm has other releases of " + std::string(package) +
                       " only: the one that is wanted comes without ROCm, from elsewhere",
                   {seen},
                   "take the index of the ROCm release that this version was built for",
                   {}});
    return;
  }
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

bool plainly_listed(const Scene& scene) {
  const auto packages = scene.text.all("version-of");
  return std::any_of(packages.begin(), packages.end(), [](const Sighting* seen) {
    const auto name = seen->message->name;
    return name == "version-of/pip-tensorflow" || name == "version-of/installed" ||
           name == "version-of/pip-old";
  });
}

void plain_package(const Scene& scene, Suspects& out) {
  if (scene.in_use != nullptr || scene.release == nullptr || scene.macos || scene.windows ||
      scene.wsl)
    return;
  const std::string name = "TensorFlow " + scene.tensorflow->str();
  if (plain_package_without_cuda(*scene.tensorflow) && scene.text.has("version-of") &&
      scene.no_gpu != nullptr && !scene.text.says("tensorflow_gpu") && plainly_listed(scene)) {
    out.push_back(
        {"F02",
         Weight::hint,
         name + ": before 1.15, and in 2.0, the package tensorflow is the one without CUDA",
         version_lines(scene),
         "python -m pip install tensorflow-gpu==" + scene.tensorflow->str(),
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
    const bool wreck = text.has("broken"); // what is left when one of the two is taken away
    out.push_back({"F06",
                   wreck ? Weight::probable : Weight::hint,
                   "tensorflow " + plain_version->str() +
                       " (without CUDA in that release) and tensorflow-gpu " + std::string(gpu) +
                       " overwrite each other",
                   packages,
                   {},
                   {}});
  }
  if (!text.has("no-gpu-listed") && !text.has("keras-mismatch") && !text.has("broken") &&
      !text.has("not-built-with-cuda"))
    return;
  const bool cpu_and_gpu = !gpu.empty() && cpu == "tensorflow-cpu";
  const bool cpu_and_plain =
      cpu == "tensorflow-cpu" && !plain.empty() && !scene.windows &&
      std::count_if(packages.begin(), packages.end(), [](const Sighting* seen) {
        return seen->message->name == "version-of/pip-tensorflow";
      }) > 0;
  const bool two_releases =
      !gpu.empty() &&
      std::none_of(plain.begin(), plain.end(),
                   [&](std::string_view version) { return version == gpu; }) &&
      std::any_of(packages.begin(), packages.end(), [](const Sighting* seen) {
        return seen->message->name == "version-of/pip-tensorflow";
      });
  if (cpu_and_gpu || two_releases || cpu_and_plain) {
    out.push_back({"F06",
                   Weight::probable,
                   "packages of TensorFlow overwrite each other: " +
                       (cpu_and_plain ? std::string("tensorflow and tensorflow-cpu")
                                      : "tensorflow-gpu " + std::string(gpu) + " and " +
                                            (cpu_and_gpu ? std::string(cpu) : "tensorflow")),
                   text.all("version-of"),
                   {},
                   {}});
  }
}

} // namespace

void package_suspects(const Scene& scene, Suspects& out) {
  packages(scene, out);
  plain_builds(scene, out);
  beside_a_better_one(scene, out);
  pip_of_another_python(scene, out);
  image(scene, out);
  replaced(scene, out);
  no_wheel(scene, out);
  broken(scene, out);
  plain_package(scene, out);
  doubled(scene, out);
}

} // namespace gpuwhy::explain
