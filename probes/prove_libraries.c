// The layers of the CUDA libraries that a framework opens: runtime, cuBLAS, cuFFT, cuSOLVER, NCCL.
// Prototypes are declared by us; truth: NVIDIA's manual of each library. The handles are opaque.
#include "prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

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

// A function that the layer cannot do without.
#define NEED(pointer, library, ...)                                                                \
  do {                                                                                             \
    static const char* const names_[] = {__VA_ARGS__, NULL};                                       \
    if (!bind_function(&(pointer), sizeof(pointer), (library), names_))                            \
      return fail(names_[0], "the library has no such function");                                  \
  } while (0)

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
  int (*version)(int*), (*count)(int*), (*set_device)(int), (*allocate)(void**, size_t), (*release)(void*);
  int (*copy)(void*, const void*, size_t, int);
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
  uint32_t* words = malloc(2 * BYTES);
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

// ---- cuBLAS ----

static const char* (*blas_text)(int);

static bool fail_blas(const char* step, int code) {
  static const struct {
    int code;
    const char* name;
  } names[] = {
      {1, "CUBLAS_STATUS_NOT_INITIALIZED"},  {3, "CUBLAS_STATUS_ALLOC_FAILED"},
      {7, "CUBLAS_STATUS_INVALID_VALUE"},    {8, "CUBLAS_STATUS_ARCH_MISMATCH"},
      {11, "CUBLAS_STATUS_MAPPING_ERROR"},   {13, "CUBLAS_STATUS_EXECUTION_FAILED"},
      {14, "CUBLAS_STATUS_INTERNAL_ERROR"},  {15, "CUBLAS_STATUS_NOT_SUPPORTED"},
      {16, "CUBLAS_STATUS_LICENSE_ERROR"},
  };
  const char* name = NULL;
  for (size_t i = 0; i < COUNT_OF(names); ++i)
    if (names[i].code == code) name = names[i].name;
  return fail_code("cublas", step, code, name, blas_text ? blas_text(code) : NULL);
}

#define BLAS(name, call)                                                                           \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_blas(name, code_);                                                      \
  } while (0)

typedef struct opaque_blas* blas_handle;

static struct {
  int (*create)(blas_handle*);
  int (*destroy)(blas_handle);
  int (*version)(blas_handle, int*);
  int (*sgemm)(blas_handle, int, int, int, int, int, const float*, const float*, int, const float*,
               int, const float*, float*, int);
  int (*gemm)(blas_handle, int, int, int, int, int, const void*, const void*, int, int, const void*,
              int, int, const void*, void*, int, int, int, int);
} blas;

static uint16_t bfloat16_of(float value) { // exact for small whole numbers
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return (uint16_t)(bits >> 16);
}

static uint16_t half_of(float value) { // exact for whole numbers from -2 to 2
  static const uint16_t halves[] = {0xC000, 0xBC00, 0x0000, 0x3C00, 0x4000};
  return halves[(int)value + 2];
}

static double exact_product(int n, int row, int column) {
  double sum = 0;
  for (int k = 0; k < n; ++k)
    sum += (double)small_integer((uint32_t)(k * n + row), 1) * (double)small_integer((uint32_t)(column * n + k), 2);
  return sum;
}

static bool wrong_product(const char* step, int row, int column, double got, double expected) {
  return fail(step, "element (%d, %d): the GPU computed %.9g, the processor %.9g", row, column, got, expected);
}

