// Written for tests: a libcuda.so.1 that answers questions about GPUs that do not exist.
//
// It starts, counts and describes devices as driver 580 was seen to do, far enough for
// TensorFlow to list them; work.c has memory and a few kernels. Besides machine.h:
//   STUB_CUDA_INIT=N    cuInit returns N
//   STUB_CUDA_HANG=1    cuInit never returns
//   STUB_CUDA_CRASH=1   cuInit aborts
//   STUB_CUDA_PRINT=1   cuInit prints on standard output
//   STUB_CUDA_TRACE=1   every call is written to standard error
#include "machine.h"
#include "work.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int result;
typedef struct context* context;
struct uuid {
  unsigned char bytes[16];
};

enum {
  OK = 0,
  INVALID_VALUE = 1,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  NOT_FOUND = 500,
  NOT_SUPPORTED = 801,
  UNKNOWN = 999,
};

static struct {
  struct machine machine;
  struct gpu visible[MOST_GPUS];
  int count;
  result init; // what cuInit answered, NOT_INITIALIZED before
} driver = {.init = NOT_INITIALIZED};

struct context {
  int device;
};

static struct context primary[MOST_GPUS];
static bool primary_active[MOST_GPUS];
static _Thread_local context current;

static void trace(const char* call, const char* detail) {
  static int wanted = -1;
  if (wanted < 0) wanted = stub_flag("STUB_CUDA_TRACE");
  if (wanted) fprintf(stderr, "stub libcuda: %s %s\n", call, detail);
}

#define TRACE() trace(__func__, "")
#define REQUIRE_INIT()                                                                             \
  do {                                                                                             \
    TRACE();                                                                                       \
    if (driver.init != OK) return NOT_INITIALIZED;                                                 \
  } while (0)
#define REQUIRE_DEVICE(device)                                                                     \
  do {                                                                                             \
    REQUIRE_INIT();                                                                                \
    if ((device) < 0 || (device) >= driver.count) return INVALID_DEVICE;                           \
  } while (0)

// ---- Which devices the environment leaves visible, as observed on driver 580 ----

static bool is_faster(const struct gpu* a, const struct gpu* b) {
  if (a->multiprocessors != b->multiprocessors) return a->multiprocessors > b->multiprocessors;
  return a->major * 100 + a->minor > b->major * 100 + b->minor;
}

// Unset means FASTEST_FIRST; an empty or misspelt value is an error.
static result order_devices(struct gpu* gpus, int count) {
  const char* order = getenv("CUDA_DEVICE_ORDER");
  if (order && strcmp(order, "PCI_BUS_ID") == 0) return OK;
  if (order && strcmp(order, "FASTEST_FIRST") != 0) return INVALID_DEVICE;
  for (int i = 1; i < count; ++i) {
    for (int j = i; j > 0 && is_faster(&gpus[j], &gpus[j - 1]); --j) {
      struct gpu swapped = gpus[j];
      gpus[j] = gpus[j - 1];
      gpus[j - 1] = swapped;
    }
  }
  return OK;
}

// A decimal number with anything after it; it is cut to 32 bits. -1: no such device.
static int device_by_number(const char* entry, int count) {
  char* end = NULL;
  int number = (int)strtoul(entry, &end, 10);
  return end != entry && number >= 0 && number < count ? number : -1;
}

// "GPU-" in capitals and a beginning of the UUID in either case. Text may follow a whole UUID.
static int device_by_uuid(const char* entry, const struct gpu* gpus, int count) {
  size_t length = strcspn(entry, ",");
  size_t whole = UUID_TEXT - 1;
  if (length > whole) length = whole;
  if (length <= strlen("GPU-")) return -1;
  int found = -1;
  for (int i = 0; i < count; ++i) {
    if (strncasecmp(gpus[i].uuid_text, entry, length) != 0) continue;
    if (found >= 0) return -1; // more than one: not seen on the real driver, taken from its manual
    found = i;
  }
  return found;
}

