// Written for tests: the machine that the stub driver libraries pretend to run on.
//
// Environment:
//   STUB_CUDA_DEVICES   number of GPUs, default 1, at most 16
//   STUB_CUDA_CC        compute capability, default "8.9"; a list gives one value a GPU
//   STUB_CUDA_SMS       multiprocessors, default "128"; a list likewise ("128,5")
//   STUB_CUDA_VERSION   CUDA version the driver supports, default 13000
//   STUB_CUDA_CHECK_NODES=1  look for device nodes as an ordinary user's driver does
//   STUB_CUDA_DEV       the folder those nodes are in, default /dev
// A list that is shorter than the number of GPUs repeats its last value. GPUs are numbered by
// PCI bus. GPU n is at 0000:NN:00.0 with NN = n + 1 and has the UUID
// GPU-57ab0000-0000-4000-8000-0000000000nn with nn = n.
#ifndef STUB_MACHINE_H
#define STUB_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_GPUS = 16, UUID_TEXT = 41 };

struct gpu {
  int slot; // place in PCI order
  int major, minor;
  int multiprocessors;
  size_t memory;
  unsigned char uuid[16];
  char uuid_text[UUID_TEXT];
};

struct machine {
  int count;
  int cuda_version;
  struct gpu gpus[MOST_GPUS];
};

enum node { NODE_PRESENT, NODE_MISSING, NODE_UNREADABLE };

void read_machine(struct machine* machine);
bool stub_flag(const char* variable);
int stub_number(const char* variable, int otherwise);
// The n-th number of a list, or its last one.
int stub_item(const char* variable, int n, int otherwise);
enum node control_node(void);
enum node memory_node(void); // nvidia-uvm
enum node gpu_node(int slot);

// The text after ".so." in the real name of the file that holds `function`.
void own_version(const void* function, char* text, size_t size);

#endif
