// Written for tests: a libnvidia-ml.so.1 for the machine of machine.h.
//
// Like the real one it ignores CUDA_VISIBLE_DEVICES and counts by PCI bus. Besides machine.h:
//   STUB_NVML_INIT=N    nvmlInit returns N
//   STUB_NVML_HANG=1    nvmlInit never returns
//   STUB_NVML_CRASH=1   nvmlInit aborts
//   STUB_NVML_TRACE=1   every call is written to standard error
// Lists give one value a GPU:
//   STUB_NVML_USED      MiB of memory in use
//   STUB_NVML_DEGREES   temperature
//   STUB_NVML_MODE      compute mode
//   STUB_NVML_INSTANCES number of MIG instances; 0 turns MIG mode off
//   STUB_NVML_NODE      NUMA node
//   STUB_NVML_NVLINKS   a group; GPUs of one group other than 0 are linked
// What it shows over time, counted from nvmlInit:
//   STUB_NVML_BUSY="0:10,2.5:90;0:0"  utilisation from these seconds on; ';' separates GPUs
//   STUB_NVML_HANG_AFTER=S   no call returns any more
//   STUB_NVML_DIE_AFTER=S    the next call aborts
//   STUB_NVML_LOST_AFTER=S   GPU 0 has fallen off the bus
//   STUB_NVML_REASONS=N      reasons for lowered clocks
//   STUB_NVML_PROCESS_FILE=F lines "PID MIB GPU": who holds memory; read at each call
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int result;
typedef const struct gpu* handle;

enum {
  OK = 0,
  UNINITIALIZED = 1,
  INVALID_ARGUMENT = 2,
  NOT_SUPPORTED = 3,
  NO_PERMISSION = 4,
  NOT_FOUND = 6,
  INSUFFICIENT_SIZE = 7,
  DRIVER_NOT_LOADED = 9,
  GPU_IS_LOST = 15,
};

struct pci {
  char short_id[16];
  unsigned domain, bus, device, vendor, subsystem;
  char id[32];
};

struct memory {
  unsigned long long total, free, used;
};

struct memory_v2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};

struct process {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

struct utilization {
  unsigned gpu, memory;
};

static struct machine machine;
static bool started;
static struct timespec begun;

static double elapsed(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) * 1e-9;
}

static bool is_after(const char* variable) {
  const char* value = getenv(variable);
  return value && *value && elapsed() >= atof(value);
}

// What happens to every call in time.
static void age(void) {
  if (is_after("STUB_NVML_DIE_AFTER")) abort();
  while (is_after("STUB_NVML_HANG_AFTER")) pause();
}

// The value that a list "SECONDS:VALUE,..." has reached; lists of several GPUs are separated by
// ';'.
static unsigned reached(const char* variable, int gpu) {
  const char* list = getenv(variable);
  for (; list && gpu > 0; --gpu) {
    list = strchr(list, ';');
    if (list) ++list;
  }
  unsigned value = 0;
  while (list && *list && *list != ';') {
    double from = 0;
    unsigned next = 0;
    if (sscanf(list, "%lf:%u", &from, &next) != 2 || from > elapsed()) break;
    value = next;
    list += strcspn(list, ",;");
    if (*list == ',') ++list;
  }
  return value;
}

static const unsigned long long RESERVED = 512ull << 20;

static void trace(const char* call) {
  static int wanted = -1;
  if (wanted < 0) wanted = stub_flag("STUB_NVML_TRACE");
  if (wanted) fprintf(stderr, "stub libnvidia-ml: %s\n", call);
}

#define REQUIRE_INIT()                                                                             \
  do {                                                                                             \
    trace(__func__);                                                                               \
    if (!started) return UNINITIALIZED;                                                            \
    age();                                                                                         \
  } while (0)
#define REQUIRE(device)                                                                            \
  do {                                                                                             \
    REQUIRE_INIT();                                                                                \
    if (!(device)) return INVALID_ARGUMENT;                                                        \
  } while (0)

