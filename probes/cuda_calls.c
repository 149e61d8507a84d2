// What CUDA calls a window held: kinds of calls, sums, pauses between them.
#include "cuda_calls.h"

#include <cuda.h>
#include <cupti_driver_cbid.h>
#include <cupti_runtime_cbid.h>

#include <stdatomic.h>
#include <time.h>

#include "old_glibc.h"

static const uint64_t SHORTEST_PAUSE = 1000000; // ns without a call that count as one

enum kind { NOTHING, LAUNCH, GRAPH, COPY, SYNC, LOAD, ALLOCATION, KINDS };

static uint8_t driver_kinds[MOST_CALL_IDS], runtime_kinds[MOST_CALL_IDS];

// The window that is open. Callbacks come from any thread of the program.
static struct {
  atomic_uint number;
  atomic_ullong start;
  atomic_ullong last_exit;
  atomic_int in_flight;
  atomic_uint calls;
  atomic_ullong count[KINDS], time[KINDS];
  atomic_int unfinished[KINDS];
  atomic_ullong unfinished_start[KINDS]; // sum of the moments at which they began
  atomic_ullong to_device, to_device_bytes, to_host, to_host_bytes;
  atomic_ullong pauses, pause_time;
  atomic_ullong failed_allocations;
  atomic_int error;
} window;

static __thread struct {
  unsigned window;
  int depth; // calls of the runtime make calls of the driver: only the outermost counts
  uint64_t start;
} thread;

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void add(atomic_ullong* sum, uint64_t value) {
  atomic_fetch_add_explicit(sum, value, memory_order_relaxed);
}

