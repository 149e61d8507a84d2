// Finds the libcupti that the program has, or would have: one that is loaded, one beside a library
// that came with pip, the loader's, the toolkit's. Never one newer than the driver serves.
#include "cupti_search.h"

#include <cuda.h>

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "old_glibc.h"

enum { PATH_SIZE = 4096 };

static const char* const names[] = {"libcupti.so.13",   "libcupti.so.12",   "libcupti.so.11.8",
                                    "libcupti.so.11.7", "libcupti.so.11.6", "libcupti.so.11.5",
                                    "libcupti.so.11.4", "libcupti.so.11.3", "libcupti.so.11.2",
                                    "libcupti.so.11.1", "libcupti.so.11.0"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

struct search {
  void* library;
  int newest; // place of the newest name that the driver serves
};

static void* open_in(const char* directory, size_t length, const char* below, const char* name) {
  char path[PATH_SIZE];
  int size = snprintf(path, sizeof(path), "%.*s%s%s", (int)length, directory, below, name);
  if (size <= 0 || size >= PATH_SIZE || access(path, R_OK) != 0) return NULL;
  return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

// Beside a library that came with pip: the packages lie in one folder "nvidia".
static int look_beside(struct dl_phdr_info* object, size_t size, void* data) {
  (void)size;
  struct search* search = data;
  const char* mark = object->dlpi_name ? strstr(object->dlpi_name, "/nvidia/") : NULL;
  const char* torch = object->dlpi_name ? strstr(object->dlpi_name, "/torch/lib/") : NULL;
  for (int i = search->newest; i < NAMES && !search->library; ++i) {
    if (mark) {
      size_t length = (size_t)(mark - object->dlpi_name);
      search->library = open_in(object->dlpi_name, length, "/nvidia/cu13/lib/", names[i]);
      if (!search->library)
        search->library = open_in(object->dlpi_name, length, "/nvidia/cuda_cupti/lib/", names[i]);
    }
    if (torch && !search->library)
      search->library =
          open_in(object->dlpi_name, (size_t)(torch - object->dlpi_name), "/torch/lib/", names[i]);
  }
  return search->library != NULL;
}

// dlopen() may not be called while the list of objects is walked: the names are copied first.
struct paths {
  char text[64][512];
  int count;
};

static int note_path(struct dl_phdr_info* object, size_t size, void* data) {
  (void)size;
  struct paths* paths = data;
  const char* name = object->dlpi_name;
  size_t length = name ? strlen(name) : 0;
  if (length == 0 || length >= sizeof(paths->text[0])) return 0;
  if (!strstr(name, "/nvidia/") && !strstr(name, "/torch/lib/")) return 0;
  memcpy(paths->text[paths->count++], name, length + 1);
  return paths->count == 64;
}

void* find_cupti(void) {
  int version = 0;
  CUresult (*driver_version)(int*) = NULL;
  void* function = dlsym(RTLD_DEFAULT, "cuDriverGetVersion");
  void* driver = function ? NULL : dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (driver) function = dlsym(driver, "cuDriverGetVersion");
  memcpy(&driver_version, &function, sizeof(function));
  if (driver_version) driver_version(&version);
  struct search search = {.library = NULL,
                          .newest = version >= 13000   ? 0
                                    : version >= 12000 ? 1
                                                       : 2};
  for (int i = search.newest; i < NAMES && !search.library; ++i)
    search.library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  static struct paths paths;
  if (!search.library) dl_iterate_phdr(note_path, &paths);
  for (int i = 0; i < paths.count && !search.library; ++i) {
    struct dl_phdr_info object = {.dlpi_name = paths.text[i]};
    look_beside(&object, sizeof(object), &search);
  }
  for (int i = search.newest; i < NAMES && !search.library; ++i)
    search.library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
  const char* home = "/usr/local/cuda";
  for (int i = search.newest; i < NAMES && !search.library; ++i) {
    search.library = open_in(home, strlen(home), "/extras/CUPTI/lib64/", names[i]);
    if (!search.library) search.library = open_in(home, strlen(home), "/lib64/", names[i]);
  }
  return search.library;
}
