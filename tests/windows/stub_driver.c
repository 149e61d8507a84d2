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
  *count = 1;
  return 0;
}

STUB_EXPORT int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  (void)device;
  *flags = 0;
  *active = shared && atomic_load(&shared->context_state) == 1;
  return 0;
}
