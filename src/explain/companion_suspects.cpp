// What stands beside CUDA's own libraries: a cuDNN that is another than the one wanted or lacks a
// part, the wheels that JAX loads, the parts that XLA compiles with, the profiler's.
#include "base/text.h"
#include "explain/missing.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

/// Two copies, of which the wrong one comes first.
void older_cudnn(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cudnn-older");
  if (seen == nullptr) return;
  if (seen->message->name == "cudnn-older/torch") {
    out.push_back({"L06",
                   Weight::settled,
                   "PyTorch meets another cuDNN than its wheel's: " + std::string(trim(seen->text)),
                   {seen},
                   {},
                   {}});
    return;
  }
  const std::string have(seen->value("have"));
  const std::string want(seen->value("want"));
  const auto loaded = Version::parse(have);
  const auto needed = Version::parse(want);
  const bool newer_there = loaded && needed && scene.cudnn &&
                           scene.cudnn->major() == needed->major() && *scene.cudnn >= *needed &&
                           *loaded < *needed;
  if (newer_there) {
    out.push_back({"L06",
                   Weight::settled,
                   "cuDNN " + have + " is loaded although " + scene.cudnn->str() +
                       " is installed: an older copy is found first",
                   {seen},
                   "find the older copy (ldconfig -p | grep cudnn; echo $LD_LIBRARY_PATH) and take "
                   "it off the loader's path",
                   {}});
    return;
  }
  // JAX brings its libraries in wheels: what is older comes from elsewhere.
  const auto path = scene.text.said("ld_library_path");
  if (seen->message->framework == "jax" && contains(path, "cuda")) {
    out.push_back({"L06",
                   Weight::settled,
                   "JAX meets an older library than its wheels': LD_LIBRARY_PATH puts another CUDA "
                   "before them (" +
                       std::string(path) + ")",
                   {seen, scene.text.find("library-path")},
                   "unset LD_LIBRARY_PATH",
                   {}});
    return;
  }
  const std::string product =
      seen->value("product").empty() ? "cuDNN" : std::string(seen->value("product"));
  std::string summary =
      have.empty() ? product + " is older than the framework was built with"
                   : product + " " + have + " is loaded, the framework was built with " + want;
  std::string fix;
  if (product == "cuDNN" && needed && needed->parts.size() >= 2) {
    fix = "install cuDNN " + std::to_string(needed->major()) + "." +
          std::to_string(needed->minor()) + " or a newer one of the same major version";
  }
  const std::string_view id = product == "cuDNN" ? "L04" : "L02"; // a part of the toolkit
  out.push_back({std::string(id), Weight::settled, std::move(summary), {seen}, std::move(fix), {}});
}

void cudnn_part(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cudnn-part");
  if (seen == nullptr) return;
  Suspect suspect{"L05", Weight::probable,  std::string(seen->message->says), {seen},
                  {},    seen->message->ask};
  if (contains(seen->text, "undefined symbol") || contains(seen->text, "version `")) {
    suspect.id = "L06";
    suspect.summary = "parts of two cuDNN releases are mixed";
  } else if (other_cudnn(scene, seen->value("lib"))) {
    suspect.id = "L03";
    suspect.summary = "cuDNN of another major version is installed, whose files have other names";
  } else if (contains(seen->text, "libnvrtc")) {
    suspect.id = "L09";
    suspect.summary = "cuDNN does not find libnvrtc";
  } else if (contains(seen->text, "libcuda.so") && scene.wsl) {
    suspect.id = "C03";
    suspect.summary =
        "cuDNN does not find libcuda.so: /usr/lib/wsl/lib is not on the loader's path";
  } else if (scene.text.has("library-broken")) {
    return; // the damaged file says why
  }
  out.push_back(std::move(suspect));
}

void jax_library(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("jax-library");
  if (seen == nullptr) return;
  const auto product = seen->value("product");
  const auto tried = scene.text.all_said("tried_file");
  const auto foreign = std::find_if(tried.begin(), tried.end(), [](std::string_view file) {
    return contains(file, "/cuda") && !contains(file, "/nvidia/") ? true
                                                                  : contains(file, "hpc_sdk");
  });
  const auto path = scene.text.said("ld_library_path");
  if (foreign != tried.end() || contains(path, "cuda")) {
    out.push_back({"L06",
                   Weight::probable,
                   "JAX does not get its own " + std::string(product) +
                       " to load: LD_LIBRARY_PATH puts another CUDA before JAX's wheels (" +
                       std::string(foreign != tried.end() ? *foreign : path) + ")",
                   {seen, scene.text.find("loader-trace")},
                   "unset LD_LIBRARY_PATH",
                   "env -u LD_LIBRARY_PATH python -c \"import jax; print(jax.devices())\""});
    return;
  }
  const auto stem = "lib" + (product == "CUDA" ? "cudart" : lower(product)) + ".so";
  const auto files = scene.text.all_said("library_file");
  const bool there = std::any_of(files.begin(), files.end(),
                                 [&](std::string_view file) { return file.starts_with(stem); });
  const std::string_view id = there                ? "L05"
                              : product == "cuDNN" ? "L03"
                              : product == "CUDA"  ? "L01"
                                                   : "L09";
  out.push_back({std::string(id),
                 Weight::probable,
                 "JAX does not find " + std::string(product),
                 {seen},
                 {},
                 seen->message->ask});
}

