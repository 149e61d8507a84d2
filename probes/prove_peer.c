// The layer between GPUs: each sends memory to each other, directly where it can.
#include "prove.h"

#include <stdlib.h>
#include <string.h>

enum { PEER_ACCESS_ALREADY_ENABLED = 704 };

static bool copy_between(int from, int to, context source, context target, size_t bytes,
                         double* best) {
  uint32_t* out = malloc(2 * bytes);
  if (!out) return fail("malloc", "no memory on the host");
  uint32_t* back = out + bytes / sizeof(*out);
  fill(out, bytes / sizeof(*out), (uint32_t)(from * 64 + to));
  memset(back, 0, bytes);
  device_pointer a = 0, b = 0;
  CU(CtxSetCurrent, source);
  CU(MemAlloc, &a, bytes);
  CU(MemcpyHtoD, a, out, bytes);
  CU(CtxSetCurrent, target);
  CU(MemAlloc, &b, bytes);
  CU(MemsetD8, b, 0, bytes);
  CU(CtxSetCurrent, source);
  *best = 0;
  for (int round = 0; round < 5; ++round) {
    double start = seconds_now();
    CU(MemcpyPeer, b, target, a, source, bytes);
    CU(CtxSynchronize);
    double rate = (double)bytes / (seconds_now() - start);
    if (rate > *best) *best = rate;
  }
  CU(CtxSetCurrent, target);
  CU(MemcpyDtoH, back, b, bytes);
  bool same = memcmp(out, back, bytes) == 0;
  CU(MemFree, b);
  CU(CtxSetCurrent, source);
  CU(MemFree, a);
  free(out);
  if (!same)
    return fail("cuMemcpyPeer", "what GPU %d sent to GPU %d came back different", from, to);
  return true;
}

bool prove_peer(void) {
  enum { MOST = 16 };
  int count = 0;
  TRY(count_devices(&count));
  if (count > MOST) count = MOST;
  figure("devices", count);
  if (count < 2) {
    skip("one GPU is visible: there is no peer");
    return true;
  }
  context contexts[MOST];
  for (int i = 0; i < count; ++i) TRY(use_device(i, &contexts[i]));
  size_t bytes = (size_t)(request.effort == QUICK ? 16 : 128) << 20;
  if (bytes > request.memory / 2) bytes = request.memory / 2 & ~(size_t)4095;
  int pairs = 0, direct = 0;
  double slowest = 0, fastest = 0;
  for (int from = 0; from < count; ++from) {
    for (int to = 0; to < count; ++to) {
      if (from == to) continue;
      int can = 0;
      CU(DeviceCanAccessPeer, &can, from, to);
      if (can) {
        CU(CtxSetCurrent, contexts[from]);
        int code = cu.CtxEnablePeerAccess(contexts[to], 0);
        if (code && code != PEER_ACCESS_ALREADY_ENABLED)
          return fail_cuda("cuCtxEnablePeerAccess", code);
        ++direct;
      }
      double rate = 0;
      TRY(copy_between(from, to, contexts[from], contexts[to], bytes, &rate));
      if (!pairs || rate < slowest) slowest = rate;
      if (rate > fastest) fastest = rate;
      ++pairs;
    }
  }
  figure("pairs", pairs);
  figure("direct_pairs", direct);
  figure("slowest_bytes_per_second", slowest);
  figure("fastest_bytes_per_second", fastest);
  return true;
}
