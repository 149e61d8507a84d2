// The layers of the driver itself: start, devices, context, memory, a kernel.
// Truth: NVIDIA's CUDA driver API manual, and what driver 580 answers on an H100.
#include "prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 256, LOG_SIZE = 400 };
enum { JIT_ERROR_LOG = 5, JIT_ERROR_LOG_SIZE = 6 }; // CUjit_option

struct driver cu;

__asm__(".section .rodata\n"
        ".globl prove_kernels\n"
        ".hidden prove_kernels\n"
        "prove_kernels:\n"
        ".incbin \"" GPUWHY_KERNELS "\"\n"
        ".byte 0\n"
        ".text\n");
extern const char prove_kernels[];

bool fail_cuda(const char* step, int code) {
  const char* name = NULL;
  const char* text = NULL;
  if (cu.GetErrorName && cu.GetErrorName(code, &name) != 0) name = NULL;
  if (cu.GetErrorString && cu.GetErrorString(code, &text) != 0) text = NULL;
  return fail_code("cuda", step, code, name, text);
}

static bool bind_driver(void* library) {
  static const struct {
    void* place;
    const char* names[3]; // newest generation first
  } functions[] = {
      {&cu.Init, {"cuInit"}},
      {&cu.GetErrorName, {"cuGetErrorName"}},
      {&cu.GetErrorString, {"cuGetErrorString"}},
      {&cu.DriverGetVersion, {"cuDriverGetVersion"}},
      {&cu.DeviceGetCount, {"cuDeviceGetCount"}},
      {&cu.DeviceGet, {"cuDeviceGet"}},
      {&cu.DeviceGetName, {"cuDeviceGetName"}},
      {&cu.DeviceGetAttribute, {"cuDeviceGetAttribute"}},
      {&cu.DeviceTotalMem, {"cuDeviceTotalMem_v2"}},
      {&cu.DevicePrimaryCtxRetain, {"cuDevicePrimaryCtxRetain"}},
      {&cu.DevicePrimaryCtxRelease, {"cuDevicePrimaryCtxRelease_v2", "cuDevicePrimaryCtxRelease"}},
      {&cu.CtxSetCurrent, {"cuCtxSetCurrent"}},
      {&cu.CtxSynchronize, {"cuCtxSynchronize"}},
      {&cu.MemGetInfo, {"cuMemGetInfo_v2"}},
      {&cu.MemAlloc, {"cuMemAlloc_v2"}},
      {&cu.MemFree, {"cuMemFree_v2"}},
      {&cu.MemAllocHost, {"cuMemAllocHost_v2"}},
      {&cu.MemFreeHost, {"cuMemFreeHost"}},
      {&cu.MemcpyHtoD, {"cuMemcpyHtoD_v2"}},
      {&cu.MemcpyDtoH, {"cuMemcpyDtoH_v2"}},
      {&cu.MemcpyDtoD, {"cuMemcpyDtoD_v2"}},
      {&cu.MemsetD8, {"cuMemsetD8_v2"}},
      {&cu.ModuleLoadDataEx, {"cuModuleLoadDataEx"}},
      {&cu.ModuleGetFunction, {"cuModuleGetFunction"}},
      {&cu.ModuleUnload, {"cuModuleUnload"}},
      {&cu.LaunchKernel, {"cuLaunchKernel"}},
      {&cu.DeviceCanAccessPeer, {"cuDeviceCanAccessPeer"}},
      {&cu.CtxEnablePeerAccess, {"cuCtxEnablePeerAccess"}},
      {&cu.MemcpyPeer, {"cuMemcpyPeer"}},
  };
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
    if (!bind_function(functions[i].place, sizeof(cu.Init), library, functions[i].names))
      return fail(functions[i].names[0], "the driver's library has no such function");
  }
  return true;
}

bool start_driver(void) {
  static bool started;
  if (started) return true;
  const char* file = getenv("GPUWHY_PROVE_LIBCUDA");
  void* library = dlopen(file && *file ? file : "libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    const char* error = dlerror();
    return fail("dlopen", "%s", error ? error : "libcuda.so.1 cannot be opened");
  }
  TRY(bind_driver(library));
  CU(Init, 0);
  started = true;
  return true;
}

bool count_devices(int* count) {
  TRY(start_driver());
  CU(DeviceGetCount, count);
  if (*count <= 0) return fail("cuDeviceGetCount", "the driver shows no device");
  return true;
}

