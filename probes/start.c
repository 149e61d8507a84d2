// The entry point. The one that comes with the compiler asks for __libc_start_main@GLIBC_2.34.
#include "old_glibc.h"

#ifdef GPUWHY_OLDEST_GLIBC
GPUWHY_BIND_OLD(__libc_start_main);
#endif

// The C library is handed main, the argument block and the loader's exit hook; no constructors.
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl _start\n"
        ".type _start,@function\n"
        "_start:\n"
        "  xorl %ebp, %ebp\n"
        "  movq %rdx, %r9\n"
        "  popq %rsi\n"
        "  movq %rsp, %rdx\n"
        "  andq $-16, %rsp\n"
        "  pushq %rax\n"
        "  pushq %rsp\n"
        "  xorl %r8d, %r8d\n"
        "  xorl %ecx, %ecx\n"
        "  movq main@GOTPCREL(%rip), %rdi\n"
        "  call *__libc_start_main@GOTPCREL(%rip)\n"
        "  hlt\n"
        ".size _start, .-_start\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl _start\n"
        ".type _start,%function\n"
        "_start:\n"
        "  mov x29, #0\n"
        "  mov x30, #0\n"
        "  mov x5, x0\n"
        "  ldr x1, [sp]\n"
        "  add x2, sp, #8\n"
        "  mov x6, sp\n"
        "  adrp x0, :got:main\n"
        "  ldr x0, [x0, #:got_lo12:main]\n"
        "  mov x3, #0\n"
        "  mov x4, #0\n"
        "  bl __libc_start_main\n"
        "  brk #0\n"
        ".size _start, .-_start\n");
#else
typedef int nothing_to_start;
#endif
