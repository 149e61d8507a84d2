// Binds the symbols that newer C libraries gave a new version to the old one, so that a probe
// built on a new distribution starts on an old one.
#ifndef GPUWHY_OLD_GLIBC_H
#define GPUWHY_OLD_GLIBC_H

#if defined(__x86_64__)
#define GPUWHY_OLDEST_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define GPUWHY_OLDEST_GLIBC "GLIBC_2.17"
#endif

#ifdef GPUWHY_OLDEST_GLIBC
#define GPUWHY_BIND_OLD(name) __asm__(".symver " #name "," #name "@" GPUWHY_OLDEST_GLIBC)
// These four moved from libdl to libc in 2.34 and got a new version there.
GPUWHY_BIND_OLD(dlopen);
GPUWHY_BIND_OLD(dlsym);
GPUWHY_BIND_OLD(dlerror);
GPUWHY_BIND_OLD(dladdr);
GPUWHY_BIND_OLD(memcpy);
// These two of libm got a new version in 2.29.
GPUWHY_BIND_OLD(exp);
GPUWHY_BIND_OLD(log);
#endif

#endif
