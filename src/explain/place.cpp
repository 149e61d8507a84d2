#include "explain/place.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

/// Of a cloud, where nobody passes a GPU through by hand: its kind of machine has one or not.
bool in_a_cloud(const Scene& scene) {
  return scene.text.has("cloud-host") || scene.text.has("instance-without-gpu");
}

bool of_nvidia(std::string_view adapter) {
  const auto name = lower(adapter);
  return contains(name, "nvidia") || contains(name, "geforce") || contains(name, "quadro");
}

/// NVIDIA's tools are installed, so that somebody saw a GPU of NVIDIA's; only the whole bus tells
/// that none is there ("lspci | grep VGA" leaves out a "3D controller").
bool tools_of_nvidia(const Scene& scene) {
  const auto& text = scene.text;
  const bool installed = text.has("smi-failed") || text.has("driver-package");
  return installed && text.says("pci_gpu") && !text.has("pci-bus");
}

bool of_a_laptop(const Said& said) {
  const auto value = lower(said.value);
  return contains(said.key, "laptop") || contains(value, "laptop") || contains(value, "mobile") ||
         contains(value, "max-q");
}

bool names_nvidia(std::string_view value) {
  const auto name = lower(value);
  constexpr std::array<std::string_view, 6> kNames = {"rtx",    "gtx",     "geforce",
                                                      "quadro", "nvidia ", "mx150"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view word) { return contains(name, word); });
}

} // namespace

const Sighting* given_no_gpu(const Scene& scene) {
  for (const auto* given : scene.text.all("alloc-tres")) {
    // The list is sorted: behind "mem" or "node" no gres can follow that a narrow column cut off.
    const auto held = given->value("alloc_tres");
    if (!contains(held, "gres/gpu") && (contains(held, "mem=") || contains(held, "node=")))
      return given;
  }
  return nullptr;
}

const Sighting* instance_without_gpu(const Scene& scene) {
  return scene.text.has("instance-gpu") ? nullptr : scene.text.find("instance-without-gpu");
}

std::string_view place_without_driver(const Scene& scene) {
  if (scene.colab || scene.kaggle || scene.text.has("hosted-notebook")) return "C04";
  if (given_no_gpu(scene) != nullptr) return "C07";
  if (scene.has_gpu == false) return "H01";
  if (scene.other_gpu_only && !scene.text.has("prime") && !tools_of_nvidia(scene)) return "H02";
  const auto capabilities = scene.text.said("driver_capabilities");
  if (!capabilities.empty() && !contains(capabilities, "compute") && !contains(capabilities, "all"))
    return "C02";
  if (scene.virtual_display && !scene.text.has("instance-gpu"))
    return in_a_cloud(scene) ? "H01" : "C05";
  if (scene.virtual_machine && scene.text.has("vm-unpassed")) return "C05";
  if (scene.wsl) return "C03";
  if (scene.login_node || (scene.slurm && !scene.slurm_asked && scene.slurm_told)) return "C07";
  if (instance_without_gpu(scene) != nullptr) return "H01";
  if (scene.container) return scene.container_gets_gpu ? "C02" : "C01";
  return {};
}

std::string place_words(const Scene& scene, std::string_view id) {
  if (id == "C04") return "the notebook's runtime has no GPU: no NVIDIA driver is there";
  if (id == "H01" && instance_without_gpu(scene) != nullptr)
    return "this kind of cloud machine (" +
           std::string(instance_without_gpu(scene)->value("plain_instance")) + ") has no GPU";
  if (id == "H01" && scene.virtual_display)
    return "this cloud machine shows only a virtual display: its kind has no GPU";
  if (id == "H01") return "there is no GPU in this machine, as the writer says";
  if (id == "H02") return "the GPU is not NVIDIA's, and this build wants NVIDIA's driver";
  if (id == "C05" && scene.text.has("vm-unpassed"))
    return "the GPU was not passed in to this virtual machine, as the writer says";
  if (id == "C05")
    return "the virtual machine has only its own display adapter: no GPU was passed in";
  if (id == "C03") return "inside WSL the driver of Windows is not found";
  if (id == "C07" && given_no_gpu(scene) != nullptr)
    return "the scheduler gave the job no GPU (" +
           std::string(given_no_gpu(scene)->value("alloc_tres")) + ")";
  if (id == "C07" && scene.login_node) return "this is a login node, which has no GPU";
  if (id == "C07") return "the job asked the scheduler for no GPU";
  if (id == "C01") return "the container shows no NVIDIA driver: it was started without the GPU";
  return "the container was to get the GPU and does not show the driver's libraries";
}

const Sighting* place_evidence(const Scene& scene, std::string_view id) {
  if (id == "C07") return given_no_gpu(scene);
  if (id == "H01") return instance_without_gpu(scene);
  return nullptr;
}

std::optional<Suspect> switched_off(const Scene& scene, const Sighting& seen) {
  const auto adapters = scene.text.all_said("pci_gpu");
  if (adapters.empty() || scene.virtual_machine ||
      std::any_of(adapters.begin(), adapters.end(), of_nvidia))
    return std::nullopt;
  const auto& said = scene.text.reading().said;
  const bool laptop = std::any_of(said.begin(), said.end(), [](const Said& statement) {
    return statement.by_hand && of_a_laptop(statement);
  });
  const bool has_one = std::any_of(said.begin(), said.end(), [](const Said& statement) {
    return statement.by_hand && names_nvidia(statement.value);
  });
  if (!laptop || !has_one) return std::nullopt;
  return Suspect{
      "H15",
      Weight::probable,
      "the laptop's NVIDIA GPU is not on the bus: it is switched off, by a graphics mode "
      "or in the firmware",
      {scene.text.find("pci-gpu"), &seen},
      "switch to the hybrid or NVIDIA mode (prime-select, envycontrol, supergfxctl, "
      "system76-power, or the firmware's settings) and restart",
      "lspci | grep -i nvidia"};
}

void bus_without_gpu(const Scene& scene, Suspects& out) {
  const bool nowhere = instance_without_gpu(scene) != nullptr || scene.login_node ||
                       (scene.virtual_machine && scene.text.has("vm-unpassed"));
  if (scene.no_gpu != nullptr && nowhere && !scene.smi_works && scene.in_use == nullptr) {
    const auto place = place_without_driver(scene);
    out.push_back({std::string(place),
                   Weight::hint,
                   place_words(scene, place),
                   {place_evidence(scene, place), scene.no_gpu}});
  }
  const auto* bus = scene.text.find("pci-bus");
  const bool fails = scene.no_gpu != nullptr || scene.text.has("module-refused") ||
                     scene.text.has("no-gpu-for-module") || scene.text.has("no-device") ||
                     scene.text.has("no-devices-found");
  if (bus == nullptr || !fails || scene.text.has("pci-nvidia") || scene.smi_works ||
      scene.in_use != nullptr || scene.wsl)
    return;
  if (switched_off(scene, *bus)) {
    out.push_back(*switched_off(scene, *bus));
    return;
  }
  const bool guest = scene.virtual_display || scene.text.has("virtual-bus");
  const std::string_view id = scene.other_gpu_only          ? "H02"
                              : guest && !in_a_cloud(scene) ? "C05"
                                                            : "H01";
  out.push_back({std::string(id),
                 Weight::probable,
                 id == "C05"   ? "the virtual machine's bus shows no NVIDIA GPU: none was passed in"
                 : id == "H02" ? "the bus shows GPUs of other makers only"
                               : "the bus was listed and holds no NVIDIA GPU",
                 {bus},
                 {},
                 {}});
}

} // namespace gpuwhy::explain
