// Counts a program's CUDA calls in short windows. libcuda loads this library into the program (by
// CUDA_INJECTION64_PATH) and calls InitializeInjection() from cuInit. A thread of ours then
// subscribes to CUPTI's callbacks for a fifth of a second or less, often at first and then every
// five seconds, more seldom where that would cost the program more than half a per cent of its
// time, and writes the sums into a file that gpuwhy reads. Between the windows nothing is
// subscribed, so that a profiler that the program brings along finds CUPTI free; while it runs, our
// windows are left out.
//
// Nothing here may hurt the program: no output, no signal, no exit, and whatever fails only ends
// the counting.
#include "cuda_windows.h"

#include "cuda_calls.h"
#include "cuda_contexts.h"
#include "cupti_search.h"

#include <cupti_callbacks.h>
#include <cupti_driver_cbid.h>
#include <cupti_runtime_cbid.h>

#include <dlfcn.h>
#include <fcntl.h>
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
  SHORTEST_WINDOW_MS = 10,
  STEP_MS = 50,
  LONGEST_WINDOW_MS = 1000,
  ENOUGH_CALLS = 50,
  MANY_CALLS = 1000,
  MOST_CALLS = 4000
};
enum {
  FIRST_PAUSE_MS = 500, // doubled after every window
  PAUSE_MS = 4800,
  LONGEST_PAUSE_MS = 60000,
  TAKEN_PAUSE_MS = 10000,
  LEAVE_MS = 100,
  SETTLE_MS = 1000,
  LONGEST_SETTLE_MS = 10000,
  LONGEST_STOP_MS = 5000,
  POLL_MS = 100,
};

// What looking may cost the program: a part of its time, and so much of it in advance that the
// first seconds are seen, too. Nanoseconds.
static const uint64_t PART = 200, ADVANCE = 50000000; // 0.5 %; that of ten seconds
static const uint64_t CALL_COST = 2000;               // of one that is counted; seen: 1 to 3.5 us
enum { PATH_SIZE = 4096 };

static struct {
  CUptiResult (*subscribe)(CUpti_SubscriberHandle*, CUpti_CallbackFunc, void*);
  CUptiResult (*unsubscribe)(CUpti_SubscriberHandle);
  CUptiResult (*enable)(uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain, CUpti_CallbackId);
  CUptiResult (*finalize)(void);
} cupti;

// Once anything was enabled, CUPTI slows every call until it is finalized: by a fifth in a
// launch-bound loop on an H200. Unsubscribing does not help, and what is disabled stays so. Its
// manual names the safe place: the end of a call, in the thread that made it. So the window's end
// only asks for it. To subscribe anew costs the program some 15 ms.
enum { KEEP, LEAVE, LEAVING, LEFT };
static atomic_int leaving = LEFT;
static CUpti_SubscriberHandle subscriber;

static struct gpuwhy_windows* shared;
static pid_t owner;
static int wake = -1;
static atomic_int stopping, stopped;

static uint64_t begun;                    // when the library came
static atomic_ullong spent;               // of the program's time, as far as is known
static uint64_t spent_before_last_window; // the next one is taken to cost as much as the last

static uint64_t own_processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void leave(void) {
  int asked = LEAVE;
  if (!atomic_compare_exchange_strong(&leaving, &asked, LEAVING)) return;
  uint64_t start = now();
  cupti.unsubscribe(subscriber);
  cupti.finalize();
  atomic_fetch_add(&spent, now() - start);
  atomic_store_explicit(&leaving, LEFT, memory_order_release);
}

static bool resets(CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  if (domain == CUPTI_CB_DOMAIN_RUNTIME_API)
    return id == CUPTI_RUNTIME_TRACE_CBID_cudaDeviceReset_v3020;
  return id == CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxReset ||
         id == CUPTI_DRIVER_TRACE_CBID_cuDevicePrimaryCtxReset_v2;
}

static void CUPTIAPI on_call(void* nothing, CUpti_CallbackDomain domain, CUpti_CallbackId id,
                             const void* data) {
  (void)nothing;
  const CUpti_CallbackData* call = data;
  if (atomic_load_explicit(&leaving, memory_order_acquire) != KEEP) {
    if (call->callbackSite == CUPTI_API_EXIT) leave();
    return;
  }
  if (resets(domain, id)) forget_contexts();
  count_call(domain, id, call);
}