// 32-bit product of whole numbers, every element compared.
static bool check_single(blas_handle handle) {
  enum { N = 160 };
  static float a[N * N], b[N * N], c[N * N];
  for (uint32_t i = 0; i < N * N; ++i) {
    a[i] = small_integer(i, 1);
    b[i] = small_integer(i, 2);
  }
  device_pointer x = 0, y = 0, z = 0;
  CU(MemAlloc, &x, sizeof(a));
  CU(MemAlloc, &y, sizeof(a));
  CU(MemAlloc, &z, sizeof(a));
  CU(MemcpyHtoD, x, a, sizeof(a));
  CU(MemcpyHtoD, y, b, sizeof(a));
  const float one = 1, zero = 0;
  BLAS("cublasSgemm", blas.sgemm(handle, 0, 0, N, N, N, &one, (const float*)x, N, (const float*)y, N,
                                 &zero, (float*)z, N));
  CU(CtxSynchronize);
  CU(MemcpyDtoH, c, z, sizeof(c));
  for (int row = 0; row < N; ++row) {
    for (int column = 0; column < N; ++column) {
      double expected = exact_product(N, row, column);
      if ((double)c[column * N + row] != expected)
        return wrong_product("cublasSgemm", row, column, (double)c[column * N + row], expected);
    }
  }
  CU(MemFree, x);
  CU(MemFree, y);
  CU(MemFree, z);
  return true;
}

// 16-bit product with 32-bit sums: what training runs on. Some elements are compared.
static bool check_half(blas_handle handle, int n, bool bfloat, int version) {
  enum { SINGLE = 0, HALF = 2, BFLOAT16 = 14, COMPUTE_SINGLE = 68, DEFAULT = -1, SAMPLES = 64 };
  size_t count = (size_t)n * (size_t)n;
  uint16_t* values = malloc(2 * count * sizeof(*values));
  if (!values) return fail("malloc", "no memory on the host");
  for (size_t i = 0; i < count; ++i) {
    float left = small_integer((uint32_t)i, 1), right = small_integer((uint32_t)i, 2);
    values[i] = bfloat ? bfloat16_of(left) : half_of(left);
    values[count + i] = bfloat ? bfloat16_of(right) : half_of(right);
  }
  device_pointer x = 0, z = 0;
  CU(MemAlloc, &x, 2 * count * sizeof(*values));
  CU(MemAlloc, &z, count * sizeof(float));
  CU(MemcpyHtoD, x, values, 2 * count * sizeof(*values));
  const void* y = (const char*)x + count * sizeof(*values);
  const float one = 1, zero = 0;
  int type = bfloat ? BFLOAT16 : HALF;
  int compute = version < 11000 ? SINGLE : COMPUTE_SINGLE; // a data type before CUDA 11
  double best = 0;
  int rounds = request.effort == QUICK ? 2 : 6, batch = request.effort == QUICK ? 1 : 8;
  for (int round = 0; round < rounds; ++round) {
    double start = seconds_now();
    for (int i = 0; i < batch; ++i)
      BLAS("cublasGemmEx", blas.gemm(handle, 0, 0, n, n, n, &one, (const void*)x, type, n, y, type, n,
                                     &zero, (void*)z, SINGLE, n, compute, DEFAULT));
    CU(CtxSynchronize);
    double rate = 2.0 * n * n * n * batch / (seconds_now() - start);
    if (rate > best) best = rate;
  }
  if (request.effort != QUICK) figure(bfloat ? "bfloat16_flops" : "half_flops", best); // else too short
  figure("matrix_size", n);
  for (uint32_t i = 0; i < SAMPLES; ++i) {
    int row = (int)(scrambled(i) % (uint32_t)n), column = (int)(scrambled(i + 1000) % (uint32_t)n);
    float got = 0;
    CU(MemcpyDtoH, &got, z + ((size_t)column * (size_t)n + (size_t)row) * sizeof(float), sizeof(got));
    double expected = exact_product(n, row, column);
    if ((double)got != expected) return wrong_product("cublasGemmEx", row, column, (double)got, expected);
  }
  CU(MemFree, x);
  CU(MemFree, z);
  free(values);
  return true;
}