// The first invalid entry ends the list. A list of numbers ends at the first UUID and the other
// way round: on one GPU the real driver shows one device for "0,GPU-..." and for "GPU-...,0"
// while it refuses "0,0" and "GPU-...,GPU-...".
static result choose_devices(const struct gpu* gpus, int count) {
  const char* list = getenv("CUDA_VISIBLE_DEVICES");
  if (!list) {
    memcpy(driver.visible, gpus, (size_t)count * sizeof(*gpus));
    driver.count = count;
    return OK;
  }
  bool by_uuid = strncmp(list, "GPU-", 4) == 0;
  bool taken[MOST_GPUS] = {false};
  for (const char* entry = list;;) {
    if ((strncmp(entry, "GPU-", 4) == 0) != by_uuid) break;
    int device = by_uuid ? device_by_uuid(entry, gpus, count) : device_by_number(entry, count);
    if (device < 0) break;
    if (taken[device]) return INVALID_DEVICE;
    taken[device] = true;
    driver.visible[driver.count++] = gpus[device];
    entry = strchr(entry, ',');
    if (!entry) break;
    ++entry;
  }
  return OK;
}

// Without device nodes, for a user who may not create them.
static result look_for_nodes(struct gpu* gpus, int* count) {
  if (!stub_flag("STUB_CUDA_CHECK_NODES")) return OK;
  if (control_node() != NODE_PRESENT) return NO_DEVICE;
  int kept = 0;
  for (int i = 0; i < *count; ++i) {
    if (gpu_node(gpus[i].slot) == NODE_PRESENT) gpus[kept++] = gpus[i];
  }
  *count = kept;
  if (kept == 0) return NO_DEVICE;
  return memory_node() == NODE_PRESENT ? OK : UNKNOWN;
}

static result start(void) {
  if (stub_flag("STUB_CUDA_PRINT")) {
    puts("stub libcuda: printed by the driver");
    fflush(stdout);
  }
  if (stub_flag("STUB_CUDA_CRASH")) abort();
  while (stub_flag("STUB_CUDA_HANG")) pause();
  int forced = stub_number("STUB_CUDA_INIT", OK);
  if (forced != OK) return forced;
  read_machine(&driver.machine);
  struct gpu gpus[MOST_GPUS];
  int count = driver.machine.count;
  memcpy(gpus, driver.machine.gpus, sizeof(gpus));
  result step = look_for_nodes(gpus, &count);
  if (step == OK) step = order_devices(gpus, count);
  if (step == OK) step = choose_devices(gpus, count);
  if (step != OK) return step;
  return driver.count == 0 ? NO_DEVICE : OK;
}

static void forget_in_child(void) {
  driver.init = NOT_INITIALIZED;
}

EXPORT result cuInit(unsigned flags) {
  TRACE();
  if (flags) return INVALID_VALUE;
  static pid_t owner;
  static result answer;
  if (owner && owner != getpid()) return NOT_INITIALIZED;
  if (!owner) {
    answer = start();
    owner = getpid();
    driver.init = answer == OK ? OK : NOT_INITIALIZED;
    pthread_atfork(NULL, NULL, forget_in_child);
  }
  return answer;
}

// ---- What can be asked before cuInit ----

EXPORT result cuDriverGetVersion(int* version) {
  TRACE();
  *version = stub_number("STUB_CUDA_VERSION", 13000);
  return OK;
}

static const struct {
  result code;
  const char *name, *text;
} errors[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "OS call failed or operation not supported on this OS"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
     "forward compatibility was attempted on non supported HW"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

static result describe_error(result code, const char** text, bool name) {
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); ++i) {
    if (errors[i].code != code) continue;
    *text = name ? errors[i].name : errors[i].text;
    return OK;
  }
  *text = NULL;
  return INVALID_VALUE;
}

EXPORT result cuGetErrorName(result code, const char** name) {
  TRACE();
  return describe_error(code, name, true);
}

EXPORT result cuGetErrorString(result code, const char** text) {
  TRACE();
  return describe_error(code, text, false);
}

// ---- Devices ----

EXPORT result cuDeviceGetCount(int* count) {
  REQUIRE_INIT();
  *count = driver.count;
  return OK;
}

EXPORT result cuDeviceGet(int* device, int ordinal) {
  REQUIRE_DEVICE(ordinal);
  *device = ordinal;
  return OK;
}