static void set_kinds(uint8_t* kinds, enum kind kind, const int* ids, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (ids[i] > 0 && ids[i] < MOST_CALL_IDS) kinds[ids[i]] = (uint8_t)kind;
  }
}
#define DRIVER(name) CUPTI_DRIVER_TRACE_CBID_##name
#define RUNTIME(name) CUPTI_RUNTIME_TRACE_CBID_##name
#define SET(kinds, kind, ...)                                                                      \
  set_kinds(kinds, kind, (const int[]){__VA_ARGS__},                                               \
            sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

void fill_kinds(void) {
  SET(driver_kinds, LAUNCH, DRIVER(cuLaunchKernel), DRIVER(cuLaunchKernel_ptsz),
      DRIVER(cuLaunchKernelEx), DRIVER(cuLaunchKernelEx_ptsz), DRIVER(cuLaunchCooperativeKernel),
      DRIVER(cuLaunchCooperativeKernel_ptsz));
  SET(driver_kinds, GRAPH, DRIVER(cuGraphLaunch), DRIVER(cuGraphLaunch_ptsz));
  SET(driver_kinds, COPY, DRIVER(cuMemcpyHtoD_v2), DRIVER(cuMemcpyDtoH_v2),
      DRIVER(cuMemcpyHtoDAsync_v2), DRIVER(cuMemcpyDtoHAsync_v2), DRIVER(cuMemcpyHtoD_v2_ptds),
      DRIVER(cuMemcpyDtoH_v2_ptds), DRIVER(cuMemcpyHtoDAsync_v2_ptsz),
      DRIVER(cuMemcpyDtoHAsync_v2_ptsz), DRIVER(cuMemcpy), DRIVER(cuMemcpyAsync));
  SET(driver_kinds, SYNC, DRIVER(cuCtxSynchronize), DRIVER(cuStreamSynchronize),
      DRIVER(cuStreamSynchronize_ptsz), DRIVER(cuEventSynchronize));
  SET(driver_kinds, LOAD, DRIVER(cuModuleLoad), DRIVER(cuModuleLoadData),
      DRIVER(cuModuleLoadDataEx), DRIVER(cuModuleLoadFatBinary), DRIVER(cuLibraryLoadData),
      DRIVER(cuLibraryLoadFromFile), DRIVER(cuLinkComplete));
  SET(driver_kinds, ALLOCATION, DRIVER(cuMemAlloc_v2), DRIVER(cuMemAllocAsync),
      DRIVER(cuMemCreate));
  SET(runtime_kinds, LAUNCH, RUNTIME(cudaLaunchKernel_v7000), RUNTIME(cudaLaunchKernel_ptsz_v7000),
      RUNTIME(cudaLaunchKernelExC_v11060), RUNTIME(cudaLaunchKernelExC_ptsz_v11060),
      RUNTIME(cudaLaunchCooperativeKernel_v9000));
  SET(runtime_kinds, GRAPH, RUNTIME(cudaGraphLaunch_v10000), RUNTIME(cudaGraphLaunch_ptsz_v10000));
  SET(runtime_kinds, COPY, RUNTIME(cudaMemcpy_v3020), RUNTIME(cudaMemcpyAsync_v3020),
      RUNTIME(cudaMemcpy_ptds_v7000), RUNTIME(cudaMemcpyAsync_ptsz_v7000));
  SET(runtime_kinds, SYNC, RUNTIME(cudaDeviceSynchronize_v3020),
      RUNTIME(cudaStreamSynchronize_v3020), RUNTIME(cudaStreamSynchronize_ptsz_v7000),
      RUNTIME(cudaEventSynchronize_v3020));
  SET(runtime_kinds, ALLOCATION, RUNTIME(cudaMalloc_v3020), RUNTIME(cudaMallocAsync_v11020));
}

// How the arguments of copies begin; `kind` (cudaMemcpyKind) only those of the runtime.
struct copy {
  uint64_t to, from;
  size_t bytes;
  int kind;
};

static void count_copy(CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* parameters) {
  const struct copy* copy = parameters;
  int direction = 0; // as cudaMemcpyKind
  if (domain == CUPTI_CB_DOMAIN_RUNTIME_API) {
    direction = copy->kind;
  } else {
    switch (id) {
    case DRIVER(cuMemcpyHtoD_v2):
    case DRIVER(cuMemcpyHtoD_v2_ptds):
    case DRIVER(cuMemcpyHtoDAsync_v2):
    case DRIVER(cuMemcpyHtoDAsync_v2_ptsz): direction = 1; break;
    case DRIVER(cuMemcpyDtoH_v2):
    case DRIVER(cuMemcpyDtoH_v2_ptds):
    case DRIVER(cuMemcpyDtoHAsync_v2):
    case DRIVER(cuMemcpyDtoHAsync_v2_ptsz): direction = 2; break;
    default: break;
    }
  }
  if (direction == 1) {
    add(&window.to_device, 1);
    add(&window.to_device_bytes, copy->bytes);
  } else if (direction == 2) {
    add(&window.to_host, 1);
    add(&window.to_host_bytes, copy->bytes);
  }
}

static bool leaves_context_unusable(int result) {
  return (result >= 700 && result <= 720) || result == 214 || result == 226;
}

static void on_enter(enum kind kind) {
  uint64_t time = now();
  atomic_fetch_add_explicit(&window.calls, 1, memory_order_relaxed);
  thread.start = time;
  uint64_t last = atomic_load_explicit(&window.last_exit, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&window.in_flight, 1, memory_order_relaxed) == 0 &&
      time > last + SHORTEST_PAUSE) {
    add(&window.pauses, 1);
    add(&window.pause_time, time - last);
  }
  atomic_fetch_add_explicit(&window.unfinished[kind], 1, memory_order_relaxed);
  add(&window.unfinished_start[kind], time);
}

static void on_exit_of_call(enum kind kind, CUpti_CallbackDomain domain, CUpti_CallbackId id,
                            const CUpti_CallbackData* call) {
  uint64_t time = now();
  add(&window.count[kind], 1);
  add(&window.time[kind], time - thread.start);
  atomic_fetch_sub_explicit(&window.unfinished[kind], 1, memory_order_relaxed);
  atomic_fetch_sub_explicit(&window.unfinished_start[kind], thread.start, memory_order_relaxed);
  if (kind == COPY && call->functionParams) count_copy(domain, id, call->functionParams);
  if (call->functionReturnValue) {
    int result = *(const int*)call->functionReturnValue;
    if (kind == ALLOCATION && result == CUDA_ERROR_OUT_OF_MEMORY)
      add(&window.failed_allocations, 1);
    int none = 0;
    if (leaves_context_unusable(result))
      atomic_compare_exchange_strong(&window.error, &none, result);
  }
  atomic_store_explicit(&window.last_exit, time, memory_order_relaxed);
  atomic_fetch_sub_explicit(&window.in_flight, 1, memory_order_relaxed);
}