bool use_device(int ordinal, context* made) {
  TRY(start_driver());
  int device = 0;
  CU(DeviceGet, &device, ordinal);
  CU(DevicePrimaryCtxRetain, made, device);
  CU(CtxSetCurrent, *made);
  return true;
}

uint32_t scrambled(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

float small_integer(uint32_t index, uint32_t seed) {
  return (float)(int)(scrambled(index ^ seed) % 5u) - 2.0f;
}

// ---- driver, device, context ----

static void put_file_of(const void* code) {
  Dl_info found;
  if (!code || !dladdr(code, &found) || !found.dli_fname) return;
  char* real = realpath(found.dli_fname, NULL);
  detail(real ? real : found.dli_fname);
  free(real);
}

bool prove_driver(void) {
  double start = seconds_now();
  bool started = start_driver();
  figure("init_seconds", seconds_now() - start);
  const void* init = NULL;
  memcpy(&init, &cu.Init, sizeof(init));
  put_file_of(init);
  TRY(started);
  int version = 0;
  CU(DriverGetVersion, &version);
  figure("driver_version", version);
  return true;
}

bool prove_device(void) {
  static const struct {
    const char* name;
    int attribute; // CUdevice_attribute
  } attributes[] = {
      {"multiprocessors", 16}, {"clock_khz", 13},        {"memory_clock_khz", 36},
      {"memory_bus_bits", 37}, {"capability_major", 75}, {"capability_minor", 76},
      {"integrated", 18},
  };
  int count = 0;
  TRY(count_devices(&count));
  figure("devices", count);
  int device = 0;
  CU(DeviceGet, &device, request.device);
  char name[256] = "";
  CU(DeviceGetName, name, sizeof(name) - 1, device);
  detail(name);
  for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); ++i) {
    int value = 0;
    CU(DeviceGetAttribute, &value, attributes[i].attribute, device);
    figure(attributes[i].name, value);
  }
  size_t bytes = 0;
  CU(DeviceTotalMem, &bytes, device);
  figure("memory_bytes", (double)bytes);
  return true;
}

bool prove_context(void) {
  TRY(start_driver());
  double start = seconds_now();
  context made = NULL;
  TRY(use_device(request.device, &made));
  figure("context_seconds", seconds_now() - start);
  size_t available = 0, total = 0;
  CU(MemGetInfo, &available, &total);
  figure("memory_free_bytes", (double)available);
  figure("memory_total_bytes", (double)total);
  CU(CtxSynchronize);
  return true;
}

// ---- memory ----

void fill(uint32_t* words, size_t count, uint32_t seed) {
  for (size_t i = 0; i < count; ++i) words[i] = scrambled((uint32_t)i ^ seed);
}

// The best of a few rounds, in bytes a second: what the link can do, not what else it does.
#define MEASURE(name, bytes, rounds, call)                                                         \
  do {                                                                                             \
    double best_ = 0;                                                                              \
    for (int round_ = 0; round_ < (rounds); ++round_) {                                            \
      double start_ = seconds_now();                                                               \
      call;                                                                                        \
      CU(CtxSynchronize);                                                                          \
      double rate_ = (double)(bytes) / (seconds_now() - start_);                                   \
      if (rate_ > best_) best_ = rate_;                                                            \
    }                                                                                              \
    figure(name, best_);                                                                           \
  } while (0)

// Writes a pattern into most of what may be taken and reads it back, a chunk at a time.
static bool sweep(uint32_t* host, size_t chunk, size_t bytes) {
  enum { MOST_CHUNKS = 4096 };
  static device_pointer chunks[MOST_CHUNKS];
  size_t count = bytes / chunk;
  if (count > MOST_CHUNKS) count = MOST_CHUNKS;
  for (size_t i = 0; i < count; ++i) {
    CU(MemAlloc, &chunks[i], chunk);
    fill(host, 1024, (uint32_t)i); // each chunk its own beginning: mixed-up addresses would show
    CU(MemcpyHtoD, chunks[i], host, chunk);
  }
  for (size_t i = 0; i < count; ++i) {
    uint32_t* back = host + chunk / sizeof(*host);
    fill(host, 1024, (uint32_t)i);
    CU(MemcpyDtoH, back, chunks[i], chunk);
    if (memcmp(host, back, chunk) != 0)
      return fail("cuMemcpyDtoH", "byte pattern came back different from chunk %zu of %zu", i,
                  count);
  }
  for (size_t i = 0; i < count; ++i) CU(MemFree, chunks[i]);
  figure("swept_bytes", (double)count * (double)chunk);
  return true;
}

