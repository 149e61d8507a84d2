// The layers of the smaller CUDA libraries: runtime, cuFFT, cuSOLVER.
// Prototypes are declared by us; truth: NVIDIA's manual of each library. The handles are opaque.
#include "prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void* open_library(const char* variable) {
  char name[64];
  snprintf(name, sizeof(name), "GPUWHY_PROVE_%s", variable);
  const char* paths = getenv(name);
  if (!paths || !*paths) {
    skip("no such library is there to try");
    return NULL;
  }
  void* library = NULL;
  while (*paths) {
    char path[4096];
    size_t length = strcspn(paths, "\n");
    if (length >= sizeof(path)) {
      fail("dlopen", "path longer than %zu bytes", sizeof(path));
      return NULL;
    }
    memcpy(path, paths, length);
    path[length] = '\0';
    paths += length + (paths[length] == '\n');
    library = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    if (!library) {
      const char* error = dlerror();
      fail("dlopen", "%s", error ? error : path);
      return NULL;
    }
  }
  return library;
}

// ---- CUDA runtime ----

static struct {
  const char* (*error_name)(int);
  const char* (*error_text)(int);
} runtime;

static bool fail_runtime(const char* step, int code) {
  return fail_code("cudart", step, code, runtime.error_name(code), runtime.error_text(code));
}

#define RUNTIME(name, call)                                                                        \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_runtime(name, code_);                                                   \
  } while (0)

bool prove_cudart(void) {
  enum { TO_DEVICE = 1, TO_HOST = 2, BYTES = 1 << 20 };
  void* library = open_library("CUDART");
  if (!library) return true;
  int (*version)(int*) = NULL, (*count)(int*) = NULL, (*set_device)(int) = NULL;
  int (*allocate)(void**, size_t) = NULL, (*release)(void*) = NULL;
  int (*copy)(void*, const void*, size_t, int) = NULL;
  NEED(runtime.error_name, library, "cudaGetErrorName");
  NEED(runtime.error_text, library, "cudaGetErrorString");
  NEED(version, library, "cudaRuntimeGetVersion");
  NEED(count, library, "cudaGetDeviceCount");
  NEED(set_device, library, "cudaSetDevice");
  NEED(allocate, library, "cudaMalloc");
  NEED(release, library, "cudaFree");
  NEED(copy, library, "cudaMemcpy");
  int number = 0, devices = 0;
  RUNTIME("cudaRuntimeGetVersion", version(&number));
  figure("version", number);
  RUNTIME("cudaGetDeviceCount", count(&devices));
  figure("devices", devices);
  RUNTIME("cudaSetDevice", set_device(request.device));
  void* memory = NULL;
  RUNTIME("cudaMalloc", allocate(&memory, BYTES));
  uint32_t* words = malloc((size_t)2 * BYTES);
  if (!words) return fail("malloc", "no memory on the host");
  uint32_t* back = words + BYTES / sizeof(*words);
  for (uint32_t i = 0; i < BYTES / sizeof(*words); ++i) words[i] = scrambled(i);
  memset(back, 0, BYTES);
  RUNTIME("cudaMemcpy", copy(memory, words, BYTES, TO_DEVICE));
  RUNTIME("cudaMemcpy", copy(back, memory, BYTES, TO_HOST));
  bool same = memcmp(words, back, BYTES) == 0;
  free(words);
  if (!same) return fail("cudaMemcpy", "what was written came back different");
  RUNTIME("cudaFree", release(memory));
  return true;
}

// ---- cuFFT ----

static bool fail_fft(const char* step, int code) {
  static const char* const names[] = {
      "CUFFT_SUCCESS",      "CUFFT_INVALID_PLAN",  "CUFFT_ALLOC_FAILED",
      "CUFFT_INVALID_TYPE", "CUFFT_INVALID_VALUE", "CUFFT_INTERNAL_ERROR",
      "CUFFT_EXEC_FAILED",  "CUFFT_SETUP_FAILED",  "CUFFT_INVALID_SIZE",
  };
  return fail_code("cufft", step, code, (size_t)code < COUNT_OF(names) ? names[code] : NULL, NULL);
}

#define FFT(name, call)                                                                            \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_fft(name, code_);                                                       \
  } while (0)

bool prove_cufft(void) {
  enum { N = 1024, COMPLEX = 0x29, FORWARD = -1 };
  static float values[2 * N], result[2 * N];
  void* library = open_library("CUFFT");
  if (!library) return true;
  int (*version)(int*) = NULL, (*plan)(int*, int, int, int) = NULL;
  int (*run)(int, void*, void*, int) = NULL, (*destroy)(int) = NULL;
  NEED(version, library, "cufftGetVersion");
  NEED(plan, library, "cufftPlan1d");
  NEED(run, library, "cufftExecC2C");
  NEED(destroy, library, "cufftDestroy");
  context made = NULL;
  TRY(use_device(request.device, &made));
  int number = 0, handle = 0;
  FFT("cufftGetVersion", version(&number));
  figure("version", number);
  for (uint32_t i = 0; i < 2 * N; ++i) values[i] = small_integer(i, 3);
  device_pointer data = 0;
  CU(MemAlloc, &data, sizeof(values));
  CU(MemcpyHtoD, data, values, sizeof(values));
  double start = seconds_now();
  FFT("cufftPlan1d", plan(&handle, N, COMPLEX, 1));
  figure("plan_seconds", seconds_now() - start);
  FFT("cufftExecC2C", run(handle, (void*)data, (void*)data, FORWARD));
  CU(CtxSynchronize);
  CU(MemcpyDtoH, result, data, sizeof(result));
  double error = 0, size = 0;
  for (size_t k = 0; k < N; ++k) {
    double real = 0, imaginary = 0;
    for (size_t j = 0; j < N; ++j) {
      double angle = -2 * M_PI * (double)(j * k % N) / N, x = (double)values[2 * j],
             y = (double)values[2 * j + 1];
      real += x * cos(angle) - y * sin(angle);
      imaginary += x * sin(angle) + y * cos(angle);
    }
    double dx = (double)result[2 * k] - real, dy = (double)result[2 * k + 1] - imaginary;
    error += dx * dx + dy * dy;
    size += real * real + imaginary * imaginary;
  }
  double relative = sqrt(error / size);
  figure("relative_error", relative);
  FFT("cufftDestroy", destroy(handle));
  CU(MemFree, data);
  if (!(relative < 1e-5))
    return fail("cufftExecC2C", "differs from the processor's transform by %.3g", relative);
  return true;
}

