// An inventory of what the dynamic loader could meet: directories, the shared libraries in them,
// the cache. Everything src/loader needs to repeat a search without touching a disk (loader.md 1).
#pragma once

#include "facts/fact.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gpuwhy {

/// A file with a shared library's name.
struct LibraryFile {
  /// What the loader makes of it (loader.md 1.5). The first two rows of "bad" are skipped in a
  /// search; the ones from `too_short` on end it with an error.
  enum class Status {
    good,
    dangling,      // broken or looping link: skipped
    unreadable,    // skipped
    wrong_class,   // 32-bit ELF: skipped
    wrong_machine, // ELF for another processor: skipped
    too_short,     // stops: "file too short"
    not_elf,       // stops: "invalid ELF header" (linker script, git-lfs pointer, HTML)
    directory,     // stops: "cannot read file data: Is a directory"
    truncated,     // good header, body shorter than its segments: the process dies while mapping
    incomplete, // its end is missing, but nothing that loading touches: it loads, and the process
                // dies when it uses the rest
    special,    // FIFO, socket or device: the loader would hang or fail; never opened
  };
  std::string path;
  std::string real_path;
  Status status = Status::good;
  std::string detail; // "ELF 32-bit Intel 80386", "points to libcudnn.so.9.1.0, which is missing"
  std::uint64_t size = 0;
  std::string identity; // "device:inode", as the loader compares files
  std::string soname;
  std::vector<std::string> needed;
  std::vector<std::string> rpath; // unexpanded, in order
  std::vector<std::string> runpath;
  bool no_default_lib = false; // DF_1_NODEFLIB
  Fact<std::string> version;   // real version: from the file name, or the distribution that owns it

  template <class V> static void fields(V&& v) {
    v("path", &LibraryFile::path, "Path as found");
    v("real_path", &LibraryFile::real_path, "File behind the links");
    v("status", &LibraryFile::status, "What the loader makes of it");
    v("detail", &LibraryFile::detail, "Why it is not good");
    v("size", &LibraryFile::size, "Size in bytes");
    v("identity", &LibraryFile::identity, "Device and inode");
    v("soname", &LibraryFile::soname, "DT_SONAME");
    v("needed", &LibraryFile::needed, "DT_NEEDED");
    v("rpath", &LibraryFile::rpath, "DT_RPATH");
    v("runpath", &LibraryFile::runpath, "DT_RUNPATH");
    v("no_default_lib", &LibraryFile::no_default_lib, "DF_1_NODEFLIB");
    v("version", &LibraryFile::version, "Version of the library");
  }
};

/// A directory that was read, and the libraries of interest in it. A name that is not listed is not
/// there.
struct LibraryDirectory {
  enum class Status { present, absent, unreadable };
  std::string path;
  Status status = Status::present;
  std::vector<std::string> names; // of interest only (CUDA, cuDNN, driver and what they need)
  std::vector<std::string>
      capabilities;   // its glibc-hwcaps subdirectories that exist, e.g. "x86-64-v3"
  std::string origin; // why it was read: "LD_LIBRARY_PATH", "wheel", "toolkit", ...

  template <class V> static void fields(V&& v) {
    v("path", &LibraryDirectory::path, "Directory");
    v("status", &LibraryDirectory::status, "present, absent or unreadable");
    v("names", &LibraryDirectory::names, "Libraries of interest in it");
    v("capabilities", &LibraryDirectory::capabilities, "glibc-hwcaps subdirectories");
    v("origin", &LibraryDirectory::origin, "Why it was read");
  }
};

/// One line of /etc/ld.so.cache for this machine's ABI.
struct CacheEntry {
  std::string soname;
  std::string path;
  std::string capability; // glibc-hwcaps name; empty: plain

  template <class V> static void fields(V&& v) {
    v("soname", &CacheEntry::soname, "soname");
    v("path", &CacheEntry::path, "Path");
    v("capability", &CacheEntry::capability, "glibc-hwcaps name");
  }
};

struct Libraries {
  std::map<std::string, LibraryDirectory> directories; // by path
  std::map<std::string, LibraryFile> files;            // by path
  Fact<std::vector<CacheEntry>> cache; // of interest only, in the cache's order; absent: no cache
  std::vector<std::string> default_directories;    // of this system's loader, in order
  std::vector<std::string> configured_directories; // ld.so.conf and what it includes
  std::vector<std::string> hardware_capabilities;  // glibc-hwcaps names this CPU uses, best first
  std::string lib_token;      // what $LIB expands to: "lib/x86_64-linux-gnu", "lib64"
  std::string platform_token; // what $PLATFORM expands to
  Fact<std::string> libc;     // "glibc 2.36", "musl 1.2.4"
  Fact<std::vector<std::string>> cuda_tools; // libdevice.10.bc and ptxas of toolkits and wheels

  template <class V> static void fields(V&& v) {
    v("directories", &Libraries::directories, "Directories that were read");
    v("files", &Libraries::files, "Library files in them");
    v("cache", &Libraries::cache, "Entries of ld.so.cache");
    v("default_directories", &Libraries::default_directories, "The loader's default directories");
    v("configured_directories", &Libraries::configured_directories, "Directories of ld.so.conf");
    v("hardware_capabilities", &Libraries::hardware_capabilities,
      "glibc-hwcaps names of this CPU, best first");
    v("lib_token", &Libraries::lib_token, "Expansion of $LIB");
    v("platform_token", &Libraries::platform_token, "Expansion of $PLATFORM");
    v("libc", &Libraries::libc, "C library");
    v("cuda_tools", &Libraries::cuda_tools, "libdevice.10.bc and ptxas, which compile for the GPU");
  }
};

} // namespace gpuwhy
