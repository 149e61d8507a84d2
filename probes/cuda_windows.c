// Counts a program's CUDA calls in short windows. libcuda loads this library into the program (by
// CUDA_INJECTION64_PATH) and calls InitializeInjection() from cuInit. A thread of ours then
// subscribes to CUPTI's callbacks for a fifth of a second or less, often at first and then every
// five seconds, and writes the sums into a file that gpuwhy reads. Between the windows nothing is
// subscribed, so that a profiler that the program brings along finds CUPTI free; while it runs, our
// windows are left out.
//
// Nothing here may hurt the program: no output, no signal, no exit, and whatever fails only ends
// the counting.
#include "cuda_windows.h"

#include <cuda.h>
#include <cupti_callbacks.h>
#include <cupti_driver_cbid.h>
#include <cupti_runtime_cbid.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "old_glibc.h"

enum {
  WINDOW_MS = 200,
  SHORTEST_WINDOW_MS = 50,
  LONGEST_WINDOW_MS = 1000,
  ENOUGH_CALLS = 50,
  MANY_CALLS = 1000
};
enum {
  EARLY_PAUSE_MS = 500,
  EARLY_WINDOWS = 16,
  PAUSE_MS = 4800,
  TAKEN_PAUSE_MS = 10000,
};
enum { MOST_IDS = 2048, PATH_SIZE = 4096 };
static const uint64_t SHORTEST_PAUSE = 1000000; // ns without a call that count as one

enum kind { NOTHING, LAUNCH, GRAPH, COPY, SYNC, LOAD, ALLOCATION, KINDS };

static uint8_t driver_kinds[MOST_IDS], runtime_kinds[MOST_IDS];

static struct {
  CUptiResult (*subscribe)(CUpti_SubscriberHandle*, CUpti_CallbackFunc, void*);
  CUptiResult (*unsubscribe)(CUpti_SubscriberHandle);
  CUptiResult (*enable)(uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain, CUpti_CallbackId);
} cupti;

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

static struct gpuwhy_windows* shared;
static pid_t owner;
static int wake = -1;
static atomic_int stopping, stopped;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void add(atomic_ullong* sum, uint64_t value) {
  atomic_fetch_add_explicit(sum, value, memory_order_relaxed);
}

