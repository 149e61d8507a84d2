// Plays a program that is observed: the injected library (probes/cuda_windows.c) on stubs.
//     program LIBRARY DRIVER CUPTI FOLDER CASE
#include "cuda_windows.h"
#include "stub.h"

#include <cupti_driver_cbid.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct stub_cupti* stub;
static void (*stub_call)(unsigned);
static int (*retain)(void**, int);
static int (*release)(int);

static void* load(const char* path, const char* name) {
  void* library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  void* function = library ? dlsym(library, name) : NULL;
  if (!function) {
    fprintf(stderr, "%s: %s\n", path, dlerror());
    exit(2);
  }
  return function;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// Calls for so long, with a rest between two calls.
static void work(double seconds, unsigned microseconds) {
  for (const double end = now() + seconds; now() < end; usleep(microseconds))
    stub_call(CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel);
}

static const struct gpuwhy_windows* told(const char* folder) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%d", folder, (int)getpid());
  const int file = open(path, O_RDONLY);
  void* memory = file < 0
                     ? MAP_FAILED
                     : mmap(NULL, sizeof(struct gpuwhy_windows), PROT_READ, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) exit(2);
  return memory;
}

static int expect(const char* what, int holds) {
  if (!holds) fprintf(stderr, "not so: %s\n", what);
  return !holds;
}

// Windows where one costs little or much.
static int costs(int dear, const struct gpuwhy_windows* windows) {
  work(dear ? 8 : 6, dear ? 100 : 1000);
  const int attached = atomic_load(&stub->attached);
  fprintf(stderr, "attached %d times, %llu windows, %llu launches, %llu us spent\n", attached,
          (unsigned long long)windows->windows, (unsigned long long)windows->launches,
          (unsigned long long)windows->spent_time / 1000);
  int bad = expect("CUPTI works", windows->state == GPUWHY_WINDOWS_WORKING && windows->windows > 0);
  bad |= expect("launches were counted", windows->launches > 0);
  bad |= expect("CUPTI is left at the end of a call", atomic_load(&stub->finalized_elsewhere) == 0);
  // Twice 60 ms are half a per cent of 24 s.
  return bad | expect(dear ? "what is dear is done once" : "what is cheap is done again",
                      dear ? attached == 1 : attached > 1);
}

static void wait_for(const atomic_int* what) {
  for (const double end = now() + 10; !atomic_load(what) && now() < end;) work(0.001, 100);
}

// The program gives its context back in the middle of a window.
static int gives_back(void) {
  wait_for(&stub->calls_back);
  int bad = expect("CUPTI is attached", atomic_load(&stub->calls_back));
  release(0);
  work(1.5, 1000);
  bad |= expect("the context is not held for long", atomic_load(&stub->destroyed) == 1);
  bad |= expect("no context is destroyed while CUPTI is attached",
                atomic_load(&stub->destroyed_while_attached) == 0);
  const int attached = atomic_load(&stub->attached);
  work(2.5, 1000);
  bad |= expect("nothing is attached once the contexts are gone",
                atomic_load(&stub->attached) == attached);
  return bad;
}

// The program comes to work on two GPUs: NCCL's kernels wait for each other there.
static int several(const struct gpuwhy_windows* windows) {
  wait_for(&stub->calls_back);
  int bad = expect("CUPTI is attached while there is one", atomic_load(&stub->calls_back));
  void* context = NULL;
  retain(&context, 1);
  work(1.5, 1000);
  const int attached = atomic_load(&stub->attached);
  work(2.5, 1000);
  bad |=
      expect("nothing is attached while there are two", atomic_load(&stub->attached) == attached);
  return bad | expect("that is told", windows->state == GPUWHY_WINDOWS_SEVERAL);
}

// The program ends while CUPTI comes in; the stub of CUPTI looks whether it waits.
static int ends(void) {
  wait_for(&stub->attaching);
  return expect("CUPTI is being attached", atomic_load(&stub->attaching));
}

int main(int count, char** words) {
  if (count != 6) return 2;
  void (*share)(struct stub_cupti*);
  struct stub_cupti* (*get_stub)(void);
  int (*inject)(void);
  void* found = load(words[2], "stub_driver_shares");
  memcpy(&share, &found, sizeof(found));
  found = load(words[2], "cuDevicePrimaryCtxRetain");
  memcpy(&retain, &found, sizeof(found));
  found = load(words[2], "cuDevicePrimaryCtxRelease_v2");
  memcpy(&release, &found, sizeof(found));
  found = load(words[3], "stub_cupti");
  memcpy(&get_stub, &found, sizeof(found));
  found = load(words[3], "stub_call");
  memcpy(&stub_call, &found, sizeof(found));
  stub = get_stub();
  share(stub);
  setenv(GPUWHY_WINDOWS_DIRECTORY, words[4], 1);
  found = load(words[1], "InitializeInjection");
  memcpy(&inject, &found, sizeof(found));

  const char* name = words[5];
  const int dear = strcmp(name, "dear") == 0;
  stub->attach_seconds = dear ? 0.06 : strcmp(name, "ends") == 0 ? 1 : 0.0005;
  inject();
  const struct gpuwhy_windows* windows = told(words[4]);
  work(1.5, 1000); // no context yet
  int bad =
      expect("nothing is attached before there is a context", atomic_load(&stub->attached) == 0);
  void* context = NULL;
  retain(&context, 0);
  if (strcmp(name, "ends") == 0) return bad | ends();
  bad |= strcmp(name, "gives_back") == 0 ? gives_back()
         : strcmp(name, "several") == 0  ? several(windows)
                                         : costs(dear, windows);
  return bad |
         expect("none was attached without a context", atomic_load(&stub->attached_too_early) == 0);
}