EXPORT result nvmlInit_v2(void) {
  trace(__func__);
  if (stub_flag("STUB_NVML_CRASH")) abort();
  while (stub_flag("STUB_NVML_HANG")) pause();
  int forced = stub_number("STUB_NVML_INIT", OK);
  if (forced != OK) return forced;
  read_machine(&machine);
  if (stub_flag("STUB_CUDA_CHECK_NODES")) {
    enum node control = control_node();
    if (control == NODE_MISSING) return DRIVER_NOT_LOADED;
    if (control == NODE_UNREADABLE) return NO_PERMISSION;
    int kept = 0;
    for (int i = 0; i < machine.count; ++i) {
      if (gpu_node(machine.gpus[i].slot) == NODE_PRESENT) machine.gpus[kept++] = machine.gpus[i];
    }
    machine.count = kept;
  }
  started = true;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  return OK;
}

EXPORT result nvmlInit(void) {
  return nvmlInit_v2();
}

EXPORT result nvmlInitWithFlags(unsigned flags) {
  (void)flags;
  return nvmlInit_v2();
}

EXPORT result nvmlShutdown(void) {
  REQUIRE_INIT();
  started = false;
  return OK;
}

EXPORT const char* nvmlErrorString(result code) {
  switch (code) {
  case OK: return "Success";
  case UNINITIALIZED: return "Uninitialized";
  case INVALID_ARGUMENT: return "Invalid Argument";
  case NOT_SUPPORTED: return "Not Supported";
  case NO_PERMISSION: return "Insufficient Permissions";
  case NOT_FOUND: return "Not Found";
  case DRIVER_NOT_LOADED: return "Driver Not Loaded";
  case 18: return "Driver/library version mismatch";
  default: return "Unknown Error";
  }
}

EXPORT result nvmlSystemGetDriverVersion(char* text, unsigned size) {
  REQUIRE_INIT();
  own_version((const void*)(size_t)nvmlInit_v2, text, size);
  return OK;
}

EXPORT result nvmlSystemGetCudaDriverVersion_v2(int* version) {
  trace(__func__);
  *version = stub_number("STUB_CUDA_VERSION", 13000);
  return OK;
}

EXPORT result nvmlSystemGetCudaDriverVersion(int* version) {
  return nvmlSystemGetCudaDriverVersion_v2(version);
}

EXPORT result nvmlDeviceGetCount_v2(unsigned* count) {
  REQUIRE_INIT();
  *count = (unsigned)machine.count;
  return OK;
}

EXPORT result nvmlDeviceGetHandleByIndex_v2(unsigned index, handle* device) {
  REQUIRE_INIT();
  if (index >= (unsigned)machine.count) return INVALID_ARGUMENT;
  *device = &machine.gpus[index];
  return OK;
}

EXPORT result nvmlDeviceGetHandleByUUID(const char* uuid, handle* device) {
  REQUIRE_INIT();
  for (int i = 0; i < machine.count; ++i) {
    if (strcmp(machine.gpus[i].uuid_text, uuid) != 0) continue;
    *device = &machine.gpus[i];
    return OK;
  }
  return NOT_FOUND;
}

EXPORT result nvmlDeviceGetHandleByPciBusId_v2(const char* id, handle* device) {
  REQUIRE_INIT();
  unsigned domain = 0, bus = 0;
  if (sscanf(id, "%x:%x:", &domain, &bus) != 2 || domain) return INVALID_ARGUMENT;
  for (int i = 0; i < machine.count; ++i) {
    if (machine.gpus[i].slot + 1 != (int)bus) continue;
    *device = &machine.gpus[i];
    return OK;
  }
  return NOT_FOUND;
}

EXPORT result nvmlDeviceGetName(handle device, char* text, unsigned size) {
  REQUIRE(device);
  snprintf(text, size, "Stub GPU %d", device->slot);
  return OK;
}

EXPORT result nvmlDeviceGetUUID(handle device, char* text, unsigned size) {
  REQUIRE(device);
  snprintf(text, size, "%s", device->uuid_text);
  return OK;
}

EXPORT result nvmlDeviceGetMinorNumber(handle device, unsigned* number) {
  REQUIRE(device);
  *number = (unsigned)device->slot;
  return OK;
}

EXPORT result nvmlDeviceGetPciInfo_v3(handle device, struct pci* pci) {
  REQUIRE(device);
  unsigned bus = ((unsigned)device->slot + 1) & 0xff;
  memset(pci, 0, sizeof(*pci));
  snprintf(pci->short_id, sizeof(pci->short_id), "0000:%02X:00.0", bus);
  snprintf(pci->id, sizeof(pci->id), "00000000:%02X:00.0", bus);
  pci->bus = bus;
  pci->vendor = 0x268410de;
  return OK;
}

