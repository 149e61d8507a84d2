// Asks the management library again and again how busy the GPUs are: one JSON object a line.
//   probe_nvml_watch [MILLISECONDS] [FILE]
//     MILLISECONDS  between two lines, default 100
//     FILE          the libnvidia-ml to ask instead of the one the loader finds
//
// The first line says what does not change, each later one what was seen: members that a GPU does
// not tell are left out. A call that hangs ends this program by its own alarm.
#include "nvml_result.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SUCCESS = 0, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, IS_LOST = 15 };
enum { MOST_DEVICES = 16, MOST_PROCESSES = 1024, NAME_SIZE = 256, HANG_SECONDS = 20 };
enum { GPU_SENSOR = 0, SM_CLOCK = 1, MEMORY_CLOCK = 2, TRANSMITTED = 0, RECEIVED = 1 };
// Metrics of the GPU performance monitor, as nvml.h numbers them.
enum { SM_ACTIVE = 2, TENSOR_ACTIVE = 5, MEMORY_ACTIVE = 10, PCIE_SENT = 20, PCIE_RECEIVED = 21 };
enum { MOST_METRICS = 512 };

static const uint64_t NOT_AVAILABLE = ~UINT64_C(0);

typedef struct opaque_device* device_handle;
typedef struct opaque_sample* sample_handle;

struct memory {
  unsigned long long total, free, used;
};

struct memory_v2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};

