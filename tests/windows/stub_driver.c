// Written for a test: what the injected library asks of libcuda.
#include "stub.h"

static struct stub_cupti* shared;

STUB_EXPORT void stub_driver_shares(struct stub_cupti* with) {
  shared = with;
}

STUB_EXPORT int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}

STUB_EXPORT int cuDeviceGetCount(int* count) {
  *count = STUB_DEVICES;
  return 0;
}

STUB_EXPORT int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  *flags = 0;
  *active = shared && atomic_load(&shared->references[device]) > 0;
  return 0;
}

STUB_EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = shared;
  atomic_fetch_add(&shared->references[device], 1);
  return 0;
}

STUB_EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  if (atomic_fetch_sub(&shared->references[device], 1) != 1) return 0;
  atomic_fetch_add(&shared->destroyed, 1);
  if (atomic_load(&shared->attaching) || atomic_load(&shared->calls_back))
    atomic_fetch_add(&shared->destroyed_while_attached, 1);
  return 0;
}
