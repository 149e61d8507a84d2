// What the library that is injected into a program (cuda_windows.c) tells gpuwhy: one file a
// process, mapped by both. Its writer makes `sequence` odd while it writes.
#ifndef GPUWHY_CUDA_WINDOWS_H
#define GPUWHY_CUDA_WINDOWS_H

#include <stdint.h>

#define GPUWHY_WINDOWS_MAGIC UINT32_C(0x67707731)
#define GPUWHY_WINDOWS_DIRECTORY "GPUWHY_WINDOWS_DIRECTORY" // environment: where the files are

enum gpuwhy_windows_state {
  GPUWHY_WINDOWS_STARTING = 0,
  GPUWHY_WINDOWS_WORKING = 1,
  GPUWHY_WINDOWS_NO_CUPTI = 2, // no libcupti was found
  GPUWHY_WINDOWS_REFUSED = 3,  // CUPTI answered with `result`
  GPUWHY_WINDOWS_TAKEN = 4,    // the program profiles itself
  GPUWHY_WINDOWS_SEVERAL = 5,  // the process has contexts on several GPUs
};

struct gpuwhy_windows {
  uint32_t magic;
  uint32_t size; // of this structure
  uint32_t sequence;
  uint32_t state;
  int32_t result; // CUptiResult
  int32_t error;  // the first CUresult that leaves a context unusable
  // Sums over all windows; times in nanoseconds.
  uint64_t windows, window_time;
  uint64_t launches, graphs;
  uint64_t to_device, to_device_bytes, to_host, to_host_bytes, copy_time;
  uint64_t syncs, sync_time;
  uint64_t loads, load_time;
  uint64_t pauses, pause_time;
  uint64_t failed_allocations;
  uint64_t spent_time; // of the program's, by all this: an estimate
  char library[256];   // the libcupti that is used
};

#endif
