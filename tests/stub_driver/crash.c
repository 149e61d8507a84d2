// Written for tests: a library that dies while it is loaded.
#include <stdlib.h>

__attribute__((constructor)) static void die(void) {
  abort();
}
