// Asks the driver itself, in child processes: does cuInit work, which devices does it show, what
// does NVML say of them. What a probe prints is one JSON object (probes/probe.h); it passed through
// the driver's hands and is read as carefully as any file.
//
// The probes run one after the other: a cold driver takes a second or two to answer the first of
// them, the next one finds it warm.
#include "collect/driver_probes.h"

#include "collect/machine.h"
#include "knowledge/knowledge.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

constexpr seconds kCudaDeadline{10};
constexpr seconds kNvmlDeadline{5};
constexpr std::size_t kMostDevices = 256;
constexpr std::size_t kMostProcesses = 4096;
constexpr std::size_t kLongestText = 512;

/// Nothing where the member is missing or of another kind.
std::optional<std::string> text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return printable(std::string_view(found->get_ref<const std::string&>()).substr(0, kLongestText));
}

std::optional<std::uint64_t> unsigned_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::optional<int> int_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned()) {
    const auto value = found->get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) return std::nullopt;
    return static_cast<int>(value);
  }
  const auto value = found->get<std::int64_t>();
  if (value < std::numeric_limits<int>::min()) return std::nullopt;
  return static_cast<int>(value); // negative: positive ones are stored unsigned
}

std::optional<ComputeCapability> capability_at(const Json& object) {
  const auto text = text_at(object, "compute_capability");
  if (!text) return std::nullopt;
  const auto parts = split(*text, '.');
  if (parts.size() != 2) return std::nullopt;
  const auto major = to_number(parts[0]);
  const auto minor = to_number(parts[1]);
  if (!major || !minor || *major > 99 || *minor > 99) return std::nullopt;
  return ComputeCapability{static_cast<int>(*major), static_cast<int>(*minor)};
}

const Json* list_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

/// The object with this schema in what a probe printed.
std::optional<Json> parse_answer(std::string_view output, std::string_view schema) {
  for (const auto line : split_lines(output)) {
    if (!trim(line).starts_with('{')) continue;
    auto object = Json::parse(line, nullptr, false);
    if (object.is_object() && text_at(object, "schema") == schema) return object;
  }
  return std::nullopt;
}

std::string signal_name(int number) {
  switch (number) {
  case 4: return "SIGILL";
  case 6: return "SIGABRT";
  case 7: return "SIGBUS";
  case 8: return "SIGFPE";
  case 9: return "SIGKILL";
  case 11: return "SIGSEGV";
  case 15: return "SIGTERM";
  case 31: return "SIGSYS";
  default: return "signal " + std::to_string(number);
  }
}

struct Probe {
  std::string name;     // of the program
  std::string schema;   // of its answer
  std::string question; // for sentences
  seconds deadline;
};

const Probe& cuda_probe() {
  static const Probe kProbe{"cuda_init", "gpuwhy.probe.cuda/1", "cuInit", kCudaDeadline};
  return kProbe;
}

const Probe& nvml_probe() {
  static const Probe kProbe{"nvml", "gpuwhy.probe.nvml/1", "nvmlInit", kNvmlDeadline};
  return kProbe;
}

struct Reply {
  std::optional<Json> answer;
  std::string why_not; // empty with no answer: nobody looked
  bool timed_out = false;
};

Reply ask(System& system, const Probe& probe, const Environment& environment) {
  Reply reply;
  const auto result = system.run_probe(probe.name, environment, probe.deadline);
  if (!result) {
    if (result.error().kind != Unavailable::Kind::not_looked) reply.why_not = result.error().reason;
    return reply;
  }
  if (result->timed_out) {
    reply.timed_out = true;
    reply.why_not = "the driver did not answer " + probe.question + " within " +
                    std::to_string(probe.deadline.count()) + " s";
    return reply;
  }
  if (result->signal != 0) {
    reply.why_not = "the driver's library ended the process with " + signal_name(result->signal) +
                    " during " + probe.question;
    return reply;
  }
  reply.answer = parse_answer(result->output, probe.schema);
  if (reply.answer) return reply;
  reply.why_not = "the probe for " + probe.question + " gave no answer that can be read (status " +
                  std::to_string(result->exit_status) + ")";
  if (const auto said = one_line(result->errors); !said.empty()) reply.why_not += ": " + said;
  return reply;
}