bool prove_cublas(void) {
  enum { CAPABILITY_MAJOR = 75 };
  void* library = open_library("CUBLAS");
  if (!library) return true;
  BIND(blas_text, library, "cublasGetStatusString");
  NEED(blas.create, library, "cublasCreate_v2");
  NEED(blas.destroy, library, "cublasDestroy_v2");
  NEED(blas.version, library, "cublasGetVersion_v2");
  NEED(blas.sgemm, library, "cublasSgemm_v2");
  NEED(blas.gemm, library, "cublasGemmEx");
  context made = NULL;
  TRY(use_device(request.device, &made));
  double start = seconds_now();
  blas_handle handle = NULL;
  BLAS("cublasCreate", blas.create(&handle));
  figure("create_seconds", seconds_now() - start);
  int version = 0;
  BLAS("cublasGetVersion", blas.version(handle, &version));
  figure("version", version);
  TRY(check_single(handle));
  int device = 0, major = 0;
  CU(DeviceGet, &device, request.device);
  CU(DeviceGetAttribute, &major, CAPABILITY_MAJOR, device);
  int n = request.effort == QUICK ? 1024 : request.effort == NORMAL ? 4096 : 8192;
  while (n > 256 && (size_t)n * (size_t)n * 8 > request.memory) n /= 2;
  if (major >= 7) TRY(check_half(handle, n, major >= 8, version));
  BLAS("cublasDestroy", blas.destroy(handle));
  return true;
}

// ---- cuFFT ----

