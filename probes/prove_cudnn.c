// The layer of cuDNN: a convolution through the interface that versions 7, 8 and 9 share, and the
// versions of its parts. libcudnn opens its parts by name at first use; where one is missing or
// foreign, cuDNN prints why and ends the process, or answers an error.
// Truth: NVIDIA's cuDNN manual; headers of cuDNN 8.9 and 9 for the numbers.
#include "prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct opaque_dnn* dnn_handle;
typedef struct opaque_tensor* tensor;
typedef struct opaque_filter* filter;
typedef struct opaque_convolution* convolution;

static const char* (*dnn_text)(int);
static void (*last_error)(char*, size_t);

static bool fail_dnn(const char* step, int code) {
  char text[400] = "";
  if (last_error) last_error(text, sizeof(text) - 1);
  if (!strchr(text, ' ')) *text = '\0'; // "true": the condition that failed, in cuDNN's own source
  return fail_code("cudnn", step, code, dnn_text ? dnn_text(code) : NULL, text);
}

#define DNN(name, call)                                                                            \
  do {                                                                                             \
    int code_ = (call);                                                                            \
    if (code_) return fail_dnn(name, code_);                                                       \
  } while (0)

enum { NCHW = 0, SINGLE = 0, CROSS_CORRELATION = 1, PRECOMPUTED_GEMM = 1 };

static struct {
  int (*create)(dnn_handle*);
  int (*destroy)(dnn_handle);
  int (*create_tensor)(tensor*);
  int (*set_tensor)(tensor, int, int, int, int, int, int);
  int (*create_filter)(filter*);
  int (*set_filter)(filter, int, int, int, int, int, int);
  int (*create_convolution)(convolution*);
  int (*set_convolution)(convolution, int, int, int, int, int, int, int, int);
  int (*workspace)(dnn_handle, tensor, filter, convolution, tensor, int, size_t*);
  int (*forward)(dnn_handle, const void*, tensor, const void*, filter, const void*, convolution,
                 int, void*, size_t, const void*, tensor, void*);
} dnn;

static bool bind_library(void* library) {
  BIND(dnn_text, library, "cudnnGetErrorString");
  BIND(last_error, library, "cudnnGetLastErrorString");
  NEED(dnn.create, library, "cudnnCreate");
  NEED(dnn.destroy, library, "cudnnDestroy");
  NEED(dnn.create_tensor, library, "cudnnCreateTensorDescriptor");
  NEED(dnn.set_tensor, library, "cudnnSetTensor4dDescriptor");
  NEED(dnn.create_filter, library, "cudnnCreateFilterDescriptor");
  NEED(dnn.set_filter, library, "cudnnSetFilter4dDescriptor");
  NEED(dnn.create_convolution, library, "cudnnCreateConvolutionDescriptor");
  NEED(dnn.set_convolution, library, "cudnnSetConvolution2dDescriptor");
  NEED(dnn.workspace, library, "cudnnGetConvolutionForwardWorkspaceSize");
  NEED(dnn.forward, library, "cudnnConvolutionForward");
  return true;
}

struct shape {
  int images, channels, size, filters;
};

static int output_at(const struct shape* s, int image, int out, int y, int x, const float* in,
                     const float* w) {
  double sum = 0;
  for (int c = 0; c < s->channels; ++c) {
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        int v = y + dy, u = x + dx;
        if (v < 0 || u < 0 || v >= s->size || u >= s->size) continue;
        sum += (double)in[((image * s->channels + c) * s->size + v) * s->size + u] *
               (double)w[((out * s->channels + c) * 3 + dy + 1) * 3 + dx + 1];
      }
    }
  }
  return (int)sum;
}

static size_t elements(int images, int channels, int size) {
  return (size_t)images * (size_t)channels * (size_t)size * (size_t)size;
}