CudaDevice read_cuda_device(const Json& object, int ordinal, const Source& source) {
  CudaDevice device;
  device.ordinal = int_at(object, "ordinal").value_or(ordinal);
  device.name = text_at(object, "name").value_or("");
  device.uuid = text_at(object, "uuid").value_or("");
  device.pci = lower(text_at(object, "pci").value_or(""));
  device.compute_capability = capability_at(object).value_or(ComputeCapability{});
  device.multiprocessors = int_at(object, "multiprocessors").value_or(0);
  device.memory = unsigned_at(object, "memory").value_or(0);
  if (const auto mode = int_at(object, "compute_mode")) {
    device.compute_mode = Fact<int>::known(*mode, source);
  }
  if (const auto integrated = int_at(object, "integrated")) {
    device.integrated = Fact<bool>::known(*integrated != 0, source);
  }
  if (const auto error = int_at(object, "error")) device.error = Fact<int>::known(*error, source);
  return device;
}

Fact<CudaProbe> read_cuda(const Reply& reply) {
  const Source source{"probe " + cuda_probe().name, 0};
  if (!reply.answer) {
    return reply.why_not.empty() ? Fact<CudaProbe>()
                                 : Fact<CudaProbe>::unknown(reply.why_not, source);
  }
  const Json& object = *reply.answer;
  CudaProbe probe;
  probe.library = text_at(object, "library").value_or("");
  probe.load_error = text_at(object, "load_error").value_or("");
  const auto init = int_at(object, "init");
  if (!init && probe.load_error.empty()) {
    return Fact<CudaProbe>::unknown(probe.library + ": gave no result of cuInit", source);
  }
  probe.init = init.value_or(0);
  if (init) {
    probe.init_name =
        text_at(object, "init_name").value_or(std::string(cuda_error_name(probe.init)));
  }
  probe.driver_version = int_at(object, "driver_version").value_or(0);
  if (const auto* devices = list_at(object, "devices")) {
    for (const auto& device : *devices) {
      if (!device.is_object() || probe.devices.size() >= kMostDevices) continue;
      probe.devices.push_back(
          read_cuda_device(device, static_cast<int>(probe.devices.size()), source));
    }
  }
  probe.count = int_at(object, "count").value_or(static_cast<int>(probe.devices.size()));
  return Fact<CudaProbe>::known(std::move(probe), source);
}

/// A fact of what one call of NVML answered.
template <class T, class V>
Fact<T> told(const std::optional<V>& value, const char* what, const Source& source) {
  if (!value) return Fact<T>::unknown(std::string("NVML did not tell the ") + what, source);
  return Fact<T>::known(static_cast<T>(*value), source);
}

Fact<std::vector<GpuProcess>> read_processes(const Json& object, const Source& source) {
  using Processes = Fact<std::vector<GpuProcess>>;
  const auto* list = list_at(object, "processes");
  if (list == nullptr) return Processes::unknown("NVML did not tell the processes", source);
  std::vector<GpuProcess> processes;
  for (const auto& entry : *list) {
    if (!entry.is_object() || processes.size() >= kMostProcesses) continue;
    const auto pid = int_at(entry, "pid");
    if (pid) processes.push_back({*pid, unsigned_at(entry, "memory").value_or(0)});
  }
  return Processes::known(std::move(processes), source);
}

void read_instances(const Json& object, NvmlDevice& device) {
  const auto* list = list_at(object, "instances");
  if (list == nullptr) return;
  for (const auto& entry : *list) {
    if (!entry.is_object() || device.instances.size() >= kMostDevices) continue;
    device.instances.push_back({text_at(entry, "uuid").value_or(""),
                                unsigned_at(entry, "memory_total").value_or(0),
                                unsigned_at(entry, "memory_free").value_or(0)});
  }
}

void read_neighbours(const Json& object, NvmlDevice& device) {
  const auto* list = list_at(object, "neighbours");
  if (list == nullptr) return;
  for (const auto& entry : *list) {
    if (!entry.is_object() || device.neighbours.size() >= kMostDevices) continue;
    const auto index = int_at(entry, "index");
    const auto level = int_at(entry, "level");
    if (index && level) {
      device.neighbours.push_back({*index, int_at(entry, "nvlink").value_or(0) != 0, *level});
    }
  }
}

