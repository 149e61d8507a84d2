// The probe that works: each layer of the stack does something on the GPU and compares it with the
// processor. prove.c runs the layers that it is asked for and writes two lines a layer:
//   {"schema": ..., "begin": "memory"}
//   {"schema": ..., "layer": "memory", "state": "passed", "figures": {...}, ...}
// so that whoever reads knows which layer a crash or a deadline hit.
//
// Asked for through the environment, as a child of gpuwhy has no other secrets:
//   GPUWHY_PROVE_LAYERS     "driver,device,context": run in this order until one fails
//   GPUWHY_PROVE_DEVICE     CUDA ordinal, default 0
//   GPUWHY_PROVE_EFFORT     "quick", "normal" or "full"
//   GPUWHY_PROVE_MEMORY     bytes of GPU memory that a layer may take
//   GPUWHY_PROVE_LIBCUDA    the driver library; default: as the loader finds it
//   GPUWHY_PROVE_<LIBRARY>  paths, one a line, what it needs first and the library itself last
#ifndef GPUWHY_PROVE_H
#define GPUWHY_PROVE_H

#include "probe.h"

enum effort { QUICK, NORMAL, FULL };

struct request {
  int device;
  enum effort effort;
  size_t memory;
};
extern struct request request;

// What went wrong in the layer that runs now; a layer that fails fills it and returns false.
bool fail(const char* step, const char* format, ...) __attribute__((format(printf, 2, 3)));
bool fail_code(const char* api, const char* step, int code, const char* name, const char* text);
void skip(const char* why); // the layer has nothing to do here; it returns true then

// What a layer measured: a name and a value in SI units.
void figure(const char* name, double value);
void detail(const char* text); // a remark for the reader: a file that was loaded
double seconds_now(void);

// ---- The driver's interface, declared by us; names as in NVIDIA's CUDA driver API manual ----

typedef struct opaque_context* context;
typedef struct opaque_module* module;
typedef struct opaque_function* function;
typedef struct opaque_stream* stream;
typedef unsigned long long device_pointer;

struct driver {
  int (*Init)(unsigned);
  int (*GetErrorName)(int, const char**);
  int (*GetErrorString)(int, const char**);
  int (*DriverGetVersion)(int*);
  int (*DeviceGetCount)(int*);
  int (*DeviceGet)(int*, int);
  int (*DeviceGetName)(char*, int, int);
  int (*DeviceGetAttribute)(int*, int, int);
  int (*DeviceTotalMem)(size_t*, int);
  int (*DevicePrimaryCtxRetain)(context*, int);
  int (*DevicePrimaryCtxRelease)(int);
  int (*CtxSetCurrent)(context);
  int (*CtxSynchronize)(void);
  int (*MemGetInfo)(size_t*, size_t*);
  int (*MemAlloc)(device_pointer*, size_t);
  int (*MemFree)(device_pointer);
  int (*MemAllocHost)(void**, size_t);
  int (*MemFreeHost)(void*);
  int (*MemcpyHtoD)(device_pointer, const void*, size_t);
  int (*MemcpyDtoH)(void*, device_pointer, size_t);
  int (*MemcpyDtoD)(device_pointer, device_pointer, size_t);
  int (*MemsetD8)(device_pointer, unsigned char, size_t);
  int (*ModuleLoadDataEx)(module*, const void*, unsigned, int*, void**);
  int (*ModuleGetFunction)(function*, module, const char*);
  int (*ModuleUnload)(module);
  int (*LaunchKernel)(function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      unsigned, stream, void**, void**);
  int (*DeviceCanAccessPeer)(int*, int, int);
  int (*CtxEnablePeerAccess)(context, unsigned);
  int (*MemcpyPeer)(device_pointer, context, device_pointer, context, size_t);
};
extern struct driver cu;

bool fail_cuda(const char* step, int code);

// Calls cu<Function>; leaves the layer where that fails.
#define CU(function, ...)                                                                          \
  do {                                                                                             \
    int code_ = cu.function(__VA_ARGS__);                                                          \
    if (code_) return fail_cuda("cu" #function, code_);                                            \
  } while (0)
#define TRY(condition)                                                                             \
  do {                                                                                             \
    if (!(condition)) return false;                                                                \
  } while (0)

// Opens libcuda and starts it, once a process.
bool start_driver(void);
// The primary context of a device, current to this thread; the CUDA libraries use the same one.
bool use_device(int ordinal, context* made);
bool count_devices(int* count);
bool load_kernels(module* kernels);
bool launch(function kernel, unsigned threads, void** parameters);

// Opens the libraries listed in GPUWHY_PROVE_<variable>; NULL with a failure, or with a skip where
// none are listed.
void* open_library(const char* variable);

// A function that the layer cannot do without.
#define NEED(pointer, library, ...)                                                                \
  do {                                                                                             \
    static const char* const names_[] = {__VA_ARGS__, NULL};                                       \
    if (!bind_function(&(pointer), sizeof(pointer), (library), names_))                            \
      return fail(names_[0], "the library has no such function");                                  \
  } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// Numbers for tests: the same everywhere, small whole numbers from -2 to 2 where products must be
// exact in every format.
uint32_t scrambled(uint32_t value);
void fill(uint32_t* words, size_t count, uint32_t seed);
float small_integer(uint32_t index, uint32_t seed);

// ---- The layers ----

bool prove_driver(void);
bool prove_device(void);
bool prove_context(void);
bool prove_memory(void);
bool prove_kernel(void);
bool prove_cudart(void);
bool prove_cublas(void);
bool prove_cudnn(void);
bool prove_cufft(void);
bool prove_cusolver(void);
bool prove_nccl(void);
bool prove_peer(void);
bool prove_training(void);

#endif
