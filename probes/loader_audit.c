// Tells which CUDA and framework libraries a process looks for and which it takes. The loader of
// glibc loads this library before the program (LD_AUDIT, rtld-audit(7)) and calls it for each name
// that it searches. The names of interest go into a file that gpuwhy reads.
//
// Nothing here may hurt the program: no output, no signal, no exit, and whatever fails only ends
// the recording. So nothing of the C library is called, not even errno is touched: an audit
// library has a C library of its own, whose thread-local storage older loaders set up wrongly
// (sourceware bug 28096). A file is opened for each record: no descriptor stays that the program
// could close, no memory is shared that a full disk could take away. Symbols are not audited:
// la_symbind is not there, and la_objopen returns 0, so that calls go directly to where they go.
//
// The loader holds its lock during these calls: they never run at once in one process.
#include "loader_audit.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

enum { PATH_SIZE = 256, OLDEST_INTERFACE = 2 };

static char directory[PATH_SIZE];
static size_t directory_size;
static int recorded;
static long owner;

// --- the kernel, asked without the C library -----------------------------------------------------

#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d) {
  long result = 0;
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#endif

static int presence_of(const char* path) {
  enum { EXISTS = 0, READ = 4 };
  if (call(SYS_faccessat, AT_FDCWD, (long)path, READ, 0) == 0) return GPUWHY_LOADER_READABLE;
  if (call(SYS_faccessat, AT_FDCWD, (long)path, EXISTS, 0) == 0) return GPUWHY_LOADER_PRESENT;
  return GPUWHY_LOADER_ABSENT;
}

// --- text ----------------------------------------------------------------------------------------

static size_t length(const char* text) {
  size_t size = 0;
  while (text[size]) ++size;
  return size;
}

static bool begins(const char* text, const char* part) {
  while (*part) {
    if (*text++ != *part++) return false;
  }
  return true;
}

static bool has(const char* text, const char* part) {
  for (; *text; ++text) {
    if (begins(text, part)) return true;
  }
  return false;
}

static bool of_interest(const char* path) {
  static const char begin[][16] = {
      "libcuda.",      "libcudart.",  "libcudnn",     "libcublas",    "libcufft",
      "libcurand.",    "libcusolver", "libcusparse",  "libcupti",     "libcudadebug",
      "libnccl",       "libnvrtc",    "libnvJitLink", "libnvidia-ml", "libnvinfer",
      "libtensorflow", "libtorch",    "libxla",       "xla_",         "libnvvm",
  };
  const char* name = path;
  for (const char* at = path; *at; ++at) {
    if (*at == '/') name = at + 1;
  }
  for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); ++i) {
    if (begins(name, begin[i])) return true;
  }
  return has(path, "/jaxlib/");
}

// Directories for newer processors are tried before each directory: they would fill the file.
static bool is_variant(const char* path) {
  static const char parts[][16] = {"/glibc-hwcaps/", "/tls/",     "/x86_64/", "/haswell/",
                                   "/xeon_phi/",     "/aarch64/", "/atomics/"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); ++i) {
    if (has(path, parts[i])) return true;
  }
  return false;
}

// --- records -------------------------------------------------------------------------------------

static long open_file(const char* name, long flags) {
  char path[PATH_SIZE + 24];
  size_t end = 0;
  for (; end < directory_size; ++end) path[end] = directory[end];
  path[end++] = '/';
  while (*name && end < sizeof(path) - 1) path[end++] = *name++;
  path[end] = 0;
  return call(SYS_openat, AT_FDCWD, (long)path,
              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

static void append(int kind, int flag, int presence, const char* name) {
  struct gpuwhy_loader_record record;
  char* bytes = (char*)&record;
  for (size_t i = 0; i < sizeof(record); ++i) bytes[i] = 0;
  const size_t size = length(name);
  record.magic = GPUWHY_LOADER_MAGIC;
  record.kind = (uint8_t)kind;
  record.presence = (uint8_t)presence;
  record.flag = (uint16_t)flag;
  record.size = size < UINT16_MAX ? (uint16_t)size : UINT16_MAX;
  for (size_t i = 0; i < size && i < sizeof(record.name); ++i) record.name[i] = name[i];

  char digits[24];
  size_t at = sizeof(digits) - 1;
  digits[at] = 0;
  for (long left = owner; left > 0; left /= 10) digits[--at] = (char)('0' + left % 10);
  const long file = open_file(digits + at, 0);
  if (file < 0) {
    directory_size = 0;
    return;
  }
  if (call(SYS_write, file, (long)&record, sizeof(record), 0) != (long)sizeof(record))
    directory_size = 0;
  call(SYS_close, file, 0, 0, 0);
}

static void record(int kind, int flag, int presence, const char* name) {
  const long self = call(SYS_getpid, 0, 0, 0, 0);
  if (self != owner) { // the first record of a program, or of a fork
    owner = self;
    recorded = 1;
    append(GPUWHY_LOADER_BEGUN, 0, 0, "");
  }
  if (directory_size == 0 || recorded >= GPUWHY_LOADER_MOST) return;
  const bool last = ++recorded == GPUWHY_LOADER_MOST;
  append(last ? GPUWHY_LOADER_FULL : kind, flag, presence, name);
}

// --- what the loader calls -----------------------------------------------------------------------

// The loader gives this to whatever it initialises, before la_version().
__attribute__((constructor)) static void begin(int count, char** words, char** environment) {
  (void)count;
  (void)words;
  static const char name[] = GPUWHY_LOADER_DIRECTORY "=";
  for (; environment && *environment; ++environment) {
    if (!begins(*environment, name)) continue;
    const char* value = *environment + sizeof(name) - 1;
    const size_t size = length(value);
    if (value[0] != '/' || size >= PATH_SIZE) return;
    for (size_t i = 0; i < size; ++i) directory[i] = value[i];
    directory_size = size;
    return;
  }
}

// The interface's second version came with glibc 2.35. A loader before it sends every call between
// libraries through itself as long as anybody audits (sourceware bug 15533): it is asked to leave
// us out, which the answer 0 means.
__attribute__((visibility("default"))) unsigned la_version(unsigned version) {
  const bool old = version < OLDEST_INTERFACE;
  if (directory_size > 0) {
    const long file = open_file(old ? GPUWHY_LOADER_OLD : GPUWHY_LOADER_SEEN, O_EXCL);
    if (file >= 0) call(SYS_close, file, 0, 0, 0);
  }
  return old ? 0 : OLDEST_INTERFACE;
}

__attribute__((visibility("default"))) char* la_objsearch(const char* name, uintptr_t* cookie,
                                                          unsigned flag) {
  (void)cookie;
  if (directory_size > 0 && of_interest(name)) {
    const int presence = has(name, "/") ? presence_of(name) : GPUWHY_LOADER_ABSENT;
    if (flag == LA_SER_ORIG || presence != GPUWHY_LOADER_ABSENT || !is_variant(name))
      record(flag == LA_SER_ORIG ? GPUWHY_LOADER_SEARCH : GPUWHY_LOADER_TRY, (int)flag, presence,
             name);
  }
  return (char*)(uintptr_t)name;
}

__attribute__((visibility("default"))) unsigned la_objopen(struct link_map* map, Lmid_t space,
                                                           uintptr_t* cookie) {
  (void)space;
  (void)cookie;
  if (directory_size > 0 && map->l_name && of_interest(map->l_name))
    record(GPUWHY_LOADER_TOOK, 0, GPUWHY_LOADER_READABLE, map->l_name);
  return 0;
}
