// Written for tests: memory and kernels of the stub driver. Device memory is the host's, and the
// kernels of probes/prove_kernels.ptx are repeated here in C, by name.
//   STUB_CUDA_FAULT=CALL:WHAT   the call, by its plain name (cuMemAlloc), fails: WHAT is a
//   CUresult, with
//                               which everything after it fails too (a GPU that is lost), or
//                               hang, crash, or wrong (memory comes back changed, or a kernel
//                               computes nonsense)
//   STUB_CUDA_FREE=BYTES        so much memory is free; more is CUDA_ERROR_OUT_OF_MEMORY
#include "work.h"

#include "machine.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int result;
typedef unsigned long long pointer;

enum {
  OK = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_IMAGE = 200,
  NOT_FOUND = 500,
  WRONG = -1
};

int stub_fault(const char* call) {
  static int lost;
  const char* wanted = getenv("STUB_CUDA_FAULT");
  if (lost) return lost;
  if (!wanted) return OK;
  size_t length = strlen(call);
  if (strncmp(wanted, call, length) != 0 || wanted[length] != ':') return OK;
  const char* what = wanted + length + 1;
  if (strcmp(what, "crash") == 0) abort();
  while (strcmp(what, "hang") == 0) pause();
  if (strcmp(what, "wrong") == 0) return WRONG;
  return lost = atoi(what);
}

#define BEGIN(call)                                                                                \
  result fault = stub_ready(call);                                                                 \
  if (!fault) fault = stub_fault(call);                                                            \
  if (fault > 0) return fault

// ---- Memory ----

static size_t allocated;

EXPORT result cuMemAlloc_v2(pointer* place, size_t size) {
  BEGIN("cuMemAlloc");
  const char* free_bytes = getenv("STUB_CUDA_FREE");
  if (!size) return INVALID_VALUE;
  if (free_bytes && allocated + size > strtoull(free_bytes, NULL, 10)) return OUT_OF_MEMORY;
  size_t* block = malloc(size + sizeof(max_align_t));
  if (!block) return OUT_OF_MEMORY;
  *block = size;
  allocated += size;
  *place = (pointer)(uintptr_t)((char*)block + sizeof(max_align_t));
  return OK;
}

EXPORT result cuMemFree_v2(pointer place) {
  BEGIN("cuMemFree");
  size_t* block = (size_t*)((char*)(uintptr_t)place - sizeof(max_align_t));
  allocated -= *block;
  free(block);
  return OK;
}

EXPORT result cuMemAllocHost_v2(void** place, size_t size) {
  BEGIN("cuMemAllocHost");
  *place = malloc(size);
  return *place ? OK : OUT_OF_MEMORY;
}

EXPORT result cuMemFreeHost(void* place) {
  BEGIN("cuMemFreeHost");
  free(place);
  return OK;
}

static result copy(void* to, const void* from, size_t size, result fault) {
  memcpy(to, from, size);
  if (fault == WRONG && size) ((unsigned char*)to)[size / 2] ^= 1;
  return OK;
}

EXPORT result cuMemcpyHtoD_v2(pointer to, const void* from, size_t size) {
  BEGIN("cuMemcpyHtoD");
  return copy((void*)(uintptr_t)to, from, size, fault);
}

EXPORT result cuMemcpyDtoH_v2(void* to, pointer from, size_t size) {
  BEGIN("cuMemcpyDtoH");
  return copy(to, (const void*)(uintptr_t)from, size, fault);
}

EXPORT result cuMemcpyDtoD_v2(pointer to, pointer from, size_t size) {
  BEGIN("cuMemcpyDtoD");
  return copy((void*)(uintptr_t)to, (const void*)(uintptr_t)from, size, fault);
}

EXPORT result cuMemcpyPeer(pointer to, void* target, pointer from, void* source, size_t size) {
  BEGIN("cuMemcpyPeer");
  (void)target, (void)source;
  return copy((void*)(uintptr_t)to, (const void*)(uintptr_t)from, size, fault);
}

EXPORT result cuMemsetD8_v2(pointer to, unsigned char value, size_t size) {
  BEGIN("cuMemsetD8");
  memset((void*)(uintptr_t)to, value, size);
  return OK;
}

EXPORT result cuCtxEnablePeerAccess(void* peer, unsigned flags) {
  BEGIN("cuCtxEnablePeerAccess");
  (void)peer, (void)flags;
  return OK;
}

// ---- Kernels: each takes its parameters as cuLaunchKernel does ----

#define VALUE(type, n) (*(type*)parameters[n])
#define FLOATS(n) ((float*)(uintptr_t)VALUE(pointer, n))

