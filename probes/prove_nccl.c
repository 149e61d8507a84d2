// The layer of NCCL: all GPUs add up whole numbers together, from one process.
// Prototypes are declared by us; truth: NVIDIA's NCCL manual. The communicator is opaque.
#include "prove.h"

#include <stdlib.h>

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
    COLLECTIVE("ncclAllReduce", collective.sum((const void*)from[i], (void*)to[i], elements, FLOAT,
                                               SUM, members[i], NULL));
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
  context contexts[MOST_GPUS];
  communicator members[MOST_GPUS] = {NULL};
  device_pointer from[MOST_GPUS], to[MOST_GPUS];
  int ordinals[MOST_GPUS];
  size_t bytes = (size_t)(request.effort == QUICK ? 4 : request.effort == NORMAL ? 64 : 256) << 20;
  if (bytes > request.memory / 2) bytes = request.memory / 2 & ~(size_t)4095;
  size_t elements = bytes / sizeof(float);
  static float* host; // what a layer holds when it fails goes with its process
  host = malloc(bytes);
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
        return fail("ncclAllReduce", "GPU %d, element %zu: the sum is %.9g and should be %.9g", i,
                    j, (double)host[j], expected);
    }
  }
  for (int i = 0; i < count; ++i) COLLECTIVE("ncclCommDestroy", collective.destroy(members[i]));
  free(host);
  return true;
}
