// What the GPU waits for in the steady phase of a run: one answer a run. The time of the threads
// that call CUDA is spent in pauses between the calls, in copies, waiting for the GPU, or preparing
// and making calls; where the GPU has no kernel for a good part of the time, the largest of these
// is what it waits for.
#pragma once

#include "use/statistics.h"

#include <optional>
#include <string>

namespace gpuwhy::rules {

enum class Wait {
  nothing,       // it is busy
  input,         // the program does something else between the steps
  compilation,   // the program compiles new kernels again and again
  part_on_cpu,   // a part of the model is computed by the processor in each step
  issue,         // the processor cannot make the many small calls fast enough
  small_kernels, // kernels run all the time and fill only a few multiprocessors
  sync,          // the program asks for results after every few kernels
  transfer,      // copies over the bus
  late_rank,     // another GPU's process, in a collective operation
  unknown,
};

struct Bottleneck {
  Wait wait = Wait::unknown;
  std::string missing; // for unknown
};

/// Of the GPUs that work together, one that is always in a kernel and hardly works, for it waits in
/// NCCL, and the one that it waits for.
struct LateRank {
  const use::GpuUse* waiting;
  const use::GpuUse* late;
};
std::optional<LateRank> late_rank(const use::RunStatistics& run);

Bottleneck bottleneck_of(const use::RunStatistics& run);

} // namespace gpuwhy::rules