static enum kind kind_of(CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  if (id >= MOST_CALL_IDS) return NOTHING;
  if (domain == CUPTI_CB_DOMAIN_DRIVER_API) return (enum kind)driver_kinds[id];
  return domain == CUPTI_CB_DOMAIN_RUNTIME_API ? (enum kind)runtime_kinds[id] : NOTHING;
}

void count_call(CUpti_CallbackDomain domain, CUpti_CallbackId id, const CUpti_CallbackData* call) {
  const enum kind kind = kind_of(domain, id);
  if (kind == NOTHING) return;
  unsigned number = atomic_load_explicit(&window.number, memory_order_relaxed);
  if (thread.window != number) { // what was left unfinished when the last window closed
    thread.window = number;
    thread.depth = 0;
  }
  if (call->callbackSite == CUPTI_API_ENTER) {
    if (thread.depth++ == 0) on_enter(kind);
  } else if (thread.depth > 0 && --thread.depth == 0) {
    on_exit_of_call(kind, domain, id, call);
  } else if (thread.depth == 0 && atomic_load_explicit(&window.calls, memory_order_relaxed) == 0) {
    // It began before the window did: until now the time was its own, not a pause.
    uint64_t time = now();
    add(&window.time[kind], time - atomic_load(&window.start));
    atomic_store(&window.last_exit, time);
  }
}

static uint64_t take(atomic_ullong* sum) {
  return atomic_exchange_explicit(sum, 0, memory_order_relaxed);
}

// What a call that still runs has taken of the window.
static uint64_t unfinished_time(enum kind kind, uint64_t end) {
  int count = atomic_exchange(&window.unfinished[kind], 0);
  uint64_t starts = take(&window.unfinished_start[kind]);
  if (count <= 0) return 0;
  uint64_t ends = end * (uint64_t)count;
  return ends > starts ? ends - starts : 0;
}

void open_window(void) {
  uint64_t time = now();
  atomic_store(&window.start, time);
  atomic_store(&window.last_exit, time);
  atomic_store(&window.in_flight, 0);
  atomic_store(&window.calls, 0);
  for (int kind = 0; kind < KINDS; ++kind) unfinished_time((enum kind)kind, 0);
  atomic_fetch_add(&window.number, 1);
}

void close_window(struct gpuwhy_windows* shared) {
  uint64_t end = now();
  uint64_t last = atomic_load(&window.last_exit);
  if (atomic_load(&window.in_flight) <= 0 && end > last + SHORTEST_PAUSE) {
    add(&window.pauses, 1);
    add(&window.pause_time, end - last);
  }
  __atomic_fetch_add(&shared->sequence, 1, __ATOMIC_RELEASE);
  shared->windows += 1;
  shared->window_time += end - atomic_load(&window.start);
  shared->launches += take(&window.count[LAUNCH]);
  shared->graphs += take(&window.count[GRAPH]);
  shared->to_device += take(&window.to_device);
  shared->to_device_bytes += take(&window.to_device_bytes);
  shared->to_host += take(&window.to_host);
  shared->to_host_bytes += take(&window.to_host_bytes);
  take(&window.count[COPY]);
  shared->copy_time += take(&window.time[COPY]) + unfinished_time(COPY, end);
  shared->syncs += take(&window.count[SYNC]);
  shared->sync_time += take(&window.time[SYNC]) + unfinished_time(SYNC, end);
  shared->loads += take(&window.count[LOAD]);
  shared->load_time += take(&window.time[LOAD]) + unfinished_time(LOAD, end);
  take(&window.time[LAUNCH]);
  shared->pauses += take(&window.pauses);
  shared->pause_time += take(&window.pause_time);
  shared->failed_allocations += take(&window.failed_allocations);
  if (!shared->error) shared->error = atomic_load(&window.error);
  __atomic_fetch_add(&shared->sequence, 1, __ATOMIC_RELEASE);
}

bool is_counted(CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  return kind_of(domain, id) != NOTHING;
}

unsigned calls_in_window(void) {
  return atomic_load(&window.calls);
}

bool pauses_in_window(void) {
  return atomic_load(&window.pauses) != 0;
}
