// What it means, here, that no driver answers: the place has none, or what keeps the module away.
#include "base/text.h"
#include "explain/place.h"
#include "explain/suspect.h"

#include <algorithm>
#include <optional>

namespace gpuwhy::explain {
namespace {

/// A driver that is not there looks alike whatever took it away.
std::vector<Instead> ways_without_driver(const Scene& scene, const Sighting& seen) {
  std::vector<Instead> ways;
  const auto signal = seen.message->signal;
  const bool installed = signal == "smi-failed" || signal == "nvml-driver";
  const bool gpu_shown = !scene.gpu.empty() || scene.has_gpu == true || scene.smi_works;
  if (!gpu_shown && !installed) {
    ways.push_back({"H01", "the machine has no GPU"});
    ways.push_back({"H02", "its GPU is of another maker (AMD, Intel)"});
  }
  if (installed && scene.other_gpu_only)
    ways.push_back({"H02", "the bus shows GPUs of other makers only, also beside the VGA devices"});
  if (scene.windows) return ways;
  if (installed) {
    ways.push_back({"H06", "the module is not built for the kernel that runs, or Secure Boot "
                           "refuses it"});
  }
  ways.push_back({"H04", "nouveau, the kernel's own driver, holds the GPU"});
  if (installed) return ways;
  ways.push_back({"C01", "the program runs in a container that was started without the GPU"});
  if (!scene.text.says("os"))
    ways.push_back({"C03", "it runs in WSL and does not find the driver of Windows"});
  return ways;
}

/// Not what apt or ubuntu-drivers only propose.
const Sighting* installed_package(const Scene& scene) {
  for (const auto* seen : scene.text.all("driver-package")) {
    const bool proposed = contains(seen->text, "recommended") || contains(seen->text, "distro ") ||
                          contains(seen->text, "apt install") ||
                          contains(seen->text, "third-party");
    if (!proposed) return seen;
  }
  return nullptr;
}

/// The newest branch of the driver that drives the architecture; 0: the newest does.
int last_branch(const ComputeCapability& has) {
  constexpr int kVolta = 70;
  constexpr int kPascal = 6;
  if (has.major <= 2) return 390;
  if (has.major == 3) return 470;
  return has.major <= kPascal || has.major * 10 + has.minor == kVolta ? 580 : 0;
}

/// 535 of "nvidia-driver-535", "nvidia-utils 535.183.01-1"; 0: none.
int branch_in(std::string_view text) {
  for (std::size_t at = text.find("nvidia"); at != std::string_view::npos && at < text.size();) {
    at = text.find_first_of("0123456789", at);
    if (at == std::string_view::npos) return 0;
    const auto end = std::min(text.find_first_not_of("0123456789", at), text.size());
    const auto number = to_number(text.substr(at, end - at));
    if (number && *number >= 300 && *number < 1000) return static_cast<int>(*number);
    at = end;
  }
  return 0;
}

/// nouveau, Secure Boot or a missing module explain why no kernel module answers.
Suspect no_module(const Scene& scene, const Sighting& seen) {
  const auto& text = scene.text;
  Suspect suspect{"H03",
                  Weight::probable,
                  std::string(seen.message->says),
                  {&seen},
                  {},
                  kLook,
                  ways_without_driver(scene, seen)};
  if (seen.message->signal == "cuinit-303" || seen.message->signal == "libcuda-missing") {
    suspect.summary =
        "no NVIDIA driver is found where this program ran: libcuda.so.1 does not load";
  }
  if (const auto* nouveau = text.find("nouveau")) {
    return {"H04",
            Weight::settled,
            "nouveau is loaded and holds the GPU, so NVIDIA's module cannot",
            {nouveau, &seen},
            {},
            {}};
  }
  if (const auto* passed = text.find("passthrough")) {
    return {"C05",
            Weight::probable,
            "the GPU is reserved for a virtual machine (" +
                std::string(passed->value("passthrough")) + "), so NVIDIA's driver cannot hold it",
            {passed, &seen},
            {},
            {}};
  }
  if (auto other = built_for_another(scene, &seen)) return *other;
  if (auto off = switched_off(scene, seen)) return *off;
  if (auto dropped = dropped_by_driver(scene, seen)) return *dropped;
  // A driver that came with its tools; where they are missing the name of a package is a proposal.
  const bool tools = seen.message->signal != "smi-not-found";
  const auto* boot = text.find("secure-boot");
  if (boot != nullptr && boot->value("secure_boot") == "enabled") {
    return {"H06",
            Weight::probable,
            "the module does not answer and Secure Boot is on, which refuses unsigned modules",
            {boot, &seen},
            {},
            {}};
  }
  if (const auto* optimus = text.find("optimus")) {
    return {"H15",
            Weight::probable,
            "the laptop's GPU is switched off when it is asked for",
            {optimus, &seen},
            {},
            {}};
  }
  if (const auto* package = installed_package(scene); package != nullptr && tools) {
    return {"H06",
            Weight::probable,
            "a driver package is installed and its kernel module does not answer",
            {package, &seen},
            {},
            "dkms status"};
  }
  if (text.mentions("kernel update") || text.mentions("kernel upgrade") ||
      text.mentions("updated kernel") || text.mentions("new kernel")) {
    suspect.id = "H06";
    suspect.summary = "the module does not answer since the kernel was updated: it has to be built "
                      "for the new kernel";
    suspect.instead.clear();
  }
  return suspect;
}

} // namespace

std::optional<Suspect> dropped_by_driver(const Scene& scene, const Sighting& seen) {
  if (!scene.capability || scene.smi_works) return std::nullopt;
  const int last = last_branch(*scene.capability);
  const auto* package = installed_package(scene);
  int branch = package == nullptr ? 0 : branch_in(package->text);
  if (const auto stated = version_in(scene.text.said("driver")); stated) branch = stated->major();
  if (last == 0 || branch <= last) return std::nullopt;
  return Suspect{"H11",
                 Weight::probable,
                 "driver " + std::to_string(branch) + " no longer drives this GPU (" + scene.gpu +
                     "): branch " + std::to_string(last) + " is the last that does",
                 {&seen, package},
                 "install branch " + std::to_string(last) + " of the driver",
                 "sudo dmesg | grep NVRM"};
}

std::optional<Suspect> built_for_another(const Scene& scene, const Sighting* seen) {
  const auto built = scene.text.all_said("dkms_kernel");
  const auto runs = scene.text.said("running_kernel");
  if (built.empty() || runs.empty() || std::find(built.begin(), built.end(), runs) != built.end())
    return std::nullopt;
  return Suspect{"H06",
                 Weight::settled,
                 "the module is built for kernel " + std::string(built.front()) + ", and " +
                     std::string(runs) + " runs",
                 {scene.text.find("dkms-installed"), seen},
                 "sudo dkms autoinstall (with the headers of the running kernel installed), then "
                 "restart",
                 {}};
}

void no_driver(const Scene& scene, const Sighting& seen, Suspects& out) {
  if (scene.text.has("libcuda-empty")) return; // a placeholder in libcuda's place says why
  if (const auto place = place_without_driver(scene); !place.empty()) {
    out.push_back({std::string(place),
                   Weight::probable,
                   place_words(scene, place),
                   {&seen, place_evidence(scene, place)},
                   {},
                   {}});
    const bool host_shown = scene.smi_works || scene.module_runs;
    if (place == "C01" && !host_shown && seen.message->signal == "smi-not-found") {
      out.back().ask = "nvidia-smi";
      out.back().instead = {{"H03", "it is the host that has no driver"}};
    }
    return;
  }
  out.push_back(no_module(scene, seen));
}

} // namespace gpuwhy::explain
