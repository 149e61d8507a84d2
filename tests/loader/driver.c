/* Opens libraries as told and says what the real loader did.
 *   driver open NAME | via LIBRARY NAME | link LIBRARY (opens NAME or LIBRARY from a given object)
 * ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

extern struct r_debug _r_debug;

static int objects(void) {
  int count = 0;
  for (struct link_map* map = _r_debug.r_map; map; map = map->l_next) ++count;
  return count;
}

static void report(void* handle, int before) {
  if (!handle) {
    printf("error %s\n", dlerror());
    return;
  }
  struct link_map* found = NULL;
  dlinfo(handle, RTLD_DI_LINKMAP, &found);
  printf("found %s", found->l_name);
  int index = 0;
  for (struct link_map* map = _r_debug.r_map; map; map = map->l_next) {
    if (index++ >= before) printf(" %s", map->l_name);
  }
  printf("\n");
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int at = 1; at + 1 < argc;) {
    const int before = objects();
    if (strcmp(argv[at], "open") == 0) {
      report(dlopen(argv[at + 1], RTLD_NOW), before);
      at += 2;
    } else if (strcmp(argv[at], "via") == 0 && at + 2 < argc) {
      void* opener = dlopen(argv[at + 1], RTLD_NOW);
      void* (*open_from)(const char*) = NULL;
      if (opener) *(void**)&open_from = dlsym(opener, "open_from");
      if (!open_from) {
        printf("error %s\n", dlerror());
        return 1;
      }
      const int now = objects();
      report(open_from(argv[at + 2]), now);
      at += 3;
    } else {
      return 2;
    }
  }
  return 0;
}
