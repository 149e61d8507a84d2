// Where the build comes from: a distribution, an image or an index that has it without CUDA under a
// plain name, or a pip of another Python.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace gpuwhy::explain {
namespace {

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
    if (scene.text.has("cuda-build") || scene.macos) continue;
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
constexpr std::array kPlainImages = {PlainImage{"tensorflow/tensorflow", "F02", "gpu"},
                                     PlainImage{"tensorflow/serving", "F02", "gpu"},
                                     PlainImage{"jupyter/tensorflow-notebook", "F02", "cuda"},
                                     PlainImage{"jupyter/pytorch-notebook", "F13", "cuda"},
                                     PlainImage{"openai-whisper-asr-webservice", "F13", "gpu"},
                                     PlainImage{"rhasspy/wyoming-whisper", "F13", "gpu"},
                                     PlainImage{"open-webui/open-webui", "F13", "cuda"},
                                     PlainImage{"immich-machine-learning", "F02", "cuda"},
                                     PlainImage{"/llama.cpp", "F02", "cuda"},
                                     PlainImage{"intel-optimized-tensorflow", "F02", "gpu"},
                                     PlainImage{"localai/localai", "F02", "gpu"}};

/// The word of a command that names an image built for the processor: "torchserve:latest-cpu".
std::string_view image_for_cpu(std::string_view text) {
  for (const auto word : split(text, ' ')) {
    if (word.find_first_of(":/") == std::string_view::npos || contains(word, ":/")) continue;
    if (std::string_view("-/.~$").find(word.front()) != std::string_view::npos) continue;
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
    out.push_back(
        {std::string(cause),
         Weight::hint,
         "the image " + std::string(name) + " is the one without CUDA: take " +
             (contains(name, "tensorflow/") ? "the tag that ends in -gpu" : "the one for GPUs"),
         {scene.text.find("image"), scene.no_gpu},
         {},
         {}});
    return;
  }
}

/// The PyTorch that pip lists, took or installed, last; what conda or a person says is left out.
const Sighting* torch_of_pip(const Scene& scene) {
  const Sighting* found = nullptr;
  for (const auto* seen : scene.text.all("version-of")) {
    const auto name = seen->message->name;
    const bool pip = name == "version-of/torch" || name == "version-of/installed-torch" ||
                     name == "version-of/torch-wheel" || name == "version-of/uv-torch";
    if (pip && (found == nullptr || found->last < seen->last)) found = seen;
  }
  return found;
}

/// PyPI's PyTorch has no CUDA for Windows; an update often puts it in the place of one with CUDA.
void of_pypi(const Scene& scene, Suspects& out) {
  const auto before = scene.text.said("torch_before");
  const auto* now = torch_of_pip(scene);
  if (scene.in_use != nullptr || !scene.windows || now == nullptr) return;
  if (now->value("torch").find_first_of("+%") != std::string_view::npos) return;
  const bool asked = scene.text.has("torch-false") || scene.text.has("app-on-cpu");
  const bool conda = scene.text.says("torch_build") || scene.text.says("torch_cuda");
  if (before.empty() && (!asked || conda)) return;
  out.push_back({"F13",
                 before.empty() ? Weight::hint : Weight::probable,
                 "PyTorch " + std::string(now->value("torch")) +
                     " comes from PyPI, which has no CUDA for Windows" +
                     (before.empty() ? "" : ": it took the place of " + std::string(before)),
                 {now, scene.text.find("torch-removed"), scene.text.find("torch-false")},
                 {},
                 {}});
}

/// PyPI's PyTorch for ARM has no CUDA; NVIDIA's own wheels carry its mark.
void wheel_for_arm(const Scene& scene, Suspects& out) {
  const auto torch = scene.text.said("torch");
  if (scene.in_use != nullptr || !(scene.jetson || scene.aarch64) || torch.empty()) return;
  if (!scene.text.has("torch-false") || contains(torch, "+") || contains(torch, "nv")) return;
  if (scene.text.says("torch_build")) return;
  out.push_back({"F13",
                 Weight::hint,
                 "PyTorch " + std::string(torch) + " of PyPI has no CUDA for this ARM machine",
                 {scene.text.find("torch-false")},
                 scene.jetson ? "install NVIDIA's wheel for this JetPack" : "",
                 "python -c \"import torch; print(torch.version.cuda)\""});
}

} // namespace

void origin_suspects(const Scene& scene, Suspects& out) {
  plain_builds(scene, out);
  beside_a_better_one(scene, out);
  pip_of_another_python(scene, out);
  image(scene, out);
  of_pypi(scene, out);
  wheel_for_arm(scene, out);
}

} // namespace gpuwhy::explain