// ---- cuSOLVER ----

static bool fail_solver(const char* step, int code) {
  static const char* const names[] = {
      "CUSOLVER_STATUS_SUCCESS",          "CUSOLVER_STATUS_NOT_INITIALIZED",
      "CUSOLVER_STATUS_ALLOC_FAILED",     "CUSOLVER_STATUS_INVALID_VALUE",
      "CUSOLVER_STATUS_ARCH_MISMATCH",    "CUSOLVER_STATUS_MAPPING_ERROR",
      "CUSOLVER_STATUS_EXECUTION_FAILED", "CUSOLVER_STATUS_INTERNAL_ERROR",
  };
  return fail_code("cusolver", step, code, (size_t)code < COUNT_OF(names) ? names[code] : NULL,
                   NULL);
}

#define SOLVER(name, call)                                                                         \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_solver(name, code_);                                                    \
  } while (0)

typedef struct opaque_solver* solver_handle;

enum { SOLVER_SIZE = 192 };

// Cholesky on the processor; `a` is symmetric, the lower triangle is replaced.
static void factor(double* a) {
  enum { N = SOLVER_SIZE };
  for (int j = 0; j < N; ++j) {
    for (int k = 0; k < j; ++k)
      for (int i = j; i < N; ++i) a[j * N + i] -= a[k * N + i] * a[k * N + j];
    double root = sqrt(a[j * N + j]);
    for (int i = j; i < N; ++i) a[j * N + i] /= root;
  }
}

bool prove_cusolver(void) {
  enum { N = SOLVER_SIZE, LOWER = 0 };
  static float single[N * N];
  static double exact[N * N];
  void* library = open_library("CUSOLVER");
  if (!library) return true;
  int (*create)(solver_handle*) = NULL, (*destroy)(solver_handle) = NULL;
  int (*size_of)(solver_handle, int, int, float*, int, int*) = NULL;
  int (*run)(solver_handle, int, int, float*, int, float*, int, int*) = NULL;
  NEED(create, library, "cusolverDnCreate");
  NEED(destroy, library, "cusolverDnDestroy");
  NEED(size_of, library, "cusolverDnSpotrf_bufferSize");
  NEED(run, library, "cusolverDnSpotrf");
  context made = NULL;
  TRY(use_device(request.device, &made));
  for (uint32_t i = 0; i < N; ++i) {
    for (uint32_t j = 0; j <= i; ++j) {
      float value = i == j ? (float)(2 * N) : small_integer(i * N + j, 4);
      single[i * N + j] = single[j * N + i] = value;
      exact[i * N + j] = exact[j * N + i] = (double)value;
    }
  }
  double start = seconds_now();
  solver_handle handle = NULL;
  SOLVER("cusolverDnCreate", create(&handle));
  figure("create_seconds", seconds_now() - start);
  device_pointer matrix = 0, work = 0, information = 0;
  CU(MemAlloc, &matrix, sizeof(single));
  CU(MemAlloc, &information, sizeof(int));
  CU(MemcpyHtoD, matrix, single, sizeof(single));
  int size = 0, status = -1;
  SOLVER("cusolverDnSpotrf_bufferSize", size_of(handle, LOWER, N, (float*)matrix, N, &size));
  CU(MemAlloc, &work, (size_t)(size > 0 ? size : 1) * sizeof(float));
  SOLVER("cusolverDnSpotrf",
         run(handle, LOWER, N, (float*)matrix, N, (float*)work, size, (int*)information));
  CU(CtxSynchronize);
  CU(MemcpyDtoH, &status, information, sizeof(status));
  CU(MemcpyDtoH, single, matrix, sizeof(single));
  if (status != 0) return fail("cusolverDnSpotrf", "ended with status %d", status);
  factor(exact);
  double worst = 0;
  for (int j = 0; j < N; ++j)
    for (int i = j; i < N; ++i)
      worst = fmax(worst, fabs((double)single[j * N + i] - exact[j * N + i]));
  figure("worst_error", worst);
  SOLVER("cusolverDnDestroy", destroy(handle));
  CU(MemFree, matrix);
  CU(MemFree, work);
  CU(MemFree, information);
  if (!(worst < 1e-3))
    return fail("cusolverDnSpotrf", "differs from the processor's factor by %.3g", worst);
  return true;
}
