// Written for tests: a loader audit library (LD_AUDIT) that says who opens what.
//
// LD_DEBUG=libs prints, for a folder of a RUNPATH, the object in which that folder was seen first;
// only the audit interface tells which object asks. Lines go to the file $WHO_OPENS:
//   open NAME ASKER   ASKER asks for NAME, which is not loaded yet
//   try PATH WHERE    a candidate, and which step of the search it comes from
//   map PATH          an object was mapped
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static int output = -1;

static void say(const char* verb, const char* first, const char* second) {
  char line[8192];
  int length = snprintf(line, sizeof(line), "%s\t%s\t%s\n", verb, first, second);
  if (length > (int)sizeof(line) - 1) length = (int)sizeof(line) - 1;
  if (output >= 0 && write(output, line, (size_t)length) < 0) output = -1;
}

static const char* name_of(const struct link_map* map) {
  return map->l_name && *map->l_name ? map->l_name : "(program)";
}

EXPORT unsigned la_version(unsigned version) {
  const char* path = getenv("WHO_OPENS");
  if (path) output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  return version < LAV_CURRENT ? version : LAV_CURRENT;
}

EXPORT unsigned la_objopen(struct link_map* map, Lmid_t space, uintptr_t* cookie) {
  (void)space;
  *cookie = (uintptr_t)map;
  say("map", name_of(map), "");
  return 0;
}

EXPORT char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  const char* where = flag == LA_SER_LIBPATH   ? "LD_LIBRARY_PATH"
                      : flag == LA_SER_RUNPATH ? "RUNPATH"
                      : flag == LA_SER_CONFIG  ? "cache"
                      : flag == LA_SER_DEFAULT ? "default"
                                               : "?";
  if (flag == LA_SER_ORIG)
    say("open", name, name_of((const struct link_map*)*cookie));
  else
    say("try", name, where);
  return (char*)(uintptr_t)name;
}