struct process_v2 {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

struct process_busy {
  unsigned pid;
  unsigned long long time; // microseconds
  unsigned sm, memory, encoder, decoder;
};

struct utilization {
  unsigned gpu, memory;
};

struct pci {
  char bus_id[16];
  unsigned domain, bus, device;
  unsigned char rest[100];
};

struct metric {
  unsigned id;
  int result;
  double value;
  const char* texts[3];
};

struct metrics {
  unsigned version, count;
  sample_handle before, after;
  struct metric metric[MOST_METRICS];
};

struct support {
  unsigned version, supported;
};

_Static_assert(sizeof(struct process_v2) == 24, "layout of the management library");
_Static_assert(sizeof(struct process_busy) == 32, "layout of the management library");
_Static_assert(sizeof(struct metric) == 40, "layout of the management library");
_Static_assert(offsetof(struct metrics, metric) == 24, "layout of the management library");

static struct {
  int (*init)(void);
  int (*driver_version)(char* text, unsigned size);
  int (*device_count)(unsigned* count);
  int (*device)(unsigned index, device_handle* device);
  int (*name)(device_handle device, char* text, unsigned size);
  int (*uuid)(device_handle device, char* text, unsigned size);
  int (*pci)(device_handle device, struct pci* pci);
  int (*memory)(device_handle device, struct memory* memory);
  int (*memory_v2)(device_handle device, struct memory_v2* memory);
  int (*utilization)(device_handle device, struct utilization* utilization);
  int (*temperature)(device_handle device, int sensor, unsigned* degrees);
  int (*power)(device_handle device, unsigned* milliwatts);
  int (*power_limit)(device_handle device, unsigned* milliwatts);
  int (*power_default)(device_handle device, unsigned* milliwatts);
  int (*clock)(device_handle device, int which, unsigned* megahertz);
  int (*clock_limit)(device_handle device, int which, unsigned* megahertz);
  int (*reasons)(device_handle device, unsigned long long* bits);
  int (*pcie)(device_handle device, int direction, unsigned* kilobytes);
  int (*processes)(device_handle device, unsigned* count, struct process_v2* processes);
  int (*busy_processes)(device_handle device, struct process_busy* processes, unsigned* count,
                        unsigned long long since);
  int (*mig_mode)(device_handle device, unsigned* now, unsigned* pending);
  int (*metrics_support)(device_handle device, struct support* support);
  int (*sample_new)(sample_handle* sample);
  int (*sample_get)(device_handle device, sample_handle sample);
  int (*metrics_get)(struct metrics* metrics);
} nvml;

static struct gpu {
  device_handle handle;
  int error;
  sample_handle before, after; // of the performance monitor; NULL: this GPU has none
  bool sampled;
  unsigned long long seen; // time of the newest utilisation of a process
} gpus[MOST_DEVICES];
static unsigned gpu_count;

static void bind_library(void* library) {
  BIND(nvml.init, library, "nvmlInit_v2", "nvmlInit");
  BIND(nvml.driver_version, library, "nvmlSystemGetDriverVersion");
  BIND(nvml.device_count, library, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
  BIND(nvml.device, library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
  BIND(nvml.name, library, "nvmlDeviceGetName");
  BIND(nvml.uuid, library, "nvmlDeviceGetUUID");
  BIND(nvml.pci, library, "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2",
       "nvmlDeviceGetPciInfo");
  BIND(nvml.memory, library, "nvmlDeviceGetMemoryInfo");
  BIND(nvml.memory_v2, library, "nvmlDeviceGetMemoryInfo_v2");
  BIND(nvml.utilization, library, "nvmlDeviceGetUtilizationRates");
  BIND(nvml.temperature, library, "nvmlDeviceGetTemperature");
  BIND(nvml.power, library, "nvmlDeviceGetPowerUsage");
  BIND(nvml.power_limit, library, "nvmlDeviceGetEnforcedPowerLimit");
  BIND(nvml.power_default, library, "nvmlDeviceGetPowerManagementDefaultLimit");
  BIND(nvml.clock, library, "nvmlDeviceGetClockInfo");
  BIND(nvml.clock_limit, library, "nvmlDeviceGetMaxClockInfo");
  BIND(nvml.reasons, library, "nvmlDeviceGetCurrentClocksThrottleReasons",
       "nvmlDeviceGetCurrentClocksEventReasons");
  BIND(nvml.pcie, library, "nvmlDeviceGetPcieThroughput");
  // _v2 before _v3: see nvml.c.
  BIND(nvml.processes, library, "nvmlDeviceGetComputeRunningProcesses_v2",
       "nvmlDeviceGetComputeRunningProcesses_v3");
  BIND(nvml.busy_processes, library, "nvmlDeviceGetProcessUtilization");
  BIND(nvml.mig_mode, library, "nvmlDeviceGetMigMode");
  BIND(nvml.metrics_support, library, "nvmlGpmQueryDeviceSupport");
  BIND(nvml.sample_new, library, "nvmlGpmSampleAlloc");
  BIND(nvml.sample_get, library, "nvmlGpmSampleGet");
  BIND(nvml.metrics_get, library, "nvmlGpmMetricsGet");
}

typedef int (*number_of)(device_handle, unsigned*);

static void put_number(const char* key, number_of function, device_handle device) {
  unsigned value = 0;
  if (function && function(device, &value) == SUCCESS) put_unsigned(key, value);
}

static void put_clock(const char* key, int (*function)(device_handle, int, unsigned*),
                      device_handle device, int which) {
  unsigned value = 0;
  if (function && function(device, which, &value) == SUCCESS) put_unsigned(key, value);
}

static bool prepare_monitor(struct gpu* gpu) {
  struct support support = {.version = 1};
  if (!nvml.metrics_support || !nvml.sample_new || !nvml.sample_get || !nvml.metrics_get)
    return false;
  if (nvml.metrics_support(gpu->handle, &support) != SUCCESS || !support.supported) return false;
  if (nvml.sample_new(&gpu->before) == SUCCESS && nvml.sample_new(&gpu->after) == SUCCESS)
    return true;
  gpu->before = gpu->after = NULL;
  return false;
}

static void put_identity(unsigned index) {
  struct gpu* gpu = &gpus[index];
  open_object(NULL);
  put_unsigned("index", index);
  gpu->error = nvml.device(index, &gpu->handle);
  if (gpu->error != SUCCESS) {
    put_integer("error", gpu->error);
    put_result_name("error_name", gpu->error);
    close_object();
    return;
  }
  char text[NAME_SIZE] = "";
  if (nvml.name && nvml.name(gpu->handle, text, sizeof(text)) == SUCCESS)
    put_bounded_text("name", text, sizeof(text));
  memset(text, 0, sizeof(text));
  if (nvml.uuid && nvml.uuid(gpu->handle, text, sizeof(text)) == SUCCESS)
    put_bounded_text("uuid", text, sizeof(text));
  struct pci pci;
  memset(&pci, 0, sizeof(pci));
  if (nvml.pci && nvml.pci(gpu->handle, &pci) == SUCCESS) {
    snprintf(text, sizeof(text), "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
    put_text("pci", text);
  }
  struct memory memory = {0};
  if (nvml.memory && nvml.memory(gpu->handle, &memory) == SUCCESS)
    put_unsigned("memory_total", memory.total);
  put_number("power_limit", nvml.power_limit, gpu->handle);
  put_number("power_default", nvml.power_default, gpu->handle);
  put_clock("sm_clock_limit", nvml.clock_limit, gpu->handle, SM_CLOCK);
  unsigned mig = 0, pending = 0;
  if (nvml.mig_mode && nvml.mig_mode(gpu->handle, &mig, &pending) == SUCCESS)
    put_unsigned("mig", mig);
  if (prepare_monitor(gpu)) put_unsigned("monitor", 1);
  close_object();
}

static void put_memory(device_handle device) {
  struct memory_v2 newer = {.version = sizeof(newer) | 2u << 24}; // without the driver's reserve
  if (nvml.memory_v2 && nvml.memory_v2(device, &newer) == SUCCESS) {
    put_unsigned("memory", newer.used);
    return;
  }
  struct memory older = {0};
  if (nvml.memory && nvml.memory(device, &older) == SUCCESS) put_unsigned("memory", older.used);
}

// In thousandths of a percent, or KiB/s: probes write no fractions.
static void put_monitor(struct gpu* gpu) {
  static struct metrics metrics;
  static const struct {
    unsigned id;
    double scale;
    const char* key;
  } wanted[] = {{SM_ACTIVE, 1000, "sm"},
                {TENSOR_ACTIVE, 1000, "tensor"},
                {MEMORY_ACTIVE, 1000, "dram"},
                {PCIE_SENT, 1024, "pcie_tx"},
                {PCIE_RECEIVED, 1024, "pcie_rx"}};
  if (!gpu->before || nvml.sample_get(gpu->handle, gpu->after) != SUCCESS) return;
  if (gpu->sampled) {
    memset(&metrics, 0, sizeof(metrics));
    metrics.version = 1;
    metrics.count = sizeof(wanted) / sizeof(wanted[0]);
    metrics.before = gpu->before;
    metrics.after = gpu->after;
    for (unsigned i = 0; i < metrics.count; ++i) metrics.metric[i].id = wanted[i].id;
    if (nvml.metrics_get(&metrics) == SUCCESS) {
      for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); ++i) {
        double value = metrics.metric[i].value * wanted[i].scale;
        if (metrics.metric[i].result == SUCCESS && value >= 0 && value < 1e15)
          put_unsigned(wanted[i].key, (uint64_t)value);
      }
    }
  }
  sample_handle kept = gpu->before;
  gpu->before = gpu->after;
  gpu->after = kept;
  gpu->sampled = true;
}

// Each answer takes the library 20 ms: one direction of one GPU a line, in turn.
static void put_traffic(unsigned index, unsigned long long line) {
  if (gpus[index].before || !nvml.pcie || line / 2 % gpu_count != index) return;
  unsigned kilobytes = 0;
  int direction = line % 2 ? RECEIVED : TRANSMITTED;
  if (nvml.pcie(gpus[index].handle, direction, &kilobytes) == SUCCESS)
    put_unsigned(direction == RECEIVED ? "pcie_rx" : "pcie_tx", kilobytes);
}

// How busy a process kept the GPU since the last look: the mean of what the driver noted.
static void put_busy(unsigned pid, const struct process_busy* busy, unsigned count) {
  unsigned sum = 0, found = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (busy[i].pid != pid || busy[i].sm > 100) continue;
    sum += busy[i].sm;
    ++found;
  }
  if (found) put_unsigned("sm", sum / found);
}

static void put_processes(struct gpu* gpu) {
  static struct process_v2 processes[MOST_PROCESSES];
  static struct process_busy busy[MOST_PROCESSES];
  unsigned count = MOST_PROCESSES;
  if (!nvml.processes || nvml.processes(gpu->handle, &count, processes) != SUCCESS) return;
  unsigned busy_count = MOST_PROCESSES;
  if (!nvml.busy_processes ||
      nvml.busy_processes(gpu->handle, busy, &busy_count, gpu->seen) != SUCCESS)
    busy_count = 0;
  if (busy_count > MOST_PROCESSES) busy_count = MOST_PROCESSES;
  for (unsigned i = 0; i < busy_count; ++i) {
    if (busy[i].time > gpu->seen) gpu->seen = busy[i].time;
  }
  open_list("processes");
  for (unsigned i = 0; i < count && i < MOST_PROCESSES; ++i) {
    open_object(NULL);
    put_unsigned("pid", processes[i].pid);
    if (processes[i].memory != NOT_AVAILABLE) put_unsigned("memory", processes[i].memory);
    put_busy(processes[i].pid, busy, busy_count);
    close_object();
  }
  close_list();
}

static void put_state(unsigned index, unsigned long long line, bool with_processes) {
  struct gpu* gpu = &gpus[index];
  open_object(NULL);
  put_unsigned("index", index);
  struct utilization busy = {0};
  int result = gpu->error;
  if (result == SUCCESS && nvml.utilization) {
    result = nvml.utilization(gpu->handle, &busy);
    if (result == SUCCESS) {
      put_unsigned("busy", busy.gpu);
      put_unsigned("memory_busy", busy.memory);
    }
  }
  if (gpu->error != SUCCESS || result == IS_LOST) {
    put_integer("error", result);
    close_object();
    return;
  }
  put_memory(gpu->handle);
  put_number("power", nvml.power, gpu->handle);
  put_clock("sm_clock", nvml.clock, gpu->handle, SM_CLOCK);
  put_clock("memory_clock", nvml.clock, gpu->handle, MEMORY_CLOCK);
  unsigned long long reasons = 0;
  if (nvml.reasons && nvml.reasons(gpu->handle, &reasons) == SUCCESS)
    put_unsigned("reasons", reasons);
  unsigned degrees = 0;
  if (nvml.temperature && nvml.temperature(gpu->handle, GPU_SENSOR, &degrees) == SUCCESS)
    put_unsigned("temperature", degrees);
  put_monitor(gpu);
  put_traffic(index, line);
  if (with_processes) put_processes(gpu);
  close_object();
}

static uint64_t now_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_until(uint64_t milliseconds) {
  uint64_t now = now_milliseconds();
  if (milliseconds > now) usleep((useconds_t)(milliseconds - now) * 1000);
}

// false: there is nothing to watch.
static bool put_devices(void) {
  if (!nvml.device_count || !nvml.device) return false;
  if (nvml.device_count(&gpu_count) != SUCCESS) return false;
  if (gpu_count > MOST_DEVICES) gpu_count = MOST_DEVICES;
  open_list("devices");
  for (unsigned i = 0; i < gpu_count; ++i) put_identity(i);
  close_list();
  return gpu_count > 0;
}

int main(int argc, char** argv) {
  probe_begin("gpuwhy.probe.nvml_watch/1");
  long interval = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
  if (interval < 10 || interval > 60000) interval = 100;
  void* library = open_driver("libnvidia-ml.so.1", argc > 2 ? argv[2] : NULL);
  if (!library) probe_end();
  bind_library(library);
  alarm(HANG_SECONDS);
  if (nvml.init) {
    int result = nvml.init();
    put_integer("init", result);
    put_result_name("init_name", result);
    if (result != SUCCESS) probe_end();
  }
  char text[NAME_SIZE] = "";
  if (nvml.driver_version && nvml.driver_version(text, sizeof(text)) == SUCCESS)
    put_bounded_text("driver_version", text, sizeof(text));
  if (!put_devices()) probe_end();
  uint64_t next = now_milliseconds();
  uint64_t processes_due = next;
  for (unsigned long long line = 0;; ++line) {
    probe_next(NULL);
    sleep_until(next);
    alarm(HANG_SECONDS);
    uint64_t now = now_milliseconds();
    bool with_processes = now >= processes_due;
    if (with_processes) processes_due = now + 500;
    put_unsigned("time", now);
    open_list("gpus");
    for (unsigned i = 0; i < gpu_count; ++i) put_state(i, line, with_processes);
    close_list();
    next += (uint64_t)interval;
    if (next < now) next = now + (uint64_t)interval; // a slow driver: do not run after the clock
  }
}