// Waits so long, or until the program ends; true: it ends.
static bool rest(int milliseconds) {
  struct pollfd event = {.fd = wake, .events = POLLIN};
  poll(&event, 1, milliseconds);
  return atomic_load(&stopping);
}

// --- a window
// -----------------------------------------------------------------------------------------------

static void set_state(enum gpuwhy_windows_state state, int result) {
  shared->result = result;
  shared->state = state;
}

static void enable_all(void) {
  for (unsigned id = 1; id < MOST_CALL_IDS; ++id) {
    for (unsigned domain = CUPTI_CB_DOMAIN_DRIVER_API; domain <= CUPTI_CB_DOMAIN_RUNTIME_API;
         ++domain)
      if (is_counted(domain, id) || resets(domain, id)) cupti.enable(1, subscriber, domain, id);
  }
}

// Where one call follows the other, a short look tells as much and costs less; where hardly
// anything is called, a long one costs as little and sees calls from end to end.
static bool seen_enough(int milliseconds) {
  const unsigned calls = calls_in_window();
  if (calls >= MOST_CALLS || (calls >= MANY_CALLS && !pauses_in_window())) return true;
  return milliseconds >= WINDOW_MS && calls >= ENOUGH_CALLS;
}

static int pause_after(unsigned number) {
  const int usual = number < 4 ? FIRST_PAUSE_MS << number : PAUSE_MS;
  const uint64_t sum = atomic_load(&spent), next = sum + (sum - spent_before_last_window);
  if (next <= ADVANCE) return usual;
  const uint64_t due = next * PART, time = now() - begun;
  const uint64_t wait = due > time ? (due - time) / 1000000 : 0;
  if (wait <= (uint64_t)usual) return usual;
  return wait < LONGEST_PAUSE_MS ? (int)wait : LONGEST_PAUSE_MS;
}

// How long to wait for the next window; negative: there will be none.
static int look_once(unsigned number) {
  if (atomic_load(&leaving) == LEAVING) return FIRST_PAUSE_MS;
  release_contexts();
  hold_contexts();
  spent_before_last_window = atomic_load(&spent);
  // The processor's time: behind a driver that compiles or loads it is the program that holds us
  // up.
  const uint64_t start = own_processor_time();
  CUptiResult result = cupti.subscribe(&subscriber, on_call, NULL);
  if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED ||
      result == CUPTI_ERROR_MAX_LIMIT_REACHED) {
    release_contexts();
    set_state(GPUWHY_WINDOWS_TAKEN, (int)result);
    return TAKEN_PAUSE_MS;
  }
  if (result != CUPTI_SUCCESS) {
    release_contexts();
    set_state(GPUWHY_WINDOWS_REFUSED, (int)result);
    return -1;
  }
  open_window();
  atomic_store(&leaving, KEEP);
  enable_all();
  const uint64_t attaching = own_processor_time() - start;
  bool ends = rest(SHORTEST_WINDOW_MS);
  for (int open = SHORTEST_WINDOW_MS; !ends && open < LONGEST_WINDOW_MS && !seen_enough(open);) {
    const int step = open == SHORTEST_WINDOW_MS ? STEP_MS - SHORTEST_WINDOW_MS : STEP_MS;
    ends = rest(step);
    open += step;
  }
  atomic_store(&leaving, LEAVE);
  const unsigned calls = calls_in_window();
  // A program that hardly calls is hardly ever held up.
  if (calls >= ENOUGH_CALLS) atomic_fetch_add(&spent, attaching);
  atomic_fetch_add(&spent, calls * CALL_COST);
  close_window(shared);
  set_state(GPUWHY_WINDOWS_WORKING, 0);
  // No call, no cost: a program that rests gets CUPTI back by us, and the next window finalizes it.
  for (int waited = 0; !ends && waited < LEAVE_MS && atomic_load(&leaving) != LEFT; waited += 10)
    ends = rest(10);
  int asked = LEAVE;
  if (atomic_compare_exchange_strong(&leaving, &asked, LEAVING)) {
    cupti.unsubscribe(subscriber);
    atomic_store(&leaving, LEFT);
  }
  shared->spent_time = atomic_load(&spent);
  if (!ends && atomic_load(&leaving) == LEFT) release_contexts();
  return pause_after(number);
}