NvmlDevice read_nvml_device(const Json& object, int index, const Source& source) {
  NvmlDevice device;
  device.index = int_at(object, "index").value_or(index);
  device.name = text_at(object, "name").value_or("");
  device.uuid = text_at(object, "uuid").value_or("");
  device.pci = lower(text_at(object, "pci").value_or(""));
  device.compute_capability =
      told<ComputeCapability>(capability_at(object), "compute capability", source);
  device.memory_total = told<std::uint64_t>(unsigned_at(object, "memory_total"), "memory", source);
  device.memory_used = told<std::uint64_t>(unsigned_at(object, "memory_used"), "memory", source);
  device.memory_free = told<std::uint64_t>(unsigned_at(object, "memory_free"), "memory", source);
  device.compute_mode = told<int>(int_at(object, "compute_mode"), "compute mode", source);
  device.mig = told<bool>(int_at(object, "mig_mode"), "MIG mode", source);
  device.ecc = told<bool>(int_at(object, "ecc_mode"), "ECC mode", source);
  device.ecc_uncorrected =
      told<std::uint64_t>(unsigned_at(object, "ecc_uncorrected"), "ECC errors", source);
  device.processes = read_processes(object, source);
  device.utilization = told<int>(int_at(object, "utilization_gpu"), "utilization", source);
  device.temperature = told<int>(int_at(object, "temperature"), "temperature", source);
  device.pcie_generation = told<int>(int_at(object, "pcie_generation"), "PCIe generation", source);
  device.pcie_lanes = told<int>(int_at(object, "pcie_lanes"), "PCIe lanes", source);
  device.pcie_lanes_now = told<int>(int_at(object, "pcie_lanes_now"), "PCIe lanes in use", source);
  device.nvlinks = told<int>(int_at(object, "nvlinks"), "NVLinks", source);
  device.nvlink_version = told<int>(int_at(object, "nvlink_version"), "NVLink version", source);
  read_instances(object, device);
  read_neighbours(object, device);
  if (const auto error = int_at(object, "error")) device.error = Fact<int>::known(*error, source);
  return device;
}

Fact<NvmlProbe> read_nvml(const Reply& reply) {
  const Source source{"probe " + nvml_probe().name, 0};
  if (!reply.answer) {
    return reply.why_not.empty() ? Fact<NvmlProbe>()
                                 : Fact<NvmlProbe>::unknown(reply.why_not, source);
  }
  const Json& object = *reply.answer;
  NvmlProbe probe;
  probe.library = text_at(object, "library").value_or("");
  probe.load_error = text_at(object, "load_error").value_or("");
  const auto init = int_at(object, "init");
  if (!init && probe.load_error.empty()) {
    return Fact<NvmlProbe>::unknown(probe.library + ": gave no result of nvmlInit", source);
  }
  probe.init = init.value_or(0);
  if (init) {
    probe.init_name =
        text_at(object, "init_name").value_or(std::string(nvml_error_name(probe.init)));
  }
  probe.driver_version = text_at(object, "driver_version").value_or("");
  probe.cuda_version = int_at(object, "cuda_version").value_or(0);
  if (const auto* devices = list_at(object, "devices")) {
    for (const auto& device : *devices) {
      if (!device.is_object() || probe.devices.size() >= kMostDevices) continue;
      probe.devices.push_back(
          read_nvml_device(device, static_cast<int>(probe.devices.size()), source));
    }
  }
  return Fact<NvmlProbe>::known(std::move(probe), source);
}

void collect(System& system, const Scope& scope, Facts& facts) {
  if (!scope.probes) return;
  const Environment& own = system.environment();
  const Reply reply = ask(system, cuda_probe(), own);
  facts.observed.cuda = read_cuda(reply);
  Environment unhidden = own;
  unhidden.erase("CUDA_VISIBLE_DEVICES");
  unhidden.erase("CUDA_DEVICE_ORDER");
  if (unhidden.size() == own.size() || reply.timed_out) { // who hung once would hang again
    facts.observed.cuda_unhidden = facts.observed.cuda;
  } else {
    facts.observed.cuda_unhidden = read_cuda(ask(system, cuda_probe(), unhidden));
  }
  facts.observed.nvml = read_nvml(ask(system, nvml_probe(), own));
}

} // namespace

Fact<CudaProbe> ask_cuda(System& system) {
  return read_cuda(ask(system, cuda_probe(), system.environment()));
}

Fact<NvmlProbe> ask_nvml(System& system) {
  return read_nvml(ask(system, nvml_probe(), system.environment()));
}

const Collector kDriverProbes{
    "driver_probes", "cuInit of libcuda.so.1 and nvmlInit of libnvidia-ml.so.1, in child processes",
    collect};

} // namespace gpuwhy
