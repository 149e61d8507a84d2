// What the probes share: a JSON object a line on standard output, and a driver library opened by
// name.
//
// A probe is a program of its own because a driver library can hang, abort or print. It runs on
// any glibc from 2.17 on (start.c, old_glibc.h), links no driver, and exits 0 when the driver says
// no: the answer is the object, not the status. A probe that dies prints nothing.
#ifndef GPUWHY_PROBE_H
#define GPUWHY_PROBE_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "old_glibc.h"

// Takes standard output away from the driver: what a library prints goes to standard error.
// Sets a last deadline of its own, in case nobody waits for this process any more.
void probe_begin(const char* schema);

// cuInit makes a folder for compiled kernels in the home directory, unless it is told not to (seen
// with driver 580). Before the driver is opened.
void keep_no_cache(void);

// For a program that answers more than once: closes the object, writes it and opens the next, with
// the schema's name where one is given. What was written outlives a crash after it; a pipe without
// a reader ends the process.
void probe_next(const char* schema);

// Closes the object, writes it and leaves without running the destructors of driver libraries.
_Noreturn void probe_end(void);

// Members of the object or list that is open. A key of NULL adds an element to a list.
void put_text(const char* key, const char* value);
void put_bounded_text(const char* key, const char* value, size_t capacity);
void put_integer(const char* key, int64_t value);
void put_unsigned(const char* key, uint64_t value);
void put_number(const char* key, double value); // nothing where it is not finite
void open_object(const char* key);
void close_object(void);
void open_list(const char* key);
void close_list(void);

// "XX-01234567-89ab-cdef-0123-456789abcdef"
void put_uuid(const char* key, const char* prefix, const unsigned char bytes[16]);

// Opens the library; on failure writes "load_error". `file`, when not NULL, is opened instead.
void* open_driver(const char* soname, const char* file);

// Writes "library": the real path of the file that holds `function`.
void put_library_of(const void* function);

// Sets `pointer` to the first of the names that the library has, or to NULL.
#define BIND(pointer, library, ...)                                                                \
  bind_function(&(pointer), sizeof(pointer), (library), (const char* const[]){__VA_ARGS__, NULL})
bool bind_function(void* pointer, size_t size, void* library, const char* const* names);

#endif
