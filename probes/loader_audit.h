// What the library that the loader tells of its searches (loader_audit.c) writes for gpuwhy: one
// file for each process that searched for a library of interest, named by its number, of whole
// records in the order of time; and a file that says that any process was seen at all.
#ifndef GPUWHY_LOADER_AUDIT_H
#define GPUWHY_LOADER_AUDIT_H

#include <stdint.h>

#define GPUWHY_LOADER_MAGIC UINT16_C(0x6c61)
#define GPUWHY_LOADER_DIRECTORY "GPUWHY_LOADER_DIRECTORY" // environment: where the files are
#define GPUWHY_LOADER_SEEN "seen"                         // a file: a process was seen
#define GPUWHY_LOADER_OLD "old" // a file: one was not, as its C library is too old

enum {
  GPUWHY_LOADER_MOST = 1024, // records a process
  GPUWHY_LOADER_NAME = 504,  // bytes; a longer name is cut
};

enum gpuwhy_loader_kind {
  GPUWHY_LOADER_BEGUN = 1,  // a program began, by exec or fork
  GPUWHY_LOADER_SEARCH = 2, // a name is asked for
  GPUWHY_LOADER_TRY = 3,    // a file is tried, by the rule `flag` (LA_SER_... of <link.h>)
  GPUWHY_LOADER_TOOK = 4,   // a library was loaded
  GPUWHY_LOADER_FULL = 5,   // no more is recorded
};

enum gpuwhy_loader_presence {
  GPUWHY_LOADER_ABSENT = 0,
  GPUWHY_LOADER_PRESENT = 1,
  GPUWHY_LOADER_READABLE = 2,
};

struct gpuwhy_loader_record {
  uint16_t magic;
  uint8_t kind;
  uint8_t presence; // of the file of a TRY, or of a SEARCH by path
  uint16_t flag;
  uint16_t size;                 // of the whole name
  char name[GPUWHY_LOADER_NAME]; // ends with a NUL where it fits
};

#endif