EXPORT result cuDeviceGetName(char* name, int size, int device) {
  REQUIRE_DEVICE(device);
  snprintf(name, (size_t)size, "Stub GPU %d", driver.visible[device].slot);
  return OK;
}

EXPORT result cuDeviceGetUuid(struct uuid* uuid, int device) {
  REQUIRE_DEVICE(device);
  memcpy(uuid->bytes, driver.visible[device].uuid, sizeof(uuid->bytes));
  return OK;
}

EXPORT result cuDeviceGetUuid_v2(struct uuid* uuid, int device) {
  return cuDeviceGetUuid(uuid, device);
}

EXPORT result cuDeviceGetPCIBusId(char* text, int size, int device) {
  REQUIRE_DEVICE(device);
  snprintf(text, (size_t)size, "0000:%02X:00.0", (unsigned)driver.visible[device].slot + 1);
  return OK;
}

EXPORT result cuDeviceGetByPCIBusId(int* device, const char* text) {
  REQUIRE_INIT();
  for (int i = 0; i < driver.count; ++i) {
    char id[32];
    snprintf(id, sizeof(id), "0000:%02x:00.0", (unsigned)driver.visible[i].slot + 1);
    if (strcasecmp(id, text) != 0) continue;
    *device = i;
    return OK;
  }
  return INVALID_DEVICE;
}

EXPORT result cuDeviceTotalMem_v2(size_t* bytes, int device) {
  REQUIRE_DEVICE(device);
  *bytes = driver.visible[device].memory;
  return OK;
}

EXPORT result cuDeviceTotalMem(size_t* bytes, int device) {
  return cuDeviceTotalMem_v2(bytes, device);
}

EXPORT result cuDeviceComputeCapability(int* major, int* minor, int device) {
  REQUIRE_DEVICE(device);
  *major = driver.visible[device].major;
  *minor = driver.visible[device].minor;
  return OK;
}

// The older structure of ten limits.
EXPORT result cuDeviceGetProperties(int* properties, int device) {
  REQUIRE_DEVICE(device);
  static const int values[] = {1024,  1024,  1024, 64,         2147483647, 65535,   65535,
                               49152, 65536, 32,   2147483647, 65536,      1740000, 512};
  memcpy(properties, values, sizeof(values));
  return OK;
}

EXPORT result cuDeviceGetAttribute(int* value, int attribute, int device) {
  REQUIRE_DEVICE(device);
  const struct gpu* gpu = &driver.visible[device];
  switch (attribute) {
  case 1:                             // threads in a block
  case 2:                             // block, x
  case 3: *value = 1024; break;       // block, y
  case 4: *value = 64; break;         // block, z
  case 5: *value = 2147483647; break; // grid, x
  case 6:                             // grid, y
  case 7: *value = 65535; break;      // grid, z
  case 8: *value = 49152; break;      // shared memory of a block
  case 9: *value = 65536; break;      // constant memory
  case 10: *value = 32; break;        // warp
  case 11: *value = 2147483647; break;
  case 12: *value = 65536; break;   // registers of a block
  case 13: *value = 1740000; break; // clock, kHz
  case 14: *value = 512; break;
  case 16: *value = gpu->multiprocessors; break;
  case 32: *value = 0; break; // ECC
  case 33: *value = gpu->slot + 1; break;
  case 34: *value = 0; break;
  case 36: *value = 10501000; break; // memory clock, kHz
  case 37: *value = 384; break;      // memory bus, bits
  case 38: *value = 72 << 20; break; // L2
  case 39: *value = 1536; break;     // threads of a multiprocessor
  case 40:                           // copy engines
  case 41: *value = 1; break;        // one address space
  case 75: *value = gpu->major; break;
  case 76: *value = gpu->minor; break;
  case 81: *value = 102400; break; // shared memory of a multiprocessor
  case 82: *value = 65536; break;  // registers of a multiprocessor
  case 97: *value = 101376; break; // shared memory of a block, by request
  default: *value = 0; break;
  }
  return OK;
}

EXPORT result cuDeviceCanAccessPeer(int* can, int device, int peer) {
  REQUIRE_DEVICE(device);
  (void)peer;
  *can = 0;
  return OK;
}

