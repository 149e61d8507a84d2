// Written for tests: what work.c needs of cuda.c.
#ifndef STUB_WORK_H
#define STUB_WORK_H

// 0, or the code with which a call answers before cuInit; every call of work.c is traced here.
int stub_ready(const char* call);

// What STUB_CUDA_FAULT makes of this call: 0, or the code with which it fails.
int stub_fault(const char* call);

#endif