static void set_kinds(uint8_t* kinds, enum kind kind, const int* ids, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (ids[i] > 0 && ids[i] < MOST_IDS) kinds[ids[i]] = (uint8_t)kind;
  }
}
#define DRIVER(name) CUPTI_DRIVER_TRACE_CBID_##name
#define RUNTIME(name) CUPTI_RUNTIME_TRACE_CBID_##name
#define SET(kinds, kind, ...)                                                                      \
  set_kinds(kinds, kind, (const int[]){__VA_ARGS__},                                               \
            sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void fill_kinds(void) {
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

static void CUPTIAPI on_call(void* nothing, CUpti_CallbackDomain domain, CUpti_CallbackId id,
                             const void* data) {
  (void)nothing;
  if (id >= MOST_IDS) return;
  enum kind kind = domain == CUPTI_CB_DOMAIN_DRIVER_API    ? driver_kinds[id]
                   : domain == CUPTI_CB_DOMAIN_RUNTIME_API ? runtime_kinds[id]
                                                           : NOTHING;
  if (kind == NOTHING) return;
  const CUpti_CallbackData* call = data;
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

// Waits so long, or until the program ends; true: it ends.
static bool rest(int milliseconds) {
  struct pollfd event = {.fd = wake, .events = POLLIN};
  poll(&event, 1, milliseconds);
  return atomic_load(&stopping);
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

static void begin_window(void) {
  uint64_t time = now();
  atomic_store(&window.start, time);
  atomic_store(&window.last_exit, time);
  atomic_store(&window.in_flight, 0);
  atomic_store(&window.calls, 0);
  for (int kind = 0; kind < KINDS; ++kind) unfinished_time((enum kind)kind, 0);
  atomic_fetch_add(&window.number, 1);
}

static void set_state(enum gpuwhy_windows_state state, int result) {
  shared->result = result;
  shared->state = state;
}

static void end_window(void) {
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
  set_state(GPUWHY_WINDOWS_WORKING, 0);
}

static void enable_all(CUpti_SubscriberHandle subscriber) {
  for (unsigned id = 1; id < MOST_IDS; ++id) {
    if (driver_kinds[id]) cupti.enable(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API, id);
    if (runtime_kinds[id]) cupti.enable(1, subscriber, CUPTI_CB_DOMAIN_RUNTIME_API, id);
  }
}

// How long to wait for the next window; negative: there will be none.
static int look_once(unsigned number) {
  CUpti_SubscriberHandle subscriber = NULL;
  CUptiResult result = cupti.subscribe(&subscriber, on_call, NULL);
  if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED ||
      result == CUPTI_ERROR_MAX_LIMIT_REACHED) {
    set_state(GPUWHY_WINDOWS_TAKEN, (int)result);
    return TAKEN_PAUSE_MS;
  }
  if (result != CUPTI_SUCCESS) {
    set_state(GPUWHY_WINDOWS_REFUSED, (int)result);
    return -1;
  }
  begin_window();
  enable_all(subscriber);
  // Where one call follows the other, a short look tells as much and costs less; where hardly
  // anything is called, a long one costs as little and sees calls from end to end.
  bool ends = rest(SHORTEST_WINDOW_MS);
  const bool dense = atomic_load(&window.calls) >= MANY_CALLS && atomic_load(&window.pauses) == 0;
  if (!ends && !dense) ends = rest(WINDOW_MS - SHORTEST_WINDOW_MS);
  for (int open = WINDOW_MS; !ends && open < LONGEST_WINDOW_MS; open += WINDOW_MS) {
    if (atomic_load(&window.calls) >= ENOUGH_CALLS) break;
    ends = rest(WINDOW_MS);
  }
  cupti.unsubscribe(subscriber);
  end_window();
  return number < EARLY_WINDOWS ? EARLY_PAUSE_MS : PAUSE_MS;
}

// --- finding CUPTI: the one that the program has, or would have
// ------------------------------------------------

static const char* const names[] = {"libcupti.so.13",   "libcupti.so.12",   "libcupti.so.11.8",
                                    "libcupti.so.11.7", "libcupti.so.11.6", "libcupti.so.11.5",
                                    "libcupti.so.11.4", "libcupti.so.11.3", "libcupti.so.11.2",
                                    "libcupti.so.11.1", "libcupti.so.11.0"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

struct search {
  void* library;
  int newest; // place of the newest name that the driver serves
};

static void* open_in(const char* directory, size_t length, const char* below, const char* name) {
  char path[PATH_SIZE];
  int size = snprintf(path, sizeof(path), "%.*s%s%s", (int)length, directory, below, name);
  if (size <= 0 || size >= PATH_SIZE || access(path, R_OK) != 0) return NULL;
  return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

// Beside a library that came with pip: the packages lie in one folder "nvidia".
static int look_beside(struct dl_phdr_info* object, size_t size, void* data) {
  (void)size;
  struct search* search = data;
  const char* mark = object->dlpi_name ? strstr(object->dlpi_name, "/nvidia/") : NULL;
  const char* torch = object->dlpi_name ? strstr(object->dlpi_name, "/torch/lib/") : NULL;
  for (int i = search->newest; i < NAMES && !search->library; ++i) {
    if (mark) {
      size_t length = (size_t)(mark - object->dlpi_name);
      search->library = open_in(object->dlpi_name, length, "/nvidia/cu13/lib/", names[i]);
      if (!search->library)
        search->library = open_in(object->dlpi_name, length, "/nvidia/cuda_cupti/lib/", names[i]);
    }
    if (torch && !search->library)
      search->library =
          open_in(object->dlpi_name, (size_t)(torch - object->dlpi_name), "/torch/lib/", names[i]);
  }
  return search->library != NULL;
}

// dlopen() may not be called while the list of objects is walked: the names are copied first.
struct paths {
  char text[64][512];
  int count;
};

static int note_path(struct dl_phdr_info* object, size_t size, void* data) {
  (void)size;
  struct paths* paths = data;
  const char* name = object->dlpi_name;
  if (!name || strlen(name) >= sizeof(paths->text[0])) return 0;
  if (!strstr(name, "/nvidia/") && !strstr(name, "/torch/lib/")) return 0;
  strcpy(paths->text[paths->count++], name);
  return paths->count == 64;
}

static void* find_cupti(void) {
  int version = 0;
  CUresult (*driver_version)(int*) = NULL;
  void* function = dlsym(RTLD_DEFAULT, "cuDriverGetVersion");
  void* driver = function ? NULL : dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (driver) function = dlsym(driver, "cuDriverGetVersion");
  memcpy(&driver_version, &function, sizeof(function));
  if (driver_version) driver_version(&version);
  struct search search = {.library = NULL,
                          .newest = version >= 13000   ? 0
                                    : version >= 12000 ? 1
                                                       : 2};
  for (int i = search.newest; i < NAMES && !search.library; ++i)
    search.library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  static struct paths paths;
  if (!search.library) dl_iterate_phdr(note_path, &paths);
  for (int i = 0; i < paths.count && !search.library; ++i) {
    struct dl_phdr_info object = {.dlpi_name = paths.text[i]};
    look_beside(&object, sizeof(object), &search);
  }
  for (int i = search.newest; i < NAMES && !search.library; ++i)
    search.library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
  const char* home = "/usr/local/cuda";
  for (int i = search.newest; i < NAMES && !search.library; ++i) {
    search.library = open_in(home, strlen(home), "/extras/CUPTI/lib64/", names[i]);
    if (!search.library) search.library = open_in(home, strlen(home), "/lib64/", names[i]);
  }
  return search.library;
}

static bool bind_cupti(void) {
  void* library = find_cupti();
  if (!library) return false;
  void* subscribe = dlsym(library, "cuptiSubscribe");
  void* unsubscribe = dlsym(library, "cuptiUnsubscribe");
  void* enable = dlsym(library, "cuptiEnableCallback");
  if (!subscribe || !unsubscribe || !enable) return false;
  memcpy(&cupti.subscribe, &subscribe, sizeof(subscribe));
  memcpy(&cupti.unsubscribe, &unsubscribe, sizeof(unsubscribe));
  memcpy(&cupti.enable, &enable, sizeof(enable));
  Dl_info found;
  if (dladdr(subscribe, &found) && found.dli_fname)
    snprintf(shared->library, sizeof(shared->library), "%s", found.dli_fname);
  return true;
}

// --- the thread
// ------------------------------------------------------------------------------------------------

static void* watch(void* nothing) {
  (void)nothing;
  prctl(PR_SET_NAME, "gpuwhy");
  // The program is within cuInit, and its libraries may be on their way in.
  bool ends = rest(EARLY_PAUSE_MS);
  bool found = !ends && bind_cupti();
  for (int attempt = 0; !ends && !found && attempt < 5; ++attempt) {
    ends = rest(1000);
    found = !ends && bind_cupti();
  }
  if (!ends && !found) set_state(GPUWHY_WINDOWS_NO_CUPTI, 0);
  for (unsigned number = 0; found && !ends; ++number) {
    int wait = look_once(number);
    if (wait < 0) break;
    ends = rest(wait);
  }
  atomic_store(&stopped, 1);
  return NULL;
}

// Runs before the libraries that were loaded earlier end: CUPTI must be left alone from then on.
static void stop(void) {
  if (getpid() != owner) return; // a fork: the thread is not in it
  atomic_store(&stopping, 1);
  uint64_t one = 1;
  if (write(wake, &one, sizeof(one)) != sizeof(one)) return;
  for (int i = 0; i < 300 && !atomic_load(&stopped); ++i) usleep(1000);
}

static bool map_file(void) {
  char path[PATH_SIZE];
  const char* directory = getenv(GPUWHY_WINDOWS_DIRECTORY);
  if (!directory || directory[0] != '/') return false;
  int size = snprintf(path, sizeof(path), "%s/%d", directory, (int)getpid());
  if (size <= 0 || size >= PATH_SIZE) return false;
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return false;
  void* memory = MAP_FAILED;
  // Written, not only lengthened: a full disk must fail here, not later by a signal.
  static const struct gpuwhy_windows empty = {.magic = GPUWHY_WINDOWS_MAGIC, .size = sizeof(empty)};
  if (write(file, &empty, sizeof(empty)) == (ssize_t)sizeof(empty))
    memory = mmap(NULL, sizeof(empty), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return false;
  shared = memory;
  return true;
}

typedef int (*create_thread)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

static bool start_thread(void) {
  // Under its old name it is in libpthread, under its new one in libc: whichever this process has.
  void* function = dlsym(RTLD_DEFAULT, "pthread_create");
  create_thread create = NULL;
  memcpy(&create, &function, sizeof(function));
  if (!create) return false;
  uint64_t all = ~UINT64_C(0), before = 0; // the kernel's sigset: signals are the program's
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
  pthread_t made;
  int error = create(&made, NULL, watch, NULL);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
  return error == 0;
}

__attribute__((visibility("default"))) int InitializeInjection(void) {
  static atomic_int begun;
  if (atomic_exchange(&begun, 1)) return 1;
  owner = getpid();
  wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0 || !map_file()) return 1;
  fill_kinds();
  if (start_thread()) atexit(stop);
  return 1;
}