EXPORT result cuDeviceGetP2PAttribute(int* value, int attribute, int device, int peer) {
  REQUIRE_DEVICE(device);
  (void)attribute, (void)peer;
  *value = 0;
  return OK;
}

int stub_ready(const char* call) {
  trace(call, "");
  return driver.init == OK ? OK : NOT_INITIALIZED;
}

// ---- Contexts: a name for a device, nothing behind it ----

EXPORT result cuDevicePrimaryCtxRetain(context* made, int device) {
  REQUIRE_DEVICE(device);
  int fault = stub_fault(__func__);
  if (fault > 0) return fault;
  primary[device].device = device;
  primary_active[device] = true;
  *made = &primary[device];
  return OK;
}

EXPORT result cuDevicePrimaryCtxRelease_v2(int device) {
  REQUIRE_DEVICE(device);
  return OK;
}

EXPORT result cuDevicePrimaryCtxRelease(int device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}
EXPORT result cuDevicePrimaryCtxReset_v2(int device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}
EXPORT result cuDevicePrimaryCtxReset(int device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}

EXPORT result cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  REQUIRE_DEVICE(device);
  *flags = 0;
  *active = primary_active[device];
  return OK;
}

EXPORT result cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  REQUIRE_DEVICE(device);
  (void)flags;
  return OK;
}

EXPORT result cuDevicePrimaryCtxSetFlags(int device, unsigned flags) {
  return cuDevicePrimaryCtxSetFlags_v2(device, flags);
}

EXPORT result cuCtxGetCurrent(context* now) {
  REQUIRE_INIT();
  *now = current;
  return OK;
}

EXPORT result cuCtxSetCurrent(context wanted) {
  REQUIRE_INIT();
  current = wanted;
  return OK;
}

EXPORT result cuCtxGetDevice(int* device) {
  REQUIRE_INIT();
  if (!current) return INVALID_CONTEXT;
  *device = current->device;
  return OK;
}

EXPORT result cuCtxSynchronize(void) {
  REQUIRE_INIT();
  int fault = stub_fault(__func__);
  return fault > 0 ? fault : OK;
}

EXPORT result cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
  REQUIRE_INIT();
  if (!current) return INVALID_CONTEXT;
  *total = driver.visible[current->device].memory;
  *free_bytes = *total - ((size_t)512 << 20);
  return OK;
}

// ---- How the CUDA runtime library finds the rest ----

static result accept(void) {
  trace("a function of an export table", "");
  return OK;
}

// The runtime library wants private tables of functions, and starts with ones that do nothing.
EXPORT result cuGetExportTable(const void** table, const struct uuid* id) {
  char text[64];
  for (int i = 0; i < 16; ++i) snprintf(text + (size_t)2 * i, 3, "%02x", id->bytes[i]);
  trace(__func__, text);
  enum { ENTRIES = 64 };
  static const void* functions[ENTRIES];
  functions[0] = (const void*)sizeof(functions); // the first entry is the size in bytes
  for (int i = 1; i < ENTRIES; ++i) functions[i] = (const void*)(size_t)accept;
  *table = functions;
  return OK;
}

EXPORT result cuGetProcAddress_v2(const char* name, void** function, int version,
                                  unsigned long long flags, int* status) {
  (void)version, (void)flags;
  // Asked by its plain name, the newest of a function's generations is meant.
  char newest[128];
  snprintf(newest, sizeof(newest), "%s_v2", name);
  *function = NULL;
  Dl_info self;
  void* library = NULL;
  if (dladdr((void*)(size_t)cuInit, &self)) library = dlopen(self.dli_fname, RTLD_LAZY);
  if (library) {
    *function = dlsym(library, newest);
    if (!*function) *function = dlsym(library, name);
    dlclose(library);
  }
  trace(*function ? "cuGetProcAddress" : "cuGetProcAddress (absent)", name);
  if (status) *status = *function ? 0 : 1;
  return *function ? OK : NOT_FOUND;
}

EXPORT result cuGetProcAddress(const char* name, void** function, int version,
                               unsigned long long flags) {
  return cuGetProcAddress_v2(name, function, version, flags, NULL);
}
