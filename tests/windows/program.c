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

int main(int count, char** words) {
  if (count != 6) return 2;
  void (*share)(struct stub_cupti*);
  struct stub_cupti* (*get_stub)(void);
  int (*inject)(void);
  void* found = load(words[2], "stub_driver_shares");
  memcpy(&share, &found, sizeof(found));
  found = load(words[3], "stub_cupti");
  memcpy(&get_stub, &found, sizeof(found));
  found = load(words[3], "stub_call");
  memcpy(&stub_call, &found, sizeof(found));
  stub = get_stub();
  share(stub);
  setenv(GPUWHY_WINDOWS_DIRECTORY, words[4], 1);
  found = load(words[1], "InitializeInjection");
  memcpy(&inject, &found, sizeof(found));

  const int dear = strcmp(words[5], "dear") == 0;
  stub->attach_seconds = dear ? 0.06 : 0.0005;
  inject();
  const struct gpuwhy_windows* windows = told(words[4]);
  int bad = 0;
  work(1.5, 1000); // no context yet
  bad |= expect("nothing is attached before there is a context", atomic_load(&stub->attached) == 0);
  atomic_store(&stub->context_state, 1);
  work(dear ? 8 : 6, dear ? 100 : 1000);
  const int attached = atomic_load(&stub->attached);
  fprintf(stderr, "%s: attached %d times, %llu windows, %llu launches, %llu us spent\n", words[5],
          attached, (unsigned long long)windows->windows, (unsigned long long)windows->launches,
          (unsigned long long)windows->spent_time / 1000);
  bad |= expect("CUPTI works", windows->state == GPUWHY_WINDOWS_WORKING && windows->windows > 0);
  bad |= expect("launches were counted", windows->launches > 0);
  bad |= expect("none was attached while a context was made",
                atomic_load(&stub->attached_too_early) == 0);
  bad |= expect("CUPTI is left at the end of a call", atomic_load(&stub->finalized_elsewhere) == 0);
  // Twice 60 ms are half a per cent of 24 s.
  bad |= expect(dear ? "what is dear is done once" : "what is cheap is done again",
                dear ? attached == 1 : attached > 1);
  return bad;
}