EXPORT result nvmlDeviceGetCudaComputeCapability(handle device, int* major, int* minor) {
  REQUIRE(device);
  *major = device->major;
  *minor = device->minor;
  return OK;
}

static unsigned long long used_by_others(handle device) {
  return (unsigned long long)stub_item("STUB_NVML_USED", device->slot, 0) << 20;
}

EXPORT result nvmlDeviceGetMemoryInfo(handle device, struct memory* memory) {
  REQUIRE(device);
  memory->total = device->memory;
  memory->used = RESERVED + used_by_others(device);
  memory->free = memory->total - memory->used;
  return OK;
}

EXPORT result nvmlDeviceGetMemoryInfo_v2(handle device, struct memory_v2* memory) {
  REQUIRE(device);
  if (memory->version != (sizeof(*memory) | 2u << 24)) return INVALID_ARGUMENT;
  memory->total = device->memory;
  memory->reserved = RESERVED;
  memory->used = used_by_others(device);
  memory->free = memory->total - RESERVED - memory->used;
  return OK;
}

EXPORT result nvmlDeviceGetComputeMode(handle device, int* mode) {
  REQUIRE(device);
  *mode = stub_item("STUB_NVML_MODE", device->slot, 0);
  return OK;
}

EXPORT result nvmlDeviceGetMigMode(handle device, unsigned* now, unsigned* pending) {
  REQUIRE(device);
  if (!getenv("STUB_NVML_INSTANCES")) return NOT_SUPPORTED;
  *now = *pending = stub_item("STUB_NVML_INSTANCES", device->slot, 0) > 0;
  return OK;
}

// An instance is a GPU with a slot that no GPU has, a sixth of the memory and a UUID of its own.
EXPORT result nvmlDeviceGetMigDeviceHandleByIndex(handle device, unsigned index, handle* instance) {
  static struct gpu instances[MOST_GPUS][MOST_GPUS];
  REQUIRE(device);
  if (device->slot >= MOST_GPUS) return INVALID_ARGUMENT;
  if (index >= (unsigned)stub_item("STUB_NVML_INSTANCES", device->slot, 0) || index >= MOST_GPUS)
    return NOT_FOUND;
  struct gpu* part = &instances[device->slot][index];
  *part = *device;
  part->slot = MOST_GPUS;
  part->memory = device->memory / 6;
  snprintf(part->uuid_text, sizeof(part->uuid_text), "MIG-57ab0000-0000-4000-8000-00000000%02x%02x",
           (unsigned)device->slot & 0xff, index & 0xff);
  *instance = part;
  return OK;
}

EXPORT result nvmlDeviceGetTopologyCommonAncestor(handle device, handle other, int* level) {
  enum { SAME_NODE = 40, SYSTEM = 50 };
  REQUIRE(device);
  if (!other) return INVALID_ARGUMENT;
  int node = stub_item("STUB_NVML_NODE", device->slot, 0);
  *level = node == stub_item("STUB_NVML_NODE", other->slot, 0) ? SAME_NODE : SYSTEM;
  return OK;
}

EXPORT result nvmlDeviceGetP2PStatus(handle device, handle other, int kind, int* status) {
  enum { NVLINK = 2, PEERS_OK = 0, NOT_CONNECTED = 5 };
  REQUIRE(device);
  if (!other || kind != NVLINK) return INVALID_ARGUMENT;
  int group = stub_item("STUB_NVML_NVLINKS", device->slot, 0);
  *status =
      group && group == stub_item("STUB_NVML_NVLINKS", other->slot, 0) ? PEERS_OK : NOT_CONNECTED;
  return OK;
}

EXPORT result nvmlDeviceGetUtilizationRates(handle device, struct utilization* busy) {
  REQUIRE(device);
  if (device->slot == 0 && is_after("STUB_NVML_LOST_AFTER")) return GPU_IS_LOST;
  busy->gpu = reached("STUB_NVML_BUSY", device->slot);
  busy->memory = 0;
  return OK;
}

EXPORT result nvmlDeviceGetTemperature(handle device, int sensor, unsigned* degrees) {
  REQUIRE(device);
  if (sensor) return INVALID_ARGUMENT;
  *degrees = (unsigned)stub_item("STUB_NVML_DEGREES", device->slot, 40);
  return OK;
}