static bool fail_fft(const char* step, int code) {
  static const char* const names[] = {
      "CUFFT_SUCCESS",      "CUFFT_INVALID_PLAN", "CUFFT_ALLOC_FAILED",  "CUFFT_INVALID_TYPE",
      "CUFFT_INVALID_VALUE", "CUFFT_INTERNAL_ERROR", "CUFFT_EXEC_FAILED", "CUFFT_SETUP_FAILED",
      "CUFFT_INVALID_SIZE",
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
  int (*version)(int*), (*plan)(int*, int, int, int), (*run)(int, void*, void*, int), (*destroy)(int);
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
  for (int k = 0; k < N; ++k) {
    double real = 0, imaginary = 0;
    for (int j = 0; j < N; ++j) {
      double angle = -2 * M_PI * (double)((long)j * k % N) / N, x = (double)values[2 * j], y = (double)values[2 * j + 1];
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
  if (!(relative < 1e-5)) return fail("cufftExecC2C", "differs from the processor's transform by %.3g", relative);
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
  return fail_code("cusolver", step, code, (size_t)code < COUNT_OF(names) ? names[code] : NULL, NULL);
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
  int (*create)(solver_handle*), (*destroy)(solver_handle);
  int (*size_of)(solver_handle, int, int, float*, int, int*);
  int (*run)(solver_handle, int, int, float*, int, float*, int, int*);
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
    for (int i = j; i < N; ++i) worst = fmax(worst, fabs((double)single[j * N + i] - exact[j * N + i]));
  figure("worst_error", worst);
  SOLVER("cusolverDnDestroy", destroy(handle));
  CU(MemFree, matrix);
  CU(MemFree, work);
  CU(MemFree, information);
  if (!(worst < 1e-3)) return fail("cusolverDnSpotrf", "differs from the processor's factor by %.3g", worst);
  return true;
}

// ---- NCCL ----

typedef struct opaque_communicator* communicator;

static const char* (*collective_text)(int);

static bool fail_collective(const char* step, int code) {
  static const char* const names[] = {
      "ncclSuccess",         "ncclUnhandledCudaError", "ncclSystemError", "ncclInternalError",
      "ncclInvalidArgument", "ncclInvalidUsage",       "ncclRemoteError", "ncclInProgress",
  };
  return fail_code("nccl", step, code, (size_t)code < COUNT_OF(names) ? names[code] : NULL,
                   collective_text ? collective_text(code) : NULL);
}

#define COLLECTIVE(name, call)                                                                     \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_collective(name, code_);                                                \
  } while (0)

enum { MOST_GPUS = 16 };

static struct {
  int (*version)(int*);
  int (*start)(communicator*, int, const int*);
  int (*sum)(const void*, void*, size_t, int, int, communicator, stream);
  int (*begin)(void);
  int (*end)(void);
  int (*destroy)(communicator);
} collective;

static bool all_reduce(int count, communicator* members, const device_pointer* from,
                       const device_pointer* to, size_t elements, context* contexts) {
  enum { FLOAT = 7, SUM = 0 };
  COLLECTIVE("ncclGroupStart", collective.begin());
  for (int i = 0; i < count; ++i)
    COLLECTIVE("ncclAllReduce", collective.sum((const void*)from[i], (void*)to[i], elements, FLOAT, SUM,
                                               members[i], NULL));
  COLLECTIVE("ncclGroupEnd", collective.end());
  for (int i = 0; i < count; ++i) {
    CU(CtxSetCurrent, contexts[i]);
    CU(CtxSynchronize);
  }
  return true;
}

bool prove_nccl(void) {
  void* library = open_library("NCCL");
  if (!library) return true;
  BIND(collective_text, library, "ncclGetErrorString");
  NEED(collective.version, library, "ncclGetVersion");
  NEED(collective.start, library, "ncclCommInitAll");
  NEED(collective.sum, library, "ncclAllReduce");
  NEED(collective.begin, library, "ncclGroupStart");
  NEED(collective.end, library, "ncclGroupEnd");
  NEED(collective.destroy, library, "ncclCommDestroy");
  int version = 0, count = 0;
  COLLECTIVE("ncclGetVersion", collective.version(&version));
  figure("version", version);
  TRY(count_devices(&count));
  if (count > MOST_GPUS) count = MOST_GPUS;
  figure("devices", count);
  if (count == 1 && request.effort == QUICK) {
    skip("one GPU is visible: there is nobody to add up with");
    return true;
  }
  context contexts[MOST_GPUS];
  communicator members[MOST_GPUS] = {NULL};
  device_pointer from[MOST_GPUS], to[MOST_GPUS];
  int ordinals[MOST_GPUS];
  size_t bytes = (size_t)(request.effort == QUICK ? 4 : request.effort == NORMAL ? 64 : 256) << 20;
  if (bytes > request.memory / 2) bytes = request.memory / 2 & ~(size_t)4095;
  size_t elements = bytes / sizeof(float);
  float* host = malloc(bytes);
  if (!host) return fail("malloc", "no memory on the host");
  for (int i = 0; i < count; ++i) {
    ordinals[i] = i;
    TRY(use_device(i, &contexts[i]));
    CU(MemAlloc, &from[i], bytes);
    CU(MemAlloc, &to[i], bytes);
    for (size_t j = 0; j < elements; ++j) host[j] = small_integer((uint32_t)j, (uint32_t)i);
    CU(MemcpyHtoD, from[i], host, bytes);
  }
  double start = seconds_now();
  COLLECTIVE("ncclCommInitAll", collective.start(members, count, ordinals));
  figure("init_seconds", seconds_now() - start);
  double best = 0;
  int rounds = request.effort == QUICK ? 2 : 8;
  for (int round = 0; round < rounds; ++round) {
    start = seconds_now();
    TRY(all_reduce(count, members, from, to, elements, contexts));
    double seconds = seconds_now() - start;
    // "Bus bandwidth", as NCCL's own tests count it.
    double rate = 2.0 * (count - 1) / count * (double)bytes / seconds;
    if (rate > best) best = rate;
  }
  if (count > 1) figure("bus_bytes_per_second", best);
  figure("reduced_bytes", (double)bytes);
  for (int i = 0; i < count; ++i) {
    CU(CtxSetCurrent, contexts[i]);
    CU(MemcpyDtoH, host, to[i], bytes);
    for (size_t j = 0; j < elements; ++j) {
      double expected = 0;
      for (int k = 0; k < count; ++k) expected += (double)small_integer((uint32_t)j, (uint32_t)k);
      if ((double)host[j] != expected)
        return fail("ncclAllReduce", "GPU %d, element %zu: the sum is %.9g and should be %.9g", i, j,
                    (double)host[j], expected);
    }
  }
  for (int i = 0; i < count; ++i) COLLECTIVE("ncclCommDestroy", collective.destroy(members[i]));
  free(host);
  return true;
}
