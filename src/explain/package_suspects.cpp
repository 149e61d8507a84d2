// The packages that pip and conda list, take or refuse: a build without CUDA, two of one name, none
// for this Python.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>

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
  if (scene.other_gpu_only && scene.text.says("tensorflow_gpu")) {
    out.push_back({"H02",
                   Weight::probable,
                   "the GPU is not NVIDIA's, and this TensorFlow is the build for NVIDIA's, which "
                   "does not start without CUDA's DLLs",
                   {seen, scene.text.find("pci-gpu")},
                   "install the package without CUDA (pip install tensorflow)",
                   {}});
    return;
  }
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
  if (scene.in_use != nullptr || scene.release == nullptr || scene.macos || scene.wsl) return;
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

/// One list shows TensorFlow twice, in two releases: conda's and pip's lie in one folder.
void listed_twice(const Scene& scene, Suspects& out) {
  const Sighting* last = nullptr;
  for (const auto* seen : scene.text.all("version-of")) {
    if (seen->message->name != "version-of/pip-tensorflow") continue;
    const bool one_list = last != nullptr && seen->first == last->first + 1;
    if (one_list && last->value("tensorflow") != seen->value("tensorflow") &&
        (scene.no_gpu != nullptr || scene.text.has("broken") || scene.text.has("keras-mismatch"))) {
      out.push_back({"F06",
                     Weight::probable,
                     "TensorFlow is installed twice: " + std::string(last->value("tensorflow")) +
                         " and " + std::string(seen->value("tensorflow")),
                     {last, seen},
                     {},
                     {}});
      return;
    }
    last = seen;
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
  no_wheel(scene, out);
  broken(scene, out);
  plain_package(scene, out);
  doubled(scene, out);
  listed_twice(scene, out);
}

} // namespace gpuwhy::explain
