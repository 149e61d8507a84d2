// Asks the CUDA driver library whether it starts and which devices it shows this process.
//   probe_cuda_init [FILE]     FILE: the libcuda to ask instead of the one the loader finds
#include "probe.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SUCCESS = 0, MOST_DEVICES = 128, NAME_SIZE = 256 };

// CUdevice_attribute
enum {
  ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  ATTRIBUTE_INTEGRATED = 18,
  ATTRIBUTE_COMPUTE_MODE = 20,
  ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
};

struct uuid {
  unsigned char bytes[16];
};

static struct {
  int (*init)(unsigned flags);
  int (*error_name)(int error, const char** name);
  int (*driver_version)(int* version);
  int (*device_count)(int* count);
  int (*device)(int* device, int ordinal);
  int (*name)(char* name, int size, int device);
  int (*uuid)(struct uuid* uuid, int device);          // of the GPU
  int (*instance_uuid)(struct uuid* uuid, int device); // of the MIG instance where there is one
  int (*pci)(char* text, int size, int device);
  int (*memory)(size_t* bytes, int device);
  int (*attribute)(int* value, int attribute, int device);
} cuda;

static void bind_driver(void* library) {
  BIND(cuda.init, library, "cuInit");
  BIND(cuda.error_name, library, "cuGetErrorName");
  BIND(cuda.driver_version, library, "cuDriverGetVersion");
  BIND(cuda.device_count, library, "cuDeviceGetCount");
  BIND(cuda.device, library, "cuDeviceGet");
  BIND(cuda.name, library, "cuDeviceGetName");
  BIND(cuda.uuid, library, "cuDeviceGetUuid");
  BIND(cuda.instance_uuid, library, "cuDeviceGetUuid_v2");
  BIND(cuda.pci, library, "cuDeviceGetPCIBusId");
  BIND(cuda.memory, library, "cuDeviceTotalMem_v2", "cuDeviceTotalMem");
  BIND(cuda.attribute, library, "cuDeviceGetAttribute");
}

static bool attribute(int which, int device, int* value) {
  return cuda.attribute && cuda.attribute(value, which, device) == SUCCESS;
}

static void put_attribute(const char* key, int which, int device) {
  int value = 0;
  if (attribute(which, device, &value)) put_integer(key, value);
}

static void put_error_name(const char* key, int error) {
  const char* name = NULL;
  if (cuda.error_name && cuda.error_name(error, &name) == SUCCESS && name) put_text(key, name);
}

// A MIG instance has a UUID of its own; elsewhere both calls name the GPU.
static void put_device_uuid(int device) {
  struct uuid gpu, instance;
  bool has_gpu = cuda.uuid && cuda.uuid(&gpu, device) == SUCCESS;
  bool has_instance = cuda.instance_uuid && cuda.instance_uuid(&instance, device) == SUCCESS;
  bool is_mig = has_gpu && has_instance && memcmp(&gpu, &instance, sizeof(gpu)) != 0;
  if (has_instance)
    put_uuid("uuid", is_mig ? "MIG" : "GPU", instance.bytes);
  else if (has_gpu)
    put_uuid("uuid", "GPU", gpu.bytes);
}

static void put_device(int ordinal) {
  open_object(NULL);
  put_integer("ordinal", ordinal);
  int device = 0;
  int error = cuda.device(&device, ordinal);
  if (error != SUCCESS) {
    put_integer("error", error);
    put_error_name("error_name", error);
    close_object();
    return;
  }
  char text[NAME_SIZE] = "";
  if (cuda.name && cuda.name(text, sizeof(text), device) == SUCCESS)
    put_bounded_text("name", text, sizeof(text));
  put_device_uuid(device);
  memset(text, 0, sizeof(text));
  if (cuda.pci && cuda.pci(text, sizeof(text), device) == SUCCESS) {
    for (char* c = text; c < text + sizeof(text) && *c; ++c) *c = (char)tolower((unsigned char)*c);
    put_bounded_text("pci", text, sizeof(text));
  }
  int major = 0, minor = 0;
  if (attribute(ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device, &major) &&
      attribute(ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device, &minor)) {
    char capability[32];
    snprintf(capability, sizeof(capability), "%d.%d", major, minor);
    put_text("compute_capability", capability);
  }
  put_attribute("multiprocessors", ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
  size_t bytes = 0;
  if (cuda.memory && cuda.memory(&bytes, device) == SUCCESS) put_unsigned("memory", bytes);
  put_attribute("compute_mode", ATTRIBUTE_COMPUTE_MODE, device);
  put_attribute("integrated", ATTRIBUTE_INTEGRATED, device);
  close_object();
}

static void put_devices(void) {
  int count = 0;
  if (!cuda.device_count || cuda.device_count(&count) != SUCCESS) return;
  put_integer("count", count);
  if (!cuda.device) return;
  open_list("devices");
  for (int i = 0; i < count && i < MOST_DEVICES; ++i) put_device(i);
  close_list();
}

int main(int argc, char** argv) {
  probe_begin("gpuwhy.probe.cuda/1");
  keep_no_cache();
  void* library = open_driver("libcuda.so.1", argc > 1 ? argv[1] : NULL);
  if (!library) probe_end();
  bind_driver(library);
  void* anchor = dlsym(library, "cuInit");
  put_library_of(anchor);
  // A constant of the library file: it is known even when the driver does not start.
  int version = 0;
  if (cuda.driver_version && cuda.driver_version(&version) == SUCCESS)
    put_integer("driver_version", version);
  if (cuda.init) {
    int error = cuda.init(0);
    put_integer("init", error);
    put_error_name("init_name", error);
    if (error == SUCCESS) put_devices();
  }
  probe_end();
}
