#include "cuda_contexts.h"

#include <cuda.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "old_glibc.h"

enum { MOST_DEVICES = 64 };

static struct {
  CUresult (*count)(int*);
  CUresult (*state)(CUdevice, unsigned*, int*);
  CUresult (*retain)(CUcontext*, CUdevice);
  CUresult (*release)(CUdevice);
} devices;
static _Atomic uint64_t held;

bool bind_driver(void) {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!driver) return false;
  void* count = dlsym(driver, "cuDeviceGetCount");
  void* state = dlsym(driver, "cuDevicePrimaryCtxGetState");
  void* retain = dlsym(driver, "cuDevicePrimaryCtxRetain");
  void* release = dlsym(driver, "cuDevicePrimaryCtxRelease_v2");
  if (!release) release = dlsym(driver, "cuDevicePrimaryCtxRelease");
  if (!count || !state || !retain || !release) return false;
  memcpy(&devices.count, &count, sizeof(count));
  memcpy(&devices.state, &state, sizeof(state));
  memcpy(&devices.retain, &retain, sizeof(retain));
  memcpy(&devices.release, &release, sizeof(release));
  return true;
}

uint64_t contexts(void) {
  int count = 0;
  uint64_t found = 0;
  if (!devices.count || devices.count(&count) != CUDA_SUCCESS) return 0;
  for (int device = 0; device < count && device < MOST_DEVICES; ++device) {
    unsigned flags = 0;
    int active = 0;
    if (devices.state(device, &flags, &active) == CUDA_SUCCESS && active)
      found |= UINT64_C(1) << device;
  }
  return found;
}

void hold_contexts(void) {
  const uint64_t live = contexts();
  for (int device = 0; device < MOST_DEVICES; ++device) {
    CUcontext context = NULL;
    if (live >> device & 1 && devices.retain(&context, device) == CUDA_SUCCESS)
      held |= UINT64_C(1) << device;
  }
}

void release_contexts(void) {
  const uint64_t ours = atomic_exchange(&held, 0);
  for (int device = 0; device < MOST_DEVICES; ++device)
    if (ours >> device & 1) devices.release(device);
}

void forget_contexts(void) {
  atomic_store(&held, 0);
}