/// "libdevice not found", "ptxas not found": a consequence where the CUDA that is installed is not
/// the release's.
void compiler_parts(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("ptxas-missing");
  if (seen == nullptr) seen = scene.text.find("libdevice");
  if (const auto* old = scene.text.find("ptxas-older"); seen == nullptr && old != nullptr) {
    out.push_back({"L10",
                   Weight::hint,
                   "ptxas " + std::string(old->value("ptxas")) + " is found, and XLA wants " +
                       std::string(old->value("ptxas_needed")) + " or newer",
                   {old},
                   {},
                   "which -a ptxas"});
  }
  if (seen == nullptr) return;
  out.push_back({"L10", Weight::settled, std::string(seen->message->says), {seen}, {}, {}});
}

void xla_only(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("xla-gpu-only");
  if (seen == nullptr || scene.text.has("library-missing")) return;
  out.push_back(
      {"L09", Weight::probable, std::string(seen->message->says), {seen}, {}, seen->message->ask});
}

void unfound_cudnn(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cudnn-dso-missing");
  if (seen == nullptr || scene.text.has("library-missing")) return;
  out.push_back({"L03", Weight::settled, std::string(seen->message->says), {seen}, {}, {}});
}

/// Only the profiler opens CUPTI: a cause for who profiles.
void profiler(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("cupti-failed");
  const auto* missing = scene.text.find("cupti-missing");
  if (seen == nullptr) seen = scene.text.find("profiler-session");
  if (seen == nullptr || missing == nullptr) return;
  const auto files = scene.text.all_said("library_file");
  const bool there = std::any_of(files.begin(), files.end(), [](std::string_view file) {
    return file.starts_with("libcupti");
  });
  out.push_back(
      {there ? "L05" : "L09",
       Weight::hint,
       there ? "CUPTI is on the disk and the profiler does not find it (training does not need it)"
             : "the profiler does not find CUPTI (training does not need it)",
       {missing, seen},
       "add extras/CUPTI/lib64 of the toolkit to LD_LIBRARY_PATH",
       "find / -name 'libcupti.so*' 2>/dev/null"});
}

/// ONNX Runtime names the releases that it wants, and not the library that is missing.
void onnx_runtime(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("ort-requires");
  if (seen == nullptr || scene.text.has("library-missing")) return;
  const auto cuda = scene.cuda ? scene.cuda : cuda_of_torch(scene.text);
  const auto wants_cuda = to_number(seen->value("ort_cuda"));
  const auto wants_cudnn = to_number(seen->value("ort_cudnn"));
  const std::string wants = "ONNX Runtime wants CUDA " + std::string(seen->value("ort_cuda")) +
                            " and cuDNN " + std::string(seen->value("ort_cudnn"));
  if (cuda && wants_cuda && cuda->major() != *wants_cuda) {
    out.push_back({"L02",
                   Weight::probable,
                   wants + ", and CUDA " + cuda->str() + " is there",
                   {seen},
                   "install the onnxruntime-gpu of this CUDA, or the CUDA that it wants",
                   seen->message->ask});
    return;
  }
  const bool other = scene.cudnn && wants_cudnn && scene.cudnn->major() != *wants_cudnn;
  out.push_back({"L03",
                 other ? Weight::probable : Weight::hint,
                 wants + (other ? ", and cuDNN " + scene.cudnn->str() + " is there"
                                : std::string(", and one of their libraries does not load")),
                 {seen},
                 {},
                 seen->message->ask,
                 {{"L05", "they are installed where the loader does not look"},
                  {"L02", "another CUDA is installed"}}});
}

/// A file that is shorter than its own header says is mapped, and read beyond its end.
void cut_off(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("bus-error");
  if (seen == nullptr) return;
  const auto* opened = scene.text.find("library-opened");
  out.push_back({"L07",
                 Weight::hint,
                 "the program dies of a bus error while it loads: a library's file is cut off",
                 {seen, opened},
                 "copy or install the library anew, and compare its size with the original's",
                 "ls -lL /usr/local/cuda/lib64",
                 {{"F10", "the damaged file is one of the framework's own"}}});
}

} // namespace

void companion_suspects(const Scene& scene, Suspects& out) {
  older_cudnn(scene, out);
  cudnn_part(scene, out);
  jax_library(scene, out);
  compiler_parts(scene, out);
  xla_only(scene, out);
  unfound_cudnn(scene, out);
  profiler(scene, out);
  cut_off(scene, out);
  onnx_runtime(scene, out);
}

} // namespace gpuwhy::explain
