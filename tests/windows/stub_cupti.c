// Written for a test: a CUPTI of callbacks only, whose costs and callers are the test's.
#include "stub.h"

#include <cupti_callbacks.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static CUpti_CallbackFunc callback;
static struct stub_cupti stub;

STUB_EXPORT struct stub_cupti* stub_cupti(void) {
  return &stub;
}

static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

STUB_EXPORT CUptiResult cuptiSubscribe(CUpti_SubscriberHandle* subscriber,
                                       CUpti_CallbackFunc function, void* data) {
  (void)data;
  if (atomic_load(&stub.references[0]) == 0) atomic_fetch_add(&stub.attached_too_early, 1);
  atomic_store(&stub.attaching, 1);
  const double end = processor_time() + stub.attach_seconds;
  while (processor_time() < end) continue;
  *subscriber = (CUpti_SubscriberHandle)&stub;
  callback = function;
  atomic_fetch_add(&stub.attached, 1);
  atomic_store(&stub.calls_back, 1);
  atomic_store(&stub.attaching, 0);
  return CUPTI_SUCCESS;
}

STUB_EXPORT CUptiResult cuptiEnableCallback(uint32_t on, CUpti_SubscriberHandle subscriber,
                                            CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  (void)on, (void)subscriber, (void)domain, (void)id;
  return CUPTI_SUCCESS;
}

STUB_EXPORT CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle subscriber) {
  (void)subscriber;
  atomic_store(&stub.calls_back, 0);
  return CUPTI_SUCCESS;
}

STUB_EXPORT CUptiResult cuptiFinalize(void) {
  if (!stub_in_call) atomic_fetch_add(&stub.finalized_elsewhere, 1);
  return CUPTI_SUCCESS;
}

__thread int stub_in_call;

// A call of the program, as CUPTI tells of it.
STUB_EXPORT void stub_call(unsigned id) {
  int result = 0;
  CUpti_CallbackData data = {.callbackSite = CUPTI_API_ENTER, .functionReturnValue = &result};
  stub_in_call = 1;
  if (atomic_load(&stub.calls_back)) callback(NULL, CUPTI_CB_DOMAIN_DRIVER_API, id, &data);
  data.callbackSite = CUPTI_API_EXIT;
  if (atomic_load(&stub.calls_back)) callback(NULL, CUPTI_CB_DOMAIN_DRIVER_API, id, &data);
  stub_in_call = 0;
}

// What ends while CUPTI comes in ends badly.
__attribute__((destructor)) static void end(void) {
  if (!atomic_load(&stub.attaching)) return;
  fputs("not so: the program's end waits for CUPTI\n", stderr);
  _exit(1);
}
