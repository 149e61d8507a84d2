// Written for tests: the libcuda.so.1 of a CUDA toolkit's lib64/stubs, a file to link against. As
// the real one does, it answers 34 (CUDA_ERROR_STUB_LIBRARY) to whatever is asked.
#define EXPORT __attribute__((visibility("default")))

enum { STUB_LIBRARY = 34 };

#define ANSWERS(name)                                                                              \
  EXPORT int name(void);                                                                           \
  EXPORT int name(void) {                                                                          \
    return STUB_LIBRARY;                                                                           \
  }

ANSWERS(cuInit)
ANSWERS(cuDriverGetVersion)
ANSWERS(cuDeviceGetCount)
ANSWERS(cuDeviceGet)
ANSWERS(cuDeviceGetName)
ANSWERS(cuDeviceGetAttribute)
ANSWERS(cuDeviceGetPCIBusId)
ANSWERS(cuDeviceGetUuid_v2)
ANSWERS(cuDeviceTotalMem_v2)
ANSWERS(cuDevicePrimaryCtxRetain)
ANSWERS(cuGetErrorName)
ANSWERS(cuGetErrorString)
ANSWERS(cuGetProcAddress)
ANSWERS(cuGetProcAddress_v2)