EXPORT result nvmlDeviceGetPowerUsage(handle device, unsigned* milliwatts) {
  REQUIRE(device);
  *milliwatts = 30000;
  return OK;
}

EXPORT result nvmlDeviceGetMaxPcieLinkGeneration(handle device, unsigned* generation) {
  REQUIRE(device);
  *generation = 4;
  return OK;
}

EXPORT result nvmlDeviceGetCurrPcieLinkGeneration(handle device, unsigned* generation) {
  return nvmlDeviceGetMaxPcieLinkGeneration(device, generation);
}

EXPORT result nvmlDeviceGetGpuMaxPcieLinkGeneration(handle device, unsigned* generation) {
  return nvmlDeviceGetMaxPcieLinkGeneration(device, generation);
}

EXPORT result nvmlDeviceGetMaxPcieLinkWidth(handle device, unsigned* lanes) {
  REQUIRE(device);
  *lanes = 16;
  return OK;
}

EXPORT result nvmlDeviceGetCurrPcieLinkWidth(handle device, unsigned* lanes) {
  return nvmlDeviceGetMaxPcieLinkWidth(device, lanes);
}

EXPORT result nvmlDeviceGetPcieSpeed(handle device, unsigned* megabits) {
  REQUIRE(device);
  *megabits = 16000;
  return OK;
}

EXPORT result nvmlDeviceGetNvLinkState(handle device, unsigned link, unsigned* active) {
  REQUIRE(device);
  (void)link, (void)active;
  return NOT_SUPPORTED;
}

EXPORT result nvmlDeviceGetGpuFabricInfoV(handle device, void* info) {
  REQUIRE(device);
  (void)info;
  return NOT_SUPPORTED;
}

EXPORT result nvmlDeviceGetFieldValues(handle device, int count, void* values) {
  REQUIRE(device);
  (void)count, (void)values;
  return NOT_SUPPORTED;
}

static result listed_processes(handle device, unsigned* count, struct process* processes) {
  FILE* file = fopen(getenv("STUB_NVML_PROCESS_FILE"), "re");
  unsigned room = *count;
  *count = 0;
  unsigned pid = 0, mebibytes = 0;
  int gpu = 0;
  while (file && fscanf(file, "%u %u %d", &pid, &mebibytes, &gpu) == 3) {
    if (gpu != device->slot) continue;
    if (*count < room)
      processes[*count] = (struct process){pid, (unsigned long long)mebibytes << 20, 0, 0};
    ++*count;
  }
  if (file) fclose(file);
  return *count > room ? INSUFFICIENT_SIZE : OK;
}

EXPORT result nvmlDeviceGetCurrentClocksThrottleReasons(handle device,
                                                        unsigned long long* reasons) {
  REQUIRE(device);
  *reasons = (unsigned long long)stub_number("STUB_NVML_REASONS", 0);
  return OK;
}

EXPORT result nvmlDeviceGetClockInfo(handle device, int which, unsigned* megahertz) {
  REQUIRE(device);
  *megahertz = which == 2 ? 10500 : (unsigned)stub_number("STUB_NVML_CLOCK", 2500);
  return OK;
}

EXPORT result nvmlDeviceGetMaxClockInfo(handle device, int which, unsigned* megahertz) {
  REQUIRE(device);
  *megahertz = which == 2 ? 10500 : 2500;
  return OK;
}

// STUB_NVML_PROCESSES=N: N processes with the numbers 1000, 1001, ... hold 1 MiB each.
EXPORT result nvmlDeviceGetComputeRunningProcesses_v2(handle device, unsigned* count,
                                                      struct process* processes) {
  REQUIRE(device);
  if (getenv("STUB_NVML_PROCESS_FILE")) return listed_processes(device, count, processes);
  unsigned running = (unsigned)stub_number("STUB_NVML_PROCESSES", 0);
  unsigned room = *count;
  *count = running;
  if (room < running) return INSUFFICIENT_SIZE;
  for (unsigned i = 0; i < running; ++i) processes[i] = (struct process){1000 + i, 1 << 20, 0, 0};
  return OK;
}

EXPORT result nvmlDeviceGetComputeRunningProcesses_v3(handle device, unsigned* count,
                                                      struct process* processes) {
  return nvmlDeviceGetComputeRunningProcesses_v2(device, count, processes);
}