// A 3x3 convolution of whole numbers; every `stride`-th element is compared.
static bool convolve(dnn_handle handle, const struct shape* s, size_t stride, int rounds) {
  size_t inputs = elements(s->images, s->channels, s->size);
  size_t weights = elements(s->filters, s->channels, 3);
  size_t outputs = elements(s->images, s->filters, s->size);
  static float* host; // what a layer holds when it fails goes with its process
  host = malloc((inputs + weights + outputs) * sizeof(float));
  if (!host) return fail("malloc", "no memory on the host");
  float *w = host + inputs, *result = w + weights;
  for (size_t i = 0; i < inputs; ++i) host[i] = small_integer((uint32_t)i, 5);
  for (size_t i = 0; i < weights; ++i) w[i] = small_integer((uint32_t)i, 6);
  tensor in = NULL, out = NULL;
  filter kernel = NULL;
  convolution how = NULL;
  DNN("cudnnCreateTensorDescriptor", dnn.create_tensor(&in));
  DNN("cudnnCreateTensorDescriptor", dnn.create_tensor(&out));
  DNN("cudnnCreateFilterDescriptor", dnn.create_filter(&kernel));
  DNN("cudnnCreateConvolutionDescriptor", dnn.create_convolution(&how));
  DNN("cudnnSetTensor4dDescriptor",
      dnn.set_tensor(in, NCHW, SINGLE, s->images, s->channels, s->size, s->size));
  DNN("cudnnSetTensor4dDescriptor",
      dnn.set_tensor(out, NCHW, SINGLE, s->images, s->filters, s->size, s->size));
  DNN("cudnnSetFilter4dDescriptor",
      dnn.set_filter(kernel, SINGLE, NCHW, s->filters, s->channels, 3, 3));
  DNN("cudnnSetConvolution2dDescriptor",
      dnn.set_convolution(how, 1, 1, 1, 1, 1, 1, CROSS_CORRELATION, SINGLE));
  size_t space = 0;
  DNN("cudnnGetConvolutionForwardWorkspaceSize",
      dnn.workspace(handle, in, kernel, how, out, PRECOMPUTED_GEMM, &space));
  device_pointer x = 0, f = 0, y = 0, work = 0;
  CU(MemAlloc, &x, inputs * sizeof(float));
  CU(MemAlloc, &f, weights * sizeof(float));
  CU(MemAlloc, &y, outputs * sizeof(float));
  CU(MemAlloc, &work, space ? space : 1);
  CU(MemcpyHtoD, x, host, inputs * sizeof(float));
  CU(MemcpyHtoD, f, w, weights * sizeof(float));
  const float one = 1, zero = 0;
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    double start = seconds_now();
    DNN("cudnnConvolutionForward",
        dnn.forward(handle, &one, in, (const void*)x, kernel, (const void*)f, how, PRECOMPUTED_GEMM,
                    (void*)work, space, &zero, out, (void*)y));
    CU(CtxSynchronize);
    double rate = 2.0 * (double)outputs * 9 * s->channels / (seconds_now() - start);
    if (rate > best) best = rate;
  }
  if (rounds > 1) figure("convolution_flops", best);
  CU(MemcpyDtoH, result, y, outputs * sizeof(float));
  for (size_t i = 0; i < outputs; i += stride) {
    int column = (int)i % s->size, rest = (int)i / s->size, row = rest % s->size;
    rest /= s->size;
    int expected = output_at(s, rest / s->filters, rest % s->filters, row, column, host, w);
    if (fabs((double)result[i] - expected) > 1e-3)
      return fail("cudnnConvolutionForward", "element %zu: the GPU computed %.9g, the processor %d",
                  i, (double)result[i], expected);
  }
  CU(MemFree, x);
  CU(MemFree, f);
  CU(MemFree, y);
  CU(MemFree, work);
  free(host);
  return true;
}

// Each opens one part and compares its version with that of libcudnn.
static bool check_parts(void* library) {
  static const char* const checks[] = {
      "cudnnGraphVersionCheck",    "cudnnOpsVersionCheck",      "cudnnCnnVersionCheck",
      "cudnnAdvVersionCheck",      "cudnnOpsInferVersionCheck", "cudnnOpsTrainVersionCheck",
      "cudnnCnnInferVersionCheck", "cudnnCnnTrainVersionCheck", "cudnnAdvInferVersionCheck",
      "cudnnAdvTrainVersionCheck",
  };
  for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); ++i) {
    int (*check)(void) = NULL;
    BIND(check, library, checks[i]);
    if (check) DNN(checks[i], check());
  }
  return true;
}

// The parts that this process has opened by now.
static void tell_parts(void) {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (!maps) return;
  char line[4352], last[4352] = "";
  while (fgets(line, sizeof(line), maps)) {
    char* path = strchr(line, '/');
    if (!path || !strstr(path, "libcudnn")) continue;
    path[strcspn(path, "\n")] = '\0';
    if (strcmp(path, last) != 0) detail(path);
    snprintf(last, sizeof(last), "%s", path);
  }
  fclose(maps);
}

static bool try_library(void* library) {
  static const struct shape small = {2, 8, 16, 8}, large = {32, 64, 56, 64};
  size_t (*version)(void) = NULL;
  NEED(version, library, "cudnnGetVersion");
  figure("version", (double)version());
  TRY(bind_library(library));
  context made = NULL;
  TRY(use_device(request.device, &made));
  double start = seconds_now();
  dnn_handle handle = NULL;
  DNN("cudnnCreate", dnn.create(&handle));
  figure("create_seconds", seconds_now() - start);
  TRY(check_parts(library));
  start = seconds_now();
  TRY(convolve(handle, &small, 1, 1));
  figure("first_convolution_seconds", seconds_now() - start);
  if (request.effort != QUICK) TRY(convolve(handle, &large, 65537, 5));
  DNN("cudnnDestroy", dnn.destroy(handle));
  return true;
}

bool prove_cudnn(void) {
  void* library = open_library("CUDNN");
  if (!library) return true;
  bool passed = try_library(library);
  tell_parts(); // also of a failure: one of them may be foreign
  return passed;
}
