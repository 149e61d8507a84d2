// Asks the driver's management library which GPUs the machine has and how they are.
//   probe_nvml [FILE]     FILE: the libnvidia-ml to ask instead of the one the loader finds
#include "nvml_result.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INSUFFICIENT_SIZE = 7, MOST_DEVICES = 128, MOST_PROCESSES = 16384 };
enum { FIRST_PROCESSES = 64, NAME_SIZE = 256 };
enum { UNCORRECTED_ERRORS = 1, SINCE_DRIVER_LOAD = 0, GPU_SENSOR = 0 };
enum { MOST_LINKS = 36, MOST_INSTANCES = 16, NVLINK_PEERS = 2, PEERS_OK = 0 };

static const uint64_t NOT_AVAILABLE = ~UINT64_C(0);

typedef struct opaque_device* device_handle;

// The three generations of the structure begin alike; the newest is 68 bytes long.
struct pci {
  char bus_id[16];
  unsigned domain, bus, device;
  unsigned char rest[100];
};

struct memory {
  unsigned long long total, free, used;
};

struct memory_v2 {
  unsigned version; // size of the structure, and 2 in the top byte
  unsigned long long total, reserved, free, used;
};

struct process {
  unsigned pid;
  unsigned long long memory;
};

struct process_v2 {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

struct utilization {
  unsigned gpu, memory;
};

_Static_assert(sizeof(struct pci) >= 128, "room for what a newer library may write");
_Static_assert(sizeof(struct memory_v2) == 40, "layout of the management library");
_Static_assert(sizeof(struct process_v2) == 24, "layout of the management library");
_Static_assert(sizeof(struct process) == 16, "layout of the management library");

static struct {
  int (*init)(void);
  int (*driver_version)(char* text, unsigned size);
  int (*cuda_version)(int* version);
  int (*device_count)(unsigned* count);
  int (*device)(unsigned index, device_handle* device);
  int (*name)(device_handle device, char* text, unsigned size);
  int (*uuid)(device_handle device, char* text, unsigned size);
  int (*pci)(device_handle device, struct pci* pci);
  int (*compute_capability)(device_handle device, int* major, int* minor);
  int (*memory)(device_handle device, struct memory* memory);
  int (*memory_v2)(device_handle device, struct memory_v2* memory);
  int (*compute_mode)(device_handle device, int* mode);
  int (*mig_mode)(device_handle device, unsigned* now, unsigned* pending);
  int (*ecc_mode)(device_handle device, int* now, int* pending);
  int (*ecc_errors)(device_handle device, int type, int counter, unsigned long long* count);
  int (*utilization)(device_handle device, struct utilization* utilization);
  int (*temperature)(device_handle device, int sensor, unsigned* degrees);
  int (*pcie_generation)(device_handle device, unsigned* generation);
  int (*pcie_lanes)(device_handle device, unsigned* lanes);
  int (*pcie_lanes_now)(device_handle device, unsigned* lanes);
  int (*link_state)(device_handle device, unsigned link, int* active);
  int (*link_version)(device_handle device, unsigned link, unsigned* version);
  int (*common_ancestor)(device_handle device, device_handle other, int* level);
  int (*peer_status)(device_handle device, device_handle other, int kind, int* status);
  int (*instance)(device_handle device, unsigned index, device_handle* instance);
  int (*processes)(device_handle device, unsigned* count, struct process* processes);
  int (*processes_v2)(device_handle device, unsigned* count, struct process_v2* processes);
} nvml;

static void bind_library(void* library) {
  BIND(nvml.init, library, "nvmlInit_v2", "nvmlInit");
  BIND(nvml.driver_version, library, "nvmlSystemGetDriverVersion");
  BIND(nvml.cuda_version, library, "nvmlSystemGetCudaDriverVersion_v2",
       "nvmlSystemGetCudaDriverVersion");
  BIND(nvml.device_count, library, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
  BIND(nvml.device, library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
  BIND(nvml.name, library, "nvmlDeviceGetName");
  BIND(nvml.uuid, library, "nvmlDeviceGetUUID");
  BIND(nvml.pci, library, "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2",
       "nvmlDeviceGetPciInfo");
  BIND(nvml.compute_capability, library, "nvmlDeviceGetCudaComputeCapability");
  BIND(nvml.memory, library, "nvmlDeviceGetMemoryInfo");
  BIND(nvml.memory_v2, library, "nvmlDeviceGetMemoryInfo_v2");
  BIND(nvml.compute_mode, library, "nvmlDeviceGetComputeMode");
  BIND(nvml.mig_mode, library, "nvmlDeviceGetMigMode");
  BIND(nvml.ecc_mode, library, "nvmlDeviceGetEccMode");
  BIND(nvml.ecc_errors, library, "nvmlDeviceGetTotalEccErrors");
  BIND(nvml.utilization, library, "nvmlDeviceGetUtilizationRates");
  BIND(nvml.temperature, library, "nvmlDeviceGetTemperature");
  BIND(nvml.pcie_generation, library, "nvmlDeviceGetMaxPcieLinkGeneration");
  BIND(nvml.pcie_lanes, library, "nvmlDeviceGetMaxPcieLinkWidth");
  BIND(nvml.pcie_lanes_now, library, "nvmlDeviceGetCurrPcieLinkWidth");
  BIND(nvml.link_state, library, "nvmlDeviceGetNvLinkState");
  BIND(nvml.link_version, library, "nvmlDeviceGetNvLinkVersion");
  BIND(nvml.common_ancestor, library, "nvmlDeviceGetTopologyCommonAncestor");
  BIND(nvml.peer_status, library, "nvmlDeviceGetP2PStatus");
  BIND(nvml.instance, library, "nvmlDeviceGetMigDeviceHandleByIndex");
  // _v2 first: the record of _v3 grew by 8 bytes in some releases of the 535 driver and shrank
  // back later, while _v2 has kept its layout. Both say the same here.
  BIND(nvml.processes_v2, library, "nvmlDeviceGetComputeRunningProcesses_v2",
       "nvmlDeviceGetComputeRunningProcesses_v3");
  BIND(nvml.processes, library, "nvmlDeviceGetComputeRunningProcesses");
}

static void put_memory(device_handle device) {
  struct memory_v2 newer = {.version = sizeof(newer) | 2u << 24};
  if (nvml.memory_v2 && nvml.memory_v2(device, &newer) == SUCCESS) {
    put_unsigned("memory_total", newer.total);
    put_unsigned("memory_used", newer.used);
    put_unsigned("memory_free", newer.free);
    return;
  }
  struct memory older = {0};
  if (nvml.memory && nvml.memory(device, &older) == SUCCESS) {
    put_unsigned("memory_total", older.total);
    put_unsigned("memory_used", older.used);
    put_unsigned("memory_free", older.free);
  }
}

static void put_process(unsigned pid, uint64_t memory) {
  open_object(NULL);
  put_unsigned("pid", pid);
  if (memory != NOT_AVAILABLE) put_unsigned("memory", memory);
  close_object();
}

// Fills `records` with as many as there are; NULL when the library does not say.
static void* list_processes(device_handle device, unsigned* count) {
  size_t size = nvml.processes_v2 ? sizeof(struct process_v2) : sizeof(struct process);
  for (unsigned capacity = FIRST_PROCESSES; capacity <= MOST_PROCESSES; capacity *= 4) {
    void* records = calloc(capacity, size);
    if (!records) return NULL;
    *count = capacity;
    int result = nvml.processes_v2 ? nvml.processes_v2(device, count, records)
                                   : nvml.processes(device, count, records);
    if (result == SUCCESS && *count <= capacity) return records;
    free(records);
    if (result != INSUFFICIENT_SIZE) return NULL;
  }
  return NULL;
}

static void put_processes(device_handle device) {
  if (!nvml.processes && !nvml.processes_v2) return;
  unsigned count = 0;
  void* records = list_processes(device, &count);
  if (!records) return;
  open_list("processes");
  for (unsigned i = 0; i < count; ++i) {
    if (nvml.processes_v2) {
      const struct process_v2* process = (const struct process_v2*)records + i;
      put_process(process->pid, process->memory);
    } else {
      const struct process* process = (const struct process*)records + i;
      put_process(process->pid, process->memory);
    }
  }
  close_list();
  free(records);
}

static void put_identity(device_handle device) {
  char text[NAME_SIZE] = "";
  if (nvml.name && nvml.name(device, text, sizeof(text)) == SUCCESS)
    put_bounded_text("name", text, sizeof(text));
  memset(text, 0, sizeof(text));
  if (nvml.uuid && nvml.uuid(device, text, sizeof(text)) == SUCCESS)
    put_bounded_text("uuid", text, sizeof(text));
  struct pci pci;
  memset(&pci, 0, sizeof(pci));
  if (nvml.pci && nvml.pci(device, &pci) == SUCCESS) {
    snprintf(text, sizeof(text), "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
    put_text("pci", text);
  }
  int major = 0, minor = 0;
  if (nvml.compute_capability && nvml.compute_capability(device, &major, &minor) == SUCCESS) {
    snprintf(text, sizeof(text), "%d.%d", major, minor);
    put_text("compute_capability", text);
  }
}

static void put_state(device_handle device) {
  int mode = 0, pending_mode = 0;
  if (nvml.compute_mode && nvml.compute_mode(device, &mode) == SUCCESS)
    put_integer("compute_mode", mode);
  unsigned mig = 0, pending_mig = 0;
  if (nvml.mig_mode && nvml.mig_mode(device, &mig, &pending_mig) == SUCCESS)
    put_unsigned("mig_mode", mig);
  if (nvml.ecc_mode && nvml.ecc_mode(device, &mode, &pending_mode) == SUCCESS)
    put_integer("ecc_mode", mode);
  unsigned long long errors = 0;
  if (nvml.ecc_errors &&
      nvml.ecc_errors(device, UNCORRECTED_ERRORS, SINCE_DRIVER_LOAD, &errors) == SUCCESS)
    put_unsigned("ecc_uncorrected", errors);
  struct utilization busy = {0};
  if (nvml.utilization && nvml.utilization(device, &busy) == SUCCESS)
    put_unsigned("utilization_gpu", busy.gpu);
  unsigned degrees = 0;
  if (nvml.temperature && nvml.temperature(device, GPU_SENSOR, &degrees) == SUCCESS)
    put_unsigned("temperature", degrees);
}

static void put_if_told(const char* key, int (*ask)(device_handle, unsigned*),
                        device_handle device) {
  unsigned value = 0;
  if (ask && ask(device, &value) == SUCCESS) put_unsigned(key, value);
}

static void put_links(device_handle device) {
  put_if_told("pcie_generation", nvml.pcie_generation, device);
  put_if_told("pcie_lanes", nvml.pcie_lanes, device);
  put_if_told("pcie_lanes_now", nvml.pcie_lanes_now, device);
  if (!nvml.link_state) return;
  unsigned up = 0, version = 0;
  for (unsigned link = 0; link < MOST_LINKS; ++link) {
    int active = 0;
    if (nvml.link_state(device, link, &active) != SUCCESS || !active) continue;
    if (!up && nvml.link_version && nvml.link_version(device, link, &version) == SUCCESS)
      put_unsigned("nvlink_version", version);
    ++up;
  }
  put_unsigned("nvlinks", up);
}

static void put_neighbours(unsigned index, device_handle device, unsigned count) {
  if (!nvml.common_ancestor || count < 2) return;
  open_list("neighbours");
  for (unsigned i = 0; i < count && i < MOST_DEVICES; ++i) {
    device_handle other = NULL;
    int level = 0, status = -1;
    if (i == index || nvml.device(i, &other) != SUCCESS) continue;
    if (nvml.common_ancestor(device, other, &level) != SUCCESS) continue;
    if (!nvml.peer_status || nvml.peer_status(device, other, NVLINK_PEERS, &status) != SUCCESS)
      status = -1;
    open_object(NULL);
    put_unsigned("index", i);
    put_integer("level", level);
    put_integer("nvlink", status == PEERS_OK);
    close_object();
  }
  close_list();
}

static void put_instances(device_handle device) {
  if (!nvml.instance) return;
  open_list("instances");
  for (unsigned i = 0; i < MOST_INSTANCES; ++i) {
    device_handle instance = NULL;
    char text[NAME_SIZE] = "";
    if (nvml.instance(device, i, &instance) != SUCCESS) continue;
    open_object(NULL);
    if (nvml.uuid && nvml.uuid(instance, text, sizeof(text)) == SUCCESS)
      put_bounded_text("uuid", text, sizeof(text));
    put_memory(instance);
    close_object();
  }
  close_list();
}

static void put_device(unsigned index, unsigned count) {
  open_object(NULL);
  put_unsigned("index", index);
  device_handle device = NULL;
  int result = nvml.device(index, &device);
  if (result != SUCCESS) { // for instance a GPU that fell off the bus
    put_integer("error", result);
    put_result_name("error_name", result);
    close_object();
    return;
  }
  put_identity(device);
  put_memory(device);
  put_state(device);
  put_processes(device);
  put_links(device);
  put_neighbours(index, device, count);
  put_instances(device);
  close_object();
}

static void put_devices(void) {
  unsigned count = 0;
  if (!nvml.device_count || nvml.device_count(&count) != SUCCESS) return;
  put_unsigned("count", count);
  if (!nvml.device) return;
  open_list("devices");
  for (unsigned i = 0; i < count && i < MOST_DEVICES; ++i) put_device(i, count);
  close_list();
}

int main(int argc, char** argv) {
  probe_begin("gpuwhy.probe.nvml/1");
  void* library = open_driver("libnvidia-ml.so.1", argc > 1 ? argv[1] : NULL);
  if (!library) probe_end();
  bind_library(library);
  void* anchor = dlsym(library, "nvmlInit_v2");
  put_library_of(anchor ? anchor : dlsym(library, "nvmlInit"));
  if (nvml.init) {
    int result = nvml.init();
    put_integer("init", result);
    put_result_name("init_name", result);
  }
  char text[NAME_SIZE] = "";
  if (nvml.driver_version && nvml.driver_version(text, sizeof(text)) == SUCCESS)
    put_bounded_text("driver_version", text, sizeof(text));
  int version = 0;
  if (nvml.cuda_version && nvml.cuda_version(&version) == SUCCESS)
    put_integer("cuda_version", version);
  put_devices();
  probe_end();
}
