// Between the stub of CUPTI, that of the driver, and the program that plays an observed one.
#ifndef GPUWHY_TESTS_WINDOWS_STUB_H
#define GPUWHY_TESTS_WINDOWS_STUB_H

#include <stdatomic.h>

#define STUB_EXPORT __attribute__((visibility("default")))

enum { STUB_DEVICES = 2 };

struct stub_cupti {
  double attach_seconds;               // of the processor, for each cuptiSubscribe
  atomic_int references[STUB_DEVICES]; // of the primary contexts
  atomic_int attaching, calls_back;
  atomic_int attached, attached_too_early, finalized_elsewhere;
  atomic_int destroyed, destroyed_while_attached;
};

extern __thread int stub_in_call;

#endif
