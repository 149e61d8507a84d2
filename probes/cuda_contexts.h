// The program's primary contexts, and how they are held for a moment.
#ifndef GPUWHY_CUDA_CONTEXTS_H
#define GPUWHY_CUDA_CONTEXTS_H

#include <stdbool.h>
#include <stdint.h>

bool bind_driver(void);
/// A bit for each of the first 64 devices whose primary context lives; 0 too where no driver is
/// bound.
uint64_t contexts(void);

// To attach CUPTI or to leave it while a context is created or destroyed ends in a segmentation
// fault (tests/gpu/attach_stress.c), and a program that ends destroys its own. So those that live
// are held for the time of a window: the program's last reference is then not the last.
void hold_contexts(void);
void release_contexts(void);
/// The program has reset a device (cudaDeviceReset()): our reference is gone, and the next one
/// would be its own.
void forget_contexts(void);

#endif
