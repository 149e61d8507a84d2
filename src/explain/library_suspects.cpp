// CUDA libraries that do not load, in TensorFlow's words and the loader's: which are missing, which
// CUDA stands there instead, and what finds the wrong copy. Truth for names:
// knowledge/soname_sets.tsv.
#include "base/text.h"
#include "explain/missing.h"
#include "explain/suspect.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::explain {
namespace {

/// It is PyTorch that does not load, and not what is built on it.
const Sighting* torch_itself(const Scene& scene, const Sighting& failing) {
  const auto* own = scene.text.find("torch-import");
  if (scene.jetson || scene.aarch64) return nullptr; // NVIDIA's builds take the system's CUDA
  return own != nullptr && own->first < failing.last && failing.last - own->first < 12 ? own
                                                                                       : nullptr;
}

/// LD_LIBRARY_PATH is shown twice, with two values, and what is missing in one place works in the
/// other.
bool two_paths(const Scene& scene) {
  std::set<std::string_view> values;
  for (const auto* seen : scene.text.all("library-path")) {
    if (!contains(seen->text, "export ")) values.insert(seen->value("ld_library_path"));
  }
  return scene.succeeded != nullptr && values.size() > 1;
}

/// A heading names another place between what fails and what works.
bool under_headings(const Scene& scene, const Sighting& failing) {
  if (scene.succeeded == nullptr) return false;
  const auto from = std::min(failing.first, scene.succeeded->first);
  const auto to = std::max(failing.first, scene.succeeded->first);
  const auto all = scene.text.all("place-heading");
  return std::any_of(all.begin(), all.end(), [&](const Sighting* heading) {
    return from < heading->first && heading->first < to;
  });
}

/// A unit of systemd starts it, and by hand the GPU is listed.
bool only_as_service(const Scene& scene) {
  return scene.succeeded != nullptr && scene.text.has("service-unit");
}

/// The writer says that this very major version of cuDNN is installed.
bool stated_cudnn(const Scene& scene, const Missing& missing) {
  return missing.only("cudnn") && scene.cudnn &&
         soname("cudnn", *scene.cudnn) == missing.names.front();
}

/// "It works in the terminal and not in the notebook", in whatever words.
bool told_apart(const Scene& scene) {
  const auto& text = scene.text;
  if (text.has("told-apart")) return true;
  if (text.mentions("both in") || text.mentions("neither") || text.mentions("same result"))
    return false;
  const bool shell = text.mentions("terminal") || text.mentions("prompt") ||
                     text.mentions("shell") || text.mentions("command line") ||
                     text.mentions("console") || text.mentions("by hand") ||
                     text.mentions("manually") || text.mentions("interactive");
  const bool other = text.mentions("jupyter") || text.mentions("notebook") ||
                     text.mentions("pycharm") || text.mentions("spyder") ||
                     text.mentions("vscode") || text.mentions("vs code") ||
                     text.mentions("service") || text.mentions("systemd") ||
                     text.mentions("cron") || text.mentions("sudo") || text.mentions("rstudio");
  return shell && other;
}

/// Of a library that is missing a log tells only its name.
constexpr std::string_view kFindLibraries = "find / -name 'lib*cu*.so.*' 2>/dev/null";

std::vector<Instead> ways_of_missing(std::string_view product) {
  std::vector<Instead> ways = {{"L05", "it is installed where the loader does not look"}};
  if (product == "cudart") ways.push_back({"L02", "CUDA of another version is installed"});
  return ways;
}

/// None of the toolkit's own libraries, whose number tells which CUDA is wanted.
bool besides_toolkit(const Missing& missing) {
  constexpr std::array<std::string_view, 8> kToolkit = {"cudart", "cublas",   "cublasLt", "cufft",
                                                        "curand", "cusolver", "cusparse", "cudnn"};
  return std::none_of(
      missing.products.begin(), missing.products.end(), [&](const std::string& product) {
        return std::find(kToolkit.begin(), kToolkit.end(), product) != kToolkit.end();
      });
}

std::string what_is_missing(const Missing& missing) {
  auto names = missing.names;
  if (names.size() > 3) {
    const auto more = names.size() - 2;
    names.resize(2);
    return join(names, ", ") + " and " + std::to_string(more) + " more are not found";
  }
  return join(names, ", ") + (names.size() == 1 ? " is not found" : " are not found");
}

void by_name(const Scene& scene, Suspects& out) {
  const auto missing = missing_libraries(scene);
  if (missing.seen.empty()) return;
  Suspect suspect{"L09",
                  Weight::probable,
                  what_is_missing(missing),
                  missing.seen,
                  {},
                  missing.seen.front()->message->ask};
  const bool import_error = missing.seen.front()->message->name == "library-missing/import";
  const bool elsewhere = scene.worked_in_another_run(*missing.seen.front()) || told_apart(scene) ||
                         scene.works_for_another(*missing.seen.front()) || two_paths(scene) ||
                         under_headings(scene, *missing.seen.front()) || only_as_service(scene);
  const auto cuda = cuda_there(scene, missing);
  const auto* torch = import_error ? torch_itself(scene, *missing.seen.front()) : nullptr;
  if (scene.text.has("foreign-file") && !scene.aarch64 && !scene.jetson) {
    suspect.id = "L07";
    suspect.summary = std::string(scene.text.said("foreign")) + " is a library for ARM";
    suspect.evidence.push_back(scene.text.find("foreign-file"));
  } else if (elsewhere) {
    suspect.id = "E08";
    suspect.summary += " here, while the GPU is listed elsewhere on the machine: the two have "
                       "different variables (LD_LIBRARY_PATH)";
  } else if (torch != nullptr && !on_disk(scene, missing.names.front())) {
    suspect.id = missing.products.contains("cudart") ? "L01"
                 : missing.only("cudnn")             ? "L03"
                                                     : "L09";
    suspect.summary += ": PyTorch itself asks for it, whose own wheels are to bring it";
    suspect.evidence.push_back(torch);
    suspect.fix = "reinstall PyTorch with all its nvidia-* wheels, in a fresh environment";
    suspect.instead = {{"F10", "its installation is not whole"},
                       {"L05", "the wheel is there and its folder is not searched"},
                       {"L02", "this PyTorch is built to take the CUDA of the system"},
                       {"L11", "one of the nvidia-* wheels is missing or of another version"}};
  } else if (other_cuda(missing, cuda)) {
    suspect.id = "L02";
    suspect.summary += ": it belongs to another CUDA than the " + cuda->str() + " that is there";
    suspect.weight = Weight::settled;
  } else if (on_disk(scene, missing.names.front()) || said_to_be_there(scene) ||
             (same_cuda(scene, missing) && !missing.only("cudnn") &&
              !listed_without(scene, missing) &&
              (import_error || missing.products.contains("cudart")))) {
    suspect.id = "L05";
    suspect.summary += ", though it is installed: the loader does not look in its folder";
  } else if (stated_cudnn(scene, missing)) {
    suspect.id = "L05";
    suspect.summary += ", though cuDNN " + scene.cudnn->str() +
                       " is said to be installed: its folder is not where the loader looks";
  } else if (missing.only("cudnn") && contains(missing.names.front(), "cudnn_") &&
             other_cudnn(scene, missing.names.front())) {
    suspect.id = "L03";
    suspect.weight = Weight::settled;
    suspect.summary +=
        ": cuDNN of another major version is installed, whose files have other names";
  } else if (missing.only("cudnn") && contains(missing.names.front(), "cudnn_")) {
    suspect.summary += ": a part of cuDNN, which is installed beside the others or not at all";
    suspect.instead = {{"L03", "cuDNN is not installed"}};
    suspect.id = "L05";
  } else if (missing.only("cudnn")) {
    suspect.id = "L03";
    suspect.weight = Weight::settled;
    if (scene.cudnn) {
      suspect.summary +=
          ": cuDNN " + scene.cudnn->str() + ", which is said to be there, has another name";
    }
  } else if (import_error &&
             (contains(missing.seen.front()->text, "torch") || scene.text.says("torch")) &&
             !missing.names.front().ends_with(".so")) {
    suspect.id = "F10";
  } else if (missing.names.front().ends_with(".so") && scene.cuda) { // of any version
    suspect.id = "L05";
    suspect.summary += ", and CUDA " + scene.cuda->str() +
                       " is said to be there: the loader does not look in its folder";
  } else if (import_error && !missing.products.contains("cudart") &&
             (missing.names.front().ends_with(".so") || besides_toolkit(missing) ||
              missing.names.front() == "libcurand.so.10")) {
    suspect.id = "L09"; // its name says little of the CUDA that it is for
  } else if (import_error && !missing.products.contains("cudart")) {
    suspect.id = missing.products.contains("cudnn") ? "L03" : "L02";
  } else if (missing.products.contains("cudart")) {
    suspect.id = "L01";
  }
  if (suspect.instead.empty() &&
      (suspect.id == "L01" || suspect.id == "L03" || suspect.id == "L09")) {
    suspect.instead = ways_of_missing(suspect.id == "L01" ? "cudart" : "");
    if (!scene.windows) suspect.ask = kFindLibraries;
  }
  out.push_back(std::move(suspect));
}

bool wrong_cuda_for_release(const Scene& scene) {
  if (!scene.cuda) return false;
  if (scene.release == nullptr)
    return scene.wanted_cuda != 0 && scene.wanted_cuda != scene.cuda->major();
  const auto& wanted = scene.release->cuda;
  return wanted.major() != scene.cuda->major() ||
         (wanted.major() < 11 && wanted.minor() != scene.cuda->minor());
}

bool other_cudnn_for_release(const Scene& scene) {
  return scene.cudnn && scene.release != nullptr && !scene.release->cudnn.parts.empty() &&
         scene.cudnn->major() != scene.release->cudnn.major();
}

/// What took libcudart away, the line does not say.
std::vector<Instead> ways_without_cudart(const Scene& scene) {
  std::vector<Instead> ways = {{"L05", "CUDA is installed where the loader does not look"}};
  const std::string wanted = scene.wanted_cuda == 0 ? "another major version of CUDA is installed"
                                                    : "CUDA is installed and is not the " +
                                                          std::to_string(scene.wanted_cuda) +
                                                          ".x that this release opens";
  ways.push_back({"F15", wanted});
  ways.push_back({"L07", "the file is there and damaged, or of another architecture"});
  if (scene.gpu.empty() && !scene.smi_works)
    ways.push_back({"H01", "the machine has no GPU, and then nothing is wrong with the software"});
  return ways;
}

/// Since 2.12 TensorFlow hides the names: what is installed must tell.
void without_names(const Scene& scene, Suspects& out) {
  const auto* stub = scene.text.find("cudart-stub");
  const auto* some = scene.text.find("dlopen-some");
  const auto* seen = stub != nullptr ? stub : some;
  if (seen == nullptr || scene.text.has("library-missing")) return;
  Suspect suspect{"F05", Weight::probable, {}, {seen}, {}, seen->message->ask};
  const auto image = scene.text.said("image");
  if (scene.has_gpu == false) {
    suspect.id = "H01";
    suspect.summary = "there is no GPU in this machine, as the writer says";
  } else if (scene.other_gpu_only && scene.text.says("rocm_package")) {
    suspect.id = "F14";
    suspect.summary = "libraries of ROCm are missing for this build";
  } else if (scene.other_gpu_only) {
    suspect.id = "H02";
    suspect.summary = "the GPU is not NVIDIA's, and this build wants CUDA";
  } else if ((scene.colab || scene.kaggle) && !scene.smi_works) {
    suspect.id = "C04";
    suspect.summary = "the notebook's runtime has no GPU";
  } else if (contains(image, "tensorflow/tensorflow") && !contains(image, "gpu")) {
    suspect.id = "F02";
    suspect.summary = "the image " + std::string(image) +
                      " is the one without CUDA: take the tag that ends in -gpu";
  } else if (scene.worked_in_another_run(*seen) || told_apart(scene) ||
             scene.works_for_another(*seen)) {
    suspect.id = "E08";
    suspect.summary =
        "the CUDA libraries are not found here, while the GPU is listed elsewhere on the machine";
  } else if (scene.works_with_wheels && !scene.wheels) {
    suspect.summary = "this TensorFlow is installed without the CUDA libraries of its time; with "
                      "the extra it works, as the writer says";
    suspect.fix = "python -m pip install 'tensorflow[and-cuda]', of the same version";
  } else if (wrong_cuda_for_release(scene)) {
    suspect.id = "F15";
    const std::string built =
        scene.release == nullptr
            ? "this TensorFlow is built with CUDA " + std::to_string(scene.wanted_cuda)
            : "TensorFlow " + scene.tensorflow->str() + " is built with CUDA " +
                  scene.release->cuda.str();
    suspect.summary = built + ", and CUDA " + scene.cuda->str() + " is installed";
  } else if (other_cudnn_for_release(scene)) {
    suspect.id = "L03";
    suspect.summary = "TensorFlow " + scene.tensorflow->str() + " opens cuDNN " +
                      std::to_string(scene.release->cudnn.major()) + ", and cuDNN " +
                      scene.cudnn->str() + " is installed, whose files have other names";
  } else if (scene.wheels) {
    suspect.id = "L05";
    suspect.summary =
        "NVIDIA's wheels are installed and TensorFlow does not find the libraries in them";
    suspect.fix = "add the nvidia/*/lib folders of site-packages to LD_LIBRARY_PATH, or reinstall "
                  "tensorflow[and-cuda] in a fresh environment";
  } else if (scene.cuda) {
    suspect.id = stub != nullptr ? "L05" : "L03";
    suspect.summary = stub != nullptr
                          ? "CUDA " + scene.cuda->str() +
                                " is installed and the loader does not find libcudart: its folder "
                                "is not on the loader's path"
                          : "CUDA is found and one of its libraries is not: most often cuDNN";
    if (stub == nullptr) {
      suspect.instead = {{"L09", "another of CUDA's libraries is missing"},
                         {"L05", "it is installed where the loader does not look"}};
    }
  } else if (stub != nullptr || scene.text.has("no-system-cuda")) {
    suspect.summary = stub == nullptr
                          ? "neither NVIDIA's wheels nor a CUDA of the system are there"
                          : "TensorFlow does not find libcudart, CUDA's runtime library (the line "
                            "speaks of drivers and does not mean them)";
    suspect.ask = kLook;
    suspect.instead = ways_without_cudart(scene);
  } else {
    return; // the names are hidden and nothing else tells: ask
  }
  out.push_back(std::move(suspect));
}

} // namespace

void library_suspects(const Scene& scene, Suspects& out) {
  by_name(scene, out);
  without_names(scene, out);
  companion_suspects(scene, out);
  if (scene.in_use == nullptr && told_apart(scene) &&
      (scene.no_gpu != nullptr || scene.text.has("cpu-listed"))) {
    out.push_back({"E08",
                   Weight::hint,
                   "the GPU is there in one place and not in the other: the two run with other "
                   "variables, or another interpreter",
                   {scene.no_gpu, scene.text.find("told-apart"), scene.text.find("cpu-listed")},
                   {},
                   "python -c \"import sys, os; print(sys.executable, os.environ)\", in both",
                   {{"F07", "another interpreter runs there"}}});
  }
}

} // namespace gpuwhy::explain
