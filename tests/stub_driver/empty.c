// Written for tests: a library with nothing in it but its name.
int gpuwhy_empty_library(void) {
  return 0;
}
