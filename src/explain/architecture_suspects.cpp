// Has the build code for this GPU? Too new, too old, too weak, or compiled at the first start.
#include "base/text.h"
#include "explain/suspect.h"

#include <algorithm>

namespace gpuwhy::explain {
namespace {

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

/// The lowest capability that the build has code for: as it says, or by the tables of releases.
std::optional<int> lowest_built(const Scene& scene) {
  if (const auto said = lowest_sm(scene.text.said("sm_list"))) return said;
  if (scene.release != nullptr && scene.release->min_capability)
    return scene.release->min_capability->major * 10 + scene.release->min_capability->minor;
  const auto torch = scene.text.said("torch");
  const auto version = Version::parse(torch);
  for (const auto& build : torch_builds()) {
    const auto listed = Version::parse(build.version);
    const bool same = version && listed && version->major() == listed->major() &&
                      version->minor() == listed->minor();
    if (!same || build.sass.empty()) continue;
    const auto plus = torch.find('+');
    if (plus == std::string_view::npos ? !build.is_default : torch.substr(plus + 1) != build.tag)
      continue;
    if (const auto first = Version::parse(build.sass.front()))
      return first->major() * 10 + first->minor();
  }
  return std::nullopt;
}

/// NVIDIA's images refuse to start where no GPU can compute: one too old for them, or one that CUDA
/// cannot open, whatever the reason.
void refused_by_image(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("image-without-gpu");
  constexpr int kPascal = 6; // the oldest that the images of the last years compute on
  if (seen == nullptr || !scene.capability || scene.capability->major >= kPascal) return;
  const std::string gpu = scene.gpu.empty() ? "this GPU" : std::string(scene.gpu);
  out.push_back({"H11",
                 Weight::probable,
                 gpu + " (compute capability " + scene.capability->str() +
                     ") is older than what the image has code for",
                 {seen},
                 {},
                 "nvidia-smi"});
}

/// No code for this GPU: too new for the build, or too old?
void architecture(const Scene& scene, Suspects& out) {
  const auto* seen = scene.text.find("sm-unsupported");
  if (seen == nullptr) seen = scene.text.find("no-kernel");
  if (seen == nullptr) seen = scene.text.find("no-sass");
  if (seen == nullptr) return;
  const auto lowest = lowest_built(scene);
  constexpr int kUnknown = -1;
  constexpr int kVolta = 70; // where the build's list is not known: older ones are left out sooner
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
  if (has != kUnknown && has < lowest.value_or(kVolta)) {
    out.push_back({"H11",
                   Weight::settled,
                   gpu + capability + " is older than what this build has code for",
                   std::move(evidence),
                   {},
                   {}});
    if (!lowest) {
      out.back().ask = kLook;
      out.back().instead = {{"H12", "the build is older than the GPU"}};
    }
    return;
  }
  // A GPU that all builds of the last years have code for, and a driver older than the code.
  const auto driver = version_in(scene.text.said("driver"));
  const auto speaks = driver ? cuda_of_driver(*driver) : std::nullopt;
  constexpr int kAmpere = 80;
  if (seen->message->signal == "no-kernel" && has >= kVolta && has <= kAmpere && !lowest &&
      speaks && scene.cuda && *speaks < *scene.cuda) {
    out.push_back({"H10",
                   Weight::probable,
                   "driver " + driver->str() + " speaks CUDA " + speaks->str() + ", and CUDA " +
                       scene.cuda->str() + " made the code: it does not load",
                   {seen},
                   {},
                   "nvidia-smi"});
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

/// The writer speaks of a GPU that was left out, and not only to list what the machine has.
bool wanted(const Scene& scene, const std::vector<const Sighting*>& left_out) {
  const auto& said = scene.text.reading().said;
  return std::any_of(left_out.begin(), left_out.end(), [&](const Sighting* seen) {
    const auto at = seen->text.find("name: ");
    if (at == std::string::npos) return false;
    auto name = seen->text.substr(at + 6);
    name = lower(name.substr(0, name.find(',')));
    for (const std::string_view maker : {"nvidia ", "geforce ", "quadro ", "tesla "})
      name = replace_all(std::move(name), maker, "");
    return name.size() > 3 && std::any_of(said.begin(), said.end(), [&](const Said& statement) {
             return statement.by_hand && !contains(statement.key, "gpu") &&
                    contains(lower(statement.value), name);
           });
  });
}

/// The limit is the smaller of 8 and what the strongest visible GPU has, unless the variable sets
/// another (or the release is from before 1.0, with a fixed 8): where every GPU is left out, or the
/// limit is higher, the variable decides.
void ignored(const Scene& scene, Suspects& out) {
  const auto seen = scene.text.all("too-few-cores");
  const auto least = to_number(scene.text.said("least_cores"));
  constexpr int kUsual = 8; // multiprocessors that TensorFlow asks for by itself
  if (seen.empty() && scene.no_gpu != nullptr && least && *least > kUsual) {
    out.push_back({"E06",
                   Weight::hint,
                   "TF_MIN_GPU_MULTIPROCESSOR_COUNT is " + std::to_string(*least) +
                       ": TensorFlow leaves out every GPU with fewer multiprocessors",
                   {scene.text.find("least-cores"), scene.no_gpu},
                   "unset TF_MIN_GPU_MULTIPROCESSOR_COUNT",
                   {}});
  }
  const bool failed = scene.text.has("nonexistent-device") || scene.text.has("invalid-ordinal") ||
                      wanted(scene, seen) || scene.text.mentions("2nd gpu") ||
                      scene.text.mentions("second gpu") || scene.text.mentions("both gpu") ||
                      scene.text.mentions("only one of");
  if (seen.empty() || (scene.in_use != nullptr && !failed)) return;
  const std::string cores(seen.front()->value("cores"));
  std::uint64_t ignored_gpus = 0;
  for (const auto* each : seen) ignored_gpus += each->count;
  std::uint64_t found_gpus = 0;
  for (const auto* each : scene.text.all("gpu-found"))
    found_gpus += each->message->name == "gpu-found/tf" ? each->count : 0;
  const auto limit = to_number(seen.front()->value("minimum"));
  // A text that is cut shows no list of what was found.
  const bool some_left = scene.in_use != nullptr && (found_gpus == 0 || found_gpus > ignored_gpus);
  const bool none_left = !some_left && ((found_gpus > 0 && ignored_gpus >= found_gpus) ||
                                        scene.no_gpu != nullptr || (limit && *limit > 8));
  if (!none_left) {
    auto lines = seen;
    if (const auto* asked = scene.text.find("nonexistent-device")) lines.push_back(asked);
    const bool beside = scene.in_use != nullptr; // the stronger one works
    out.push_back(
        {"H16",
         Weight::settled,
         "TensorFlow leaves out a GPU with " + cores + " multiprocessors; a stronger one is there",
         std::move(lines),
         {},
         {},
         {},
         beside});
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

/// A GPU that is newer than all that the release has code for, and a failure that this explains.
void newer_gpu(const Scene& scene, Suspects& out) {
  if (scene.release == nullptr || !scene.capability) return;
  // The libraries of an older CUDA fail on it in their own ways, after the GPU was listed.
  const bool failed = scene.text.has("midrun");
  if (scene.in_use != nullptr && !failed) return;
  if (scene.text.has("no-kernel") || scene.text.has("sm-unsupported") || scene.text.has("no-sass"))
    return;
  const auto& release = *scene.release;
  const auto newest = release.newest_ptx;
  if (newest && scene.capability->major > newest->major) {
    out.push_back({"H12",
                   failed ? Weight::probable : Weight::hint,
                   scene.gpu + " (compute capability " + scene.capability->str() +
                       ") is newer than TensorFlow " + scene.tensorflow->str() + " has code for",
                   version_lines(scene),
                   {},
                   {}});
    if (failed) {
      out.back().evidence.push_back(scene.text.find("midrun"));
      out.back().beside_success = true;
    }
  }
  if (scene.in_use == nullptr && release.min_capability &&
      *scene.capability < *release.min_capability) {
    out.push_back({"H11",
                   Weight::hint,
                   scene.gpu + " (compute capability " + scene.capability->str() +
                       ") is older than TensorFlow " + scene.tensorflow->str() + " has code for",
                   version_lines(scene),
                   {},
                   {}});
  }
}

} // namespace

void architecture_suspects(const Scene& scene, Suspects& out) {
  refused_by_image(scene, out);
  architecture(scene, out);
  ignored(scene, out);
  newer_gpu(scene, out);
}

} // namespace gpuwhy::explain
