// May CUPTI be attached and left while a program creates its context? One thread creates and
// destroys the primary context of a GPU again and again, another one attaches and leaves; "stuck"
// if the first comes no further for ten seconds. Seen on an H200 (driver 580, CUPTI 13): at any
// time, a segmentation fault within 16 s; only while no context changes, 209 times in 12 s without
// a fault.
//     gcc -O1 -pthread attach_stress.c -o attach_stress -ldl
//     ./attach_stress LIBCUPTI SECONDS any     attaches at any time
//     ./attach_stress LIBCUPTI SECONDS idle    only while no context is created or destroyed
//     ./attach_stress LIBCUPTI SECONDS held    at any time, but holds the context meanwhile, as
//     gpuwhy does
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*cuInit)(unsigned), (*retain)(void**, int), (*release)(int), (*set_current)(void*),
    (*state)(int, unsigned*, int*);
static int (*allocate)(unsigned long long*, size_t), (*give_back)(unsigned long long);
static int (*subscribe)(void**, void (*)(void*, int, unsigned, const void*), void*);
static int (*unsubscribe)(void*), (*enable)(unsigned, void*, int, unsigned), (*finalize)(void);
static atomic_int contexts, attached, calls, ends, changing, step;
static int idle_only, holds;

static void on_call(void* data, int domain, unsigned id, const void* call) {
  (void)data, (void)domain, (void)id, (void)call;
  atomic_fetch_add(&calls, 1);
}

static void* attach(void* nothing) {
  (void)nothing;
  while (!atomic_load(&ends)) {
    usleep(3000);
    while (idle_only && atomic_load(&changing)) usleep(1000);
    void *subscriber = NULL, *context = NULL;
    unsigned flags = 0;
    int active = 0;
    if (holds && (state(0, &flags, &active) != 0 || !active || retain(&context, 0) != 0)) continue;
    atomic_store(&step, 1);
    if (subscribe(&subscriber, on_call, NULL) != 0) continue;
    atomic_store(&step, 2);
    for (unsigned id = 1; id < 400; ++id) enable(1, subscriber, 1, id);
    usleep(2000);
    atomic_store(&step, 3);
    unsubscribe(subscriber);
    atomic_store(&step, 4);
    finalize();
    if (holds) release(0);
    atomic_store(&step, 0);
    atomic_fetch_add(&attached, 1);
  }
  return NULL;
}

static void* create(void* nothing) {
  (void)nothing;
  while (!atomic_load(&ends)) {
    void* context = NULL;
    atomic_store(&changing, 1);
    if (retain(&context, 0) != 0) exit(3);
    set_current(context);
    atomic_store(&changing, 0);
    for (int i = 0; i < 50; ++i) {
      unsigned long long memory = 0;
      if (allocate(&memory, 1 << 20) == 0) give_back(memory);
      if (idle_only) usleep(1000);
    }
    atomic_store(&changing, 1);
    release(0);
    atomic_fetch_add(&contexts, 1);
  }
  return NULL;
}

static void take(void* library, const char* name, void* function) {
  void* found = dlsym(library, name);
  if (!found) exit(2);
  memcpy(function, &found, sizeof(found));
}

int main(int count, char** words) {
  if (count < 4) return 2;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  void* cupti = dlopen(words[1], RTLD_NOW);
  if (!driver || !cupti) return printf("%s\n", dlerror()), 2;
  idle_only = strcmp(words[3], "idle") == 0;
  holds = strcmp(words[3], "held") == 0;
  take(driver, "cuDevicePrimaryCtxGetState", &state);
  take(driver, "cuInit", &cuInit), take(driver, "cuDevicePrimaryCtxRetain", &retain);
  take(driver, "cuDevicePrimaryCtxRelease_v2", &release),
      take(driver, "cuCtxSetCurrent", &set_current);
  take(driver, "cuMemAlloc_v2", &allocate), take(driver, "cuMemFree_v2", &give_back);
  take(cupti, "cuptiSubscribe", &subscribe), take(cupti, "cuptiUnsubscribe", &unsubscribe);
  take(cupti, "cuptiEnableCallback", &enable), take(cupti, "cuptiFinalize", &finalize);
  if (cuInit(0) != 0) return 3;
  pthread_t one, two;
  pthread_create(&one, NULL, create, NULL);
  pthread_create(&two, NULL, attach, NULL);
  int last = -1, still = 0;
  for (int second = 0; second < atoi(words[2]) && still < 10; ++second) {
    sleep(1);
    still = atomic_load(&contexts) == last ? still + 1 : 0;
    last = atomic_load(&contexts);
  }
  printf("%s: %d contexts, %d times attached, %d calls seen%s\n", words[3], last,
         atomic_load(&attached), atomic_load(&calls), still >= 10 ? "; stuck" : "");
  if (still >= 10) printf("the other thread is at step %d\n", atomic_load(&step));
  fflush(stdout);
  _exit(still >= 10);
}
