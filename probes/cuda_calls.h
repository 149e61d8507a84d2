// Counting the CUDA calls of one window; callbacks may come from any thread.
#ifndef GPUWHY_CUDA_CALLS_H
#define GPUWHY_CUDA_CALLS_H

#include <cupti_callbacks.h>

#include <stdbool.h>
#include <stdint.h>

#include "cuda_windows.h"

enum { MOST_CALL_IDS = 2048 };

uint64_t now(void); // ns, CLOCK_MONOTONIC
void fill_kinds(void);
bool is_counted(CUpti_CallbackDomain domain, CUpti_CallbackId id);
void open_window(void);
void count_call(CUpti_CallbackDomain domain, CUpti_CallbackId id, const CUpti_CallbackData* call);
unsigned calls_in_window(void);
bool pauses_in_window(void);
// Adds the window's sums to those of all windows.
void close_window(struct gpuwhy_windows* shared);

#endif