// --- the thread
// ------------------------------------------------------------------------------------------------

static bool bind_cupti(void) {
  void* library = find_cupti();
  if (!library) return false;
  void* subscribe = dlsym(library, "cuptiSubscribe");
  void* unsubscribe = dlsym(library, "cuptiUnsubscribe");
  void* enable = dlsym(library, "cuptiEnableCallback");
  void* finalize = dlsym(library, "cuptiFinalize");
  if (!subscribe || !unsubscribe || !enable || !finalize) return false;
  memcpy(&cupti.subscribe, &subscribe, sizeof(subscribe));
  memcpy(&cupti.unsubscribe, &unsubscribe, sizeof(unsubscribe));
  memcpy(&cupti.enable, &enable, sizeof(enable));
  memcpy(&cupti.finalize, &finalize, sizeof(finalize));
  Dl_info found;
  if (dladdr(subscribe, &found) && found.dli_fname)
    snprintf(shared->library, sizeof(shared->library), "%s", found.dli_fname);
  return true;
}

// Waits until contexts live and no other has joined them for a while: a JAX program on an H200
// whose context was being created while CUPTI was attached never came back from it. Contexts that
// are not primary ones are not told of: where none was ever seen, some are taken to be there after
// some seconds. Where all are gone, nothing is looked at until one comes back.
// A process with contexts on several GPUs is left alone: a JAX program on two H200 stood still from
// the moment in which a window ended, NCCL's kernel on one GPU waiting for that of the other.
// True: the program ends.
static bool settle(void) {
  static uint64_t settled = UINT64_MAX, ever;
  uint64_t known = contexts();
  if (known == settled) return false;
  bool ends = false;
  for (int since = 0, waited = 0; !ends && (ever || waited < LONGEST_SETTLE_MS);
       waited += POLL_MS) {
    const bool several = known & (known - 1);
    if (several) set_state(GPUWHY_WINDOWS_SEVERAL, 0);
    if (known && !several && since >= SETTLE_MS) break;
    ends = rest(POLL_MS);
    const uint64_t seen = contexts();
    since = seen == known ? since + POLL_MS : 0;
    known = seen;
    ever |= seen;
  }
  settled = known;
  return ends;
}

static void* watch(void* nothing) {
  (void)nothing;
  prctl(PR_SET_NAME, "gpuwhy");
  // The program is within cuInit, and its libraries may be on their way in.
  bool ends = rest(FIRST_PAUSE_MS);
  if (!ends && bind_driver()) ends = settle();
  bool found = !ends && bind_cupti();
  for (int attempt = 0; !ends && !found && attempt < 5; ++attempt) {
    ends = rest(1000);
    found = !ends && bind_cupti();
  }
  if (!ends && !found) set_state(GPUWHY_WINDOWS_NO_CUPTI, 0);
  for (unsigned number = 0; found && !ends; ++number) {
    int wait = look_once(number);
    if (wait < 0) break;
    ends = rest(wait) || settle();
  }
  atomic_store(&stopped, 1);
  return NULL;
}

// Runs before the libraries that were loaded earlier end: CUPTI must be left alone from then on. It
// takes some seconds to come in where the disk or the processor has other work.
static void stop(void) {
  if (getpid() != owner) return; // a fork: the thread is not in it
  atomic_store(&stopping, 1);
  uint64_t one = 1;
  if (write(wake, &one, sizeof(one)) != sizeof(one)) return;
  for (int waited = 0; waited < LONGEST_STOP_MS; ++waited) {
    if (atomic_load(&stopped) && atomic_load(&leaving) != LEAVING) return;
    usleep(1000);
  }
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
  pthread_t made = 0;
  int error = create(&made, NULL, watch, NULL);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
  return error == 0;
}

__attribute__((visibility("default"))) int InitializeInjection(void) {
  static atomic_int called;
  if (atomic_exchange(&called, 1)) return 1;
  owner = getpid();
  begun = now();
  wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0 || !map_file()) return 1;
  fill_kinds();
  if (start_thread()) atexit(stop);
  return 1;
}
