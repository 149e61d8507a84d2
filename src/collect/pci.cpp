// GPUs as the PCI bus shows them, and what kind of machine this is: no driver is asked. Truth: the
// kernel's sysfs-bus-pci and the PCI class codes (0300 VGA, 0302 3D, 0380 other display; audio
// functions and bridges of a GPU have others).
#include "collect/machine.h"
#include "knowledge/knowledge.h"

#include <array>

namespace gpuwhy {
namespace {

const std::string kDevices = "/sys/bus/pci/devices";
constexpr std::size_t kMostGpus = 256;

/// "0x10de\n" -> "10de".
std::optional<std::string> hexadecimal(System& system, const std::string& path) {
  const auto line = line_of(system, path);
  if (!line || !hex_to_number(*line)) return std::nullopt;
  return lower(line->starts_with("0x") ? std::string_view(*line).substr(2)
                                       : std::string_view(*line));
}

bool is_display(std::string_view class_id) {
  return class_id.starts_with("0300") || class_id.starts_with("0302") ||
         class_id.starts_with("0380");
}

std::string vendor_name(std::string_view id) {
  if (id == "10de") return "nvidia";
  if (id == "1002") return "amd";
  if (id == "8086") return "intel";
  return "other";
}

Fact<std::string> line_fact(System& system, const std::string& path) {
  const auto text = system.read_at(path, 0, 4096);
  if (!text) return without_value<std::string>(text.error(), path);
  return Fact<std::string>::known(one_line(*text), {path, 0});
}

void identify(PciGpu& gpu) {
  const Source table{"table of PCI ids", 0};
  const auto* product = gpu.vendor == "nvidia" ? find_gpu(gpu.device_id) : nullptr;
  if (product != nullptr) {
    gpu.product = Fact<std::string>::known(std::string(product->product), table);
    gpu.chip = Fact<std::string>::known(std::string(product->chip), table);
    gpu.architecture = Fact<std::string>::known(std::string(product->architecture), table);
    gpu.compute_capability =
        product->compute_capability
            ? Fact<ComputeCapability>::known(*product->compute_capability, table)
            : Fact<ComputeCapability>::unknown("not known for " + std::string(product->chip),
                                               table);
    gpu.last_driver_branch = product->last_driver_branch != 0
                                 ? Fact<int>::known(product->last_driver_branch, table)
                                 : Fact<int>::absent(table, "the newest driver supports it");
    return;
  }
  const std::string reason =
      "PCI id " + gpu.vendor_id + ":" + gpu.device_id + " is not in the table of NVIDIA GPUs";
  gpu.product = gpu.chip = gpu.architecture = Fact<std::string>::unknown(reason, table);
  gpu.compute_capability = Fact<ComputeCapability>::unknown(reason, table);
  gpu.last_driver_branch = gpu.vendor == "nvidia" && newer_than_table(gpu.device_id)
                               ? Fact<int>::absent(table, "newer than the table of PCI ids")
                               : Fact<int>::unknown(reason, table);
}

PciGpu read_gpu(System& system, const std::string& address, const std::string& vendor_id,
                const std::string& device_id, const std::string& class_id) {
  const std::string device = join_path(kDevices, address);
  PciGpu gpu;
  gpu.address = address;
  gpu.vendor_id = vendor_id;
  gpu.vendor = vendor_name(vendor_id);
  gpu.device_id = device_id;
  gpu.class_id = class_id;
  const std::string link = device + "/driver";
  if (const auto driver = system.read_link(link)) {
    gpu.driver = Fact<std::string>::known(one_line(base_name(*driver)), {link, 0});
  } else {
    gpu.driver = without_value<std::string>(driver.error(), link);
  }
  gpu.power_state = line_fact(system, device + "/power_state");
  gpu.runtime_status = line_fact(system, device + "/power/runtime_status");
  identify(gpu);
  return gpu;
}

/// No PCI directory on a kernel that has buses: there is no PCI bus. Where /sys/bus is empty or
/// missing, as in some sandboxes, that tells nothing.
Fact<std::vector<PciGpu>> without_bus(System& system, const Unavailable& why) {
  if (why.kind == Unavailable::Kind::absent) {
    const auto buses = names_in(system, "/sys/bus");
    bool platform = false, pci = false;
    for (const auto& bus : buses) {
      platform = platform || bus == "platform";
      pci = pci || bus == "pci";
    }
    if (platform && !pci) return Fact<std::vector<PciGpu>>::known({}, {"/sys/bus", 0});
  }
  return unsettled<std::vector<PciGpu>>(why, kDevices);
}

Fact<std::vector<PciGpu>> read_bus(System& system, std::vector<std::string>& problems) {
  const auto devices = system.list(kDevices);
  if (!devices) return without_bus(system, devices.error());
  std::vector<PciGpu> gpus;
  std::string unread;
  for (const auto& entry : *devices) {
    const std::string device = join_path(kDevices, entry.name);
    const auto class_id = hexadecimal(system, device + "/class");
    if (class_id && !is_display(*class_id)) continue;
    const auto vendor_id = hexadecimal(system, device + "/vendor");
    const auto device_id = hexadecimal(system, device + "/device");
    if (!class_id || !vendor_id || !device_id) {
      if (unread.empty()) unread = printable(device) + ": class, vendor or device cannot be read";
      continue;
    }
    if (gpus.size() < kMostGpus) {
      gpus.push_back(read_gpu(system, entry.name, *vendor_id, *device_id, *class_id));
    }
  }
  if (!unread.empty() && gpus.empty()) {
    return Fact<std::vector<PciGpu>>::unknown(unread, {kDevices, 0});
  }
  if (!unread.empty()) problems.push_back(unread);
  return Fact<std::vector<PciGpu>>::known(std::move(gpus), {kDevices, 0});
}

struct Hypervisor {
  std::string_view mark; // part of "VENDOR PRODUCT", small letters
  std::string_view name;
};

// What firmware tables of virtual machines say about themselves (compare systemd-detect-virt(1)).
constexpr std::array kHypervisors{
    Hypervisor{"microsoft corporation virtual machine", "hyperv"},
    Hypervisor{"vmware", "vmware"},
    Hypervisor{"virtualbox", "virtualbox"},
    Hypervisor{"innotek", "virtualbox"},
    Hypervisor{"xen", "xen"},
    Hypervisor{"parallels", "parallels"},
    Hypervisor{"apple virtualization", "apple"},
    Hypervisor{"bhyve", "bhyve"},
    Hypervisor{"firecracker", "firecracker"},
    Hypervisor{"nutanix", "kvm"},
    Hypervisor{"qemu", "kvm"},
    Hypervisor{"kvm", "kvm"},
    Hypervisor{"bochs", "kvm"},
    Hypervisor{"openstack", "kvm"},
    Hypervisor{"google compute engine", "kvm"},
    Hypervisor{"amazon ec2", "kvm"},
    Hypervisor{"digitalocean", "kvm"},
    Hypervisor{"alibaba cloud", "kvm"},
};

/// The hypervisor bit of the processor: nothing where processors do not tell (they do on x86).
std::optional<bool> hypervisor_flag(System& system) {
  const auto text = system.read_at("/proc/cpuinfo", 0, 16U << 10U);
  if (!text) return std::nullopt;
  for (const auto line : split_lines(*text)) {
    if (!line.starts_with("flags")) continue;
    return contains(std::string(line) + " ", " hypervisor ");
  }
  return std::nullopt;
}

Fact<std::string> read_virtual_machine(System& system) {
  using Name = Fact<std::string>;
  if (const auto type = line_of(system, "/sys/hypervisor/type")) {
    return Name::known(*type, {"/sys/hypervisor/type", 0});
  }
  const std::string dmi = "/sys/class/dmi/id";
  const auto vendor = line_of(system, dmi + "/sys_vendor");
  const auto product = line_of(system, dmi + "/product_name");
  const auto flag = hypervisor_flag(system);
  const std::string words = lower(vendor.value_or("") + " " + product.value_or(""));
  if (flag != false && !words.ends_with(".metal")) { // clouds sell whole machines under their name
    for (const auto& hypervisor : kHypervisors) {
      if (contains(words, hypervisor.mark)) {
        return Name::known(std::string(hypervisor.name), {dmi, 0});
      }
    }
  }
  const std::string tree = "/proc/device-tree/hypervisor/compatible";
  if (const auto compatible = line_of(system, tree)) {
    return Name::known(contains(*compatible, "kvm") ? "kvm" : "other", {tree, 0});
  }
  if (flag == true) return Name::known("other", {"/proc/cpuinfo", 0});
  if (flag == false || vendor) {
    return Name::absent({flag ? "/proc/cpuinfo" : dmi + "/sys_vendor", 0},
                        "no sign of a hypervisor");
  }
  const auto status = system.status("/proc/cpuinfo");
  if (!status && status.error().kind == Unavailable::Kind::not_looked) return {};
  return Name::unknown("neither " + dmi + " nor /proc/cpuinfo tells of a hypervisor");
}

/// The strings of a device tree property are parted by NUL.
Fact<std::string> read_tegra(System& system) {
  using Name = Fact<std::string>;
  const std::string tree = "/proc/device-tree/compatible";
  const auto compatible = system.read_at(tree, 0, 4096);
  if (compatible) {
    for (const auto name : split(*compatible, '\0')) {
      if (!name.starts_with("nvidia,tegra")) continue;
      const std::string model = "/proc/device-tree/model";
      const auto board = system.read_at(model, 0, 4096);
      const auto text = board ? one_line(split(*board, '\0').front()) : std::string();
      if (!text.empty()) return Name::known(text, {model, 0});
      return Name::known(one_line(name.substr(7)), {tree, 0});
    }
  }
  const std::string release = "/etc/nv_tegra_release";
  const auto line = system.read_at(release, 0, 4096);
  if (line) return Name::known("Tegra", {release, 0});
  const auto& why = compatible ? line.error() : compatible.error();
  const bool absent = line.error().kind == Unavailable::Kind::absent &&
                      (compatible || why.kind == Unavailable::Kind::absent);
  if (absent)
    return Name::absent({tree, 0}, "neither the device tree nor " + release + " names a Tegra");
  return unsettled<std::string>(why, tree);
}

void collect(System& system, const Scope&, Facts& facts) {
  facts.hardware.gpus = read_bus(system, facts.problems);
  facts.hardware.virtual_machine = read_virtual_machine(system);
  facts.hardware.tegra = read_tegra(system);
}

} // namespace

const Collector kPci{
    "pci",
    "/sys/bus/pci/devices/*/{class,vendor,device,driver,power_state,power/runtime_status}, "
    "/sys/class/dmi/id/{sys_vendor,product_name}, /sys/hypervisor/type, /proc/cpuinfo, "
    "/proc/device-tree/{compatible,model,hypervisor/compatible}, /etc/nv_tegra_release",
    collect};

} // namespace gpuwhy
