// Written for tests: a libcudnn that only says how old it is.
//   STUB_CUDNN_VERSION  as cudnnGetVersion gives it, default 90000 (9.0.0)
//   STUB_CUDNN_TRACE=1  every call is written to standard error
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

enum { OK = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 2000 };

static void trace(const char* call) {
  if (getenv("STUB_CUDNN_TRACE")) fprintf(stderr, "stub libcudnn: %s\n", call);
}

EXPORT size_t cudnnGetVersion(void) {
  trace(__func__);
  const char* version = getenv("STUB_CUDNN_VERSION");
  return version ? strtoul(version, NULL, 10) : 90000;
}

EXPORT size_t cudnnGetCudartVersion(void) {
  trace(__func__);
  return 12050;
}

EXPORT int cudnnGetProperty(int part, int* value) {
  int version = (int)cudnnGetVersion();
  int major_unit = version >= 90000 ? 10000 : 1000; // since 9.0 the major number has a wider place
  switch (part) {
  case 0: *value = version / major_unit; return OK;
  case 1: *value = version % major_unit / 100; return OK;
  case 2: *value = version % 100; return OK;
  default: return INVALID_VALUE;
  }
}

EXPORT int cudnnCreate(void** handle) {
  trace(__func__);
  *handle = NULL;
  return NOT_INITIALIZED;
}

EXPORT const char* cudnnGetErrorString(int status) {
  (void)status;
  trace(__func__);
  return "CUDNN_STATUS_NOT_INITIALIZED";
}