static void scramble(void** parameters) {
  uint32_t* data = (uint32_t*)(uintptr_t)VALUE(pointer, 0);
  for (uint32_t i = 0; i < VALUE(uint32_t, 1); ++i) {
    uint32_t x = data[i];
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    data[i] = (x ^ x >> 16) + VALUE(uint32_t, 2);
  }
}

static void multiply(void** parameters) {
  float *c = FLOATS(0), *a = FLOATS(1), *b = FLOATS(2);
  uint32_t m = VALUE(uint32_t, 3), n = VALUE(uint32_t, 4), depth = VALUE(uint32_t, 5);
  for (uint32_t row = 0; row < m; ++row) {
    for (uint32_t column = 0; column < n; ++column) {
      float sum = 0;
      for (uint32_t k = 0; k < depth; ++k)
        sum += a[row * VALUE(uint32_t, 6) + k * VALUE(uint32_t, 7)] *
               b[k * VALUE(uint32_t, 8) + column * VALUE(uint32_t, 9)];
      c[row * n + column] = sum;
    }
  }
}

static void bias_relu(void** parameters) {
  float *h = FLOATS(0), *bias = FLOATS(1);
  for (uint32_t i = 0; i < VALUE(uint32_t, 2); ++i)
    h[i] = fmaxf(h[i] + bias[i % VALUE(uint32_t, 3)], 0);
}

static void relu_gradient(void** parameters) {
  for (uint32_t i = 0; i < VALUE(uint32_t, 2); ++i)
    if (FLOATS(1)[i] <= 0) FLOATS(0)[i] = 0;
}

static void softmax_loss(void** parameters) {
  uint32_t* labels = (uint32_t*)(uintptr_t)VALUE(pointer, 2);
  uint32_t rows = VALUE(uint32_t, 4), columns = VALUE(uint32_t, 5);
  for (uint32_t row = 0; row < rows; ++row) {
    float *z = FLOATS(0) + (size_t)row * columns, most = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < columns; ++j) most = fmaxf(most, z[j] += FLOATS(1)[j]);
    float own = z[labels[row]] - most;
    for (uint32_t j = 0; j < columns; ++j) sum += z[j] = expf(z[j] - most);
    FLOATS(3)[row] = logf(sum) - own;
    for (uint32_t j = 0; j < columns; ++j)
      z[j] = (z[j] / sum - (j == labels[row] ? 1.0f : 0.0f)) * VALUE(float, 6);
  }
}

static void column_sums(void** parameters) {
  for (uint32_t c = 0; c < VALUE(uint32_t, 3); ++c) {
    float sum = 0;
    for (uint32_t r = 0; r < VALUE(uint32_t, 2); ++r) sum += FLOATS(1)[r * VALUE(uint32_t, 3) + c];
    FLOATS(0)[c] = sum;
  }
}

static void adam(void** parameters) {
  float *w = FLOATS(0), *m = FLOATS(1), *v = FLOATS(2), *g = FLOATS(3);
  for (uint32_t i = 0; i < VALUE(uint32_t, 4); ++i) {
    m[i] += (1 - VALUE(float, 6)) * (g[i] - m[i]);
    v[i] += (1 - VALUE(float, 7)) * (g[i] * g[i] - v[i]);
    w[i] -= VALUE(float, 5) * m[i] / (sqrtf(v[i]) + VALUE(float, 8));
  }
}

struct kernel {
  const char* name;
  void (*run)(void** parameters);
};

static const struct kernel kernels[] = {
    {"scramble", scramble},
    {"multiply", multiply},
    {"bias_relu", bias_relu},
    {"relu_gradient", relu_gradient},
    {"softmax_loss", softmax_loss},
    {"column_sums", column_sums},
    {"adam", adam},
};

EXPORT result cuModuleLoadDataEx(void** module, const void* image, unsigned options, int* names,
                                 void** values) {
  BEGIN("cuModuleLoadDataEx");
  (void)options, (void)names, (void)values;
  if (!strstr(image, ".version")) return INVALID_IMAGE;
  *module = (void*)(uintptr_t)kernels;
  return OK;
}

EXPORT result cuModuleUnload(void* module) {
  BEGIN("cuModuleUnload");
  (void)module;
  return OK;
}

EXPORT result cuModuleGetFunction(void** function, void* module, const char* name) {
  BEGIN("cuModuleGetFunction");
  (void)module;
  for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); ++i) {
    if (strcmp(kernels[i].name, name) != 0) continue;
    *function = (void*)(uintptr_t)&kernels[i];
    return OK;
  }
  return NOT_FOUND;
}

EXPORT result cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                             unsigned by, unsigned bz, unsigned shared, void* stream,
                             void** parameters, void** extra) {
  BEGIN("cuLaunchKernel");
  (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)stream,
      (void)extra;
  if (fault != WRONG) ((const struct kernel*)function)->run(parameters);
  return OK;
}
