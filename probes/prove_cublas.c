// The layer of cuBLAS: products of whole numbers, which are exact in every format.
// Prototypes are declared by us; truth: NVIDIA's cuBLAS manual. The handle is opaque.
#include "prove.h"

#include <stdlib.h>
#include <string.h>

static const char* (*blas_text)(int);

static bool fail_blas(const char* step, int code) {
  static const struct {
    int code;
    const char* name;
  } names[] = {
      {1, "CUBLAS_STATUS_NOT_INITIALIZED"}, {3, "CUBLAS_STATUS_ALLOC_FAILED"},
      {7, "CUBLAS_STATUS_INVALID_VALUE"},   {8, "CUBLAS_STATUS_ARCH_MISMATCH"},
      {11, "CUBLAS_STATUS_MAPPING_ERROR"},  {13, "CUBLAS_STATUS_EXECUTION_FAILED"},
      {14, "CUBLAS_STATUS_INTERNAL_ERROR"}, {15, "CUBLAS_STATUS_NOT_SUPPORTED"},
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
  uint32_t bits = 0;
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
    sum += (double)small_integer((uint32_t)(k * n + row), 1) *
           (double)small_integer((uint32_t)(column * n + k), 2);
  return sum;
}

static bool wrong_product(const char* step, int row, int column, double got, double expected) {
  return fail(step, "element (%d, %d): the GPU computed %.9g, the processor %.9g", row, column, got,
              expected);
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
  BLAS("cublasSgemm", blas.sgemm(handle, 0, 0, N, N, N, &one, (const float*)x, N, (const float*)y,
                                 N, &zero, (float*)z, N));
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
      BLAS("cublasGemmEx", blas.gemm(handle, 0, 0, n, n, n, &one, (const void*)x, type, n, y, type,
                                     n, &zero, (void*)z, SINGLE, n, compute, DEFAULT));
    CU(CtxSynchronize);
    double rate = 2.0 * n * n * n * batch / (seconds_now() - start);
    if (rate > best) best = rate;
  }
  if (request.effort != QUICK)
    figure(bfloat ? "bfloat16_flops" : "half_flops", best); // else too short
  figure("matrix_size", n);
  for (uint32_t i = 0; i < SAMPLES; ++i) {
    int row = (int)(scrambled(i) % (uint32_t)n), column = (int)(scrambled(i + 1000) % (uint32_t)n);
    float got = 0;
    CU(MemcpyDtoH, &got, z + ((size_t)column * (size_t)n + (size_t)row) * sizeof(float),
       sizeof(got));
    double expected = exact_product(n, row, column);
    if ((double)got != expected)
      return wrong_product("cublasGemmEx", row, column, (double)got, expected);
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