bool prove_memory(void) {
  context made = NULL;
  TRY(use_device(request.device, &made));
  size_t bytes = (size_t)(request.effort == QUICK ? 16 : 64) << 20;
  if (bytes > request.memory / 2) bytes = request.memory / 2 & ~(size_t)4095;
  device_pointer first = 0, second = 0;
  CU(MemAlloc, &first, bytes);
  CU(MemAlloc, &second, bytes);
  void* pinned = NULL;
  CU(MemAllocHost, &pinned, 2 * bytes);
  uint32_t* out = pinned;
  uint32_t* back = out + bytes / sizeof(*out);
  fill(out, bytes / sizeof(*out), 1);
  memset(back, 0, bytes);
  CU(MemsetD8, second, 0xA5, bytes);
  CU(MemcpyHtoD, first, out, bytes);
  CU(MemcpyDtoD, second, first, bytes);
  CU(MemcpyDtoH, back, second, bytes);
  if (memcmp(out, back, bytes) != 0) {
    size_t at = 0;
    while (out[at] == back[at]) ++at;
    return fail("cuMemcpyDtoH", "byte %zu of %zu came back different from what was written",
                at * sizeof(*out), bytes);
  }
  figure("compared_bytes", (double)bytes);
  int rounds = request.effort == QUICK ? 3 : 8;
  MEASURE("to_device_bytes_per_second", bytes, rounds, CU(MemcpyHtoD, first, out, bytes));
  MEASURE("from_device_bytes_per_second", bytes, rounds, CU(MemcpyDtoH, back, first, bytes));
  // Read and written: twice the bytes.
  MEASURE("on_device_bytes_per_second", 2 * bytes, rounds, CU(MemcpyDtoD, second, first, bytes));
  CU(MemFree, first);
  CU(MemFree, second);
  if (request.effort == FULL) {
    size_t available = 0, total = 0;
    CU(MemGetInfo, &available, &total);
    size_t most = available / 10 * 9 < request.memory ? available / 10 * 9 : request.memory;
    TRY(sweep(out, bytes, most));
  }
  CU(MemFreeHost, pinned);
  return true;
}

// ---- kernel ----

bool load_kernels(module* kernels) {
  char log[LOG_SIZE] = "";
  int options[] = {JIT_ERROR_LOG, JIT_ERROR_LOG_SIZE};
  void* values[] = {log, (void*)(size_t)(sizeof(log) - 1)};
  int code = cu.ModuleLoadDataEx(kernels, prove_kernels, 2, options, values);
  if (code && *log) detail(log);
  if (code) return fail_cuda("cuModuleLoadDataEx", code);
  return true;
}

bool launch(function kernel, unsigned threads, void** parameters) {
  CU(LaunchKernel, kernel, (threads + THREADS - 1) / THREADS, 1, 1, THREADS, 1, 1, 0, NULL,
     parameters, NULL);
  return true;
}

bool prove_kernel(void) {
  context made = NULL;
  TRY(use_device(request.device, &made));
  double start = seconds_now();
  module kernels = NULL;
  TRY(load_kernels(&kernels));
  figure("compile_seconds", seconds_now() - start);
  function kernel = NULL;
  CU(ModuleGetFunction, &kernel, kernels, "scramble");

  enum { COUNT = 1 << 20 };
  uint32_t seed = 12345, count = COUNT;
  uint32_t* words = malloc(COUNT * sizeof(*words));
  if (!words) return fail("malloc", "no memory on the host");
  for (uint32_t i = 0; i < COUNT; ++i) words[i] = i * 2654435761u;
  device_pointer data = 0;
  CU(MemAlloc, &data, COUNT * sizeof(*words));
  CU(MemcpyHtoD, data, words, COUNT * sizeof(*words));
  void* parameters[] = {&data, &count, &seed};
  TRY(launch(kernel, COUNT, parameters));
  CU(CtxSynchronize);
  CU(MemcpyDtoH, words, data, COUNT * sizeof(*words));
  for (uint32_t i = 0; i < COUNT; ++i) {
    uint32_t expected = scrambled(i * 2654435761u) + seed;
    if (words[i] != expected)
      return fail("scramble", "element %u: the GPU computed %u, the processor %u", i, words[i],
                  expected);
  }
  int rounds = request.effort == QUICK ? 100 : 1000;
  count = 32;
  start = seconds_now();
  for (int i = 0; i < rounds; ++i) TRY(launch(kernel, 32, parameters));
  CU(CtxSynchronize);
  figure("launch_seconds", (seconds_now() - start) / rounds);
  CU(MemFree, data);
  CU(ModuleUnload, kernels);
  free(words);
  return true;
}
