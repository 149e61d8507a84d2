# Cross-building for aarch64 with Debian's compiler, against packages that tools/cross_sysroot.sh unpacked; what is built
# runs under qemu's user emulation. See 'make aarch64'.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_STRIP aarch64-linux-gnu-strip)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)

set(GPUWHY_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-sysroot CACHE PATH "Where the packages were unpacked")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES GPUWHY_SYSROOT)
set(CMAKE_FIND_ROOT_PATH ${GPUWHY_SYSROOT})
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH) # libraries that are headers only are the machine's own
set(CMAKE_EXE_LINKER_FLAGS_INIT -L${GPUWHY_SYSROOT}/usr/lib/aarch64-linux-gnu)
