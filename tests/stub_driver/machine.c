// Written for tests: the machine that the stub driver libraries pretend to run on.
#include "machine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool stub_flag(const char* variable) {
  const char* value = getenv(variable);
  return value && *value && strcmp(value, "0") != 0;
}

int stub_number(const char* variable, int otherwise) {
  const char* value = getenv(variable);
  return value && *value ? atoi(value) : otherwise;
}

// The n-th item of a comma separated list, or its last one.
static const char* item(const char* list, int n) {
  for (; n > 0; --n) {
    const char* comma = strchr(list, ',');
    if (!comma) break;
    list = comma + 1;
  }
  return list;
}

int stub_item(const char* variable, int n, int otherwise) {
  const char* list = getenv(variable);
  return list && *list ? atoi(item(list, n)) : otherwise;
}

void read_machine(struct machine* machine) {
  const char* capabilities = getenv("STUB_CUDA_CC");
  const char* multiprocessors = getenv("STUB_CUDA_SMS");
  memset(machine, 0, sizeof(*machine));
  machine->cuda_version = stub_number("STUB_CUDA_VERSION", 13000);
  int count = stub_number("STUB_CUDA_DEVICES", 1);
  machine->count = count < 0 ? 0 : count > MOST_GPUS ? MOST_GPUS : count;
  for (int i = 0; i < machine->count; ++i) {
    struct gpu* gpu = &machine->gpus[i];
    gpu->slot = i;
    gpu->major = 8;
    gpu->minor = 9;
    if (capabilities) sscanf(item(capabilities, i), "%d.%d", &gpu->major, &gpu->minor);
    gpu->multiprocessors = multiprocessors ? atoi(item(multiprocessors, i)) : 128;
    gpu->memory = (size_t)24 << 30;
    static const unsigned char uuid[16] = {0x57, 0xab, 0, 0, 0, 0, 0x40, 0, 0x80};
    memcpy(gpu->uuid, uuid, sizeof(uuid));
    gpu->uuid[15] = (unsigned char)i;
    snprintf(gpu->uuid_text, sizeof(gpu->uuid_text), "GPU-57ab0000-0000-4000-8000-0000000000%02x",
             (unsigned)i & 0xff);
  }
}

static enum node look_at(const char* name) {
  char path[PATH_MAX];
  const char* folder = getenv("STUB_CUDA_DEV");
  snprintf(path, sizeof(path), "%s/%s", folder && *folder ? folder : "/dev", name);
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor >= 0) {
    close(descriptor);
    return NODE_PRESENT;
  }
  return errno == EACCES || errno == EPERM ? NODE_UNREADABLE : NODE_MISSING;
}

enum node control_node(void) {
  return look_at("nvidiactl");
}
enum node memory_node(void) {
  return look_at("nvidia-uvm");
}

enum node gpu_node(int slot) {
  char name[32];
  snprintf(name, sizeof(name), "nvidia%d", slot);
  return look_at(name);
}

void own_version(const void* function, char* text, size_t size) {
  Dl_info found;
  char real[PATH_MAX];
  text[0] = 0;
  if (!dladdr(function, &found) || !realpath(found.dli_fname, real)) return;
  const char* suffix = strstr(real, ".so.");
  if (suffix) snprintf(text, size, "%s", suffix + strlen(".so."));
}
