// Every object of the report has one table of its fields (render/shapes.h).
#include "render/board_text.h"

#include "render/report.h"

namespace gpuwhy {
namespace shapes {

using use::Board;
using use::BoardGpu;
using use::BoardProcess;

template <> struct Shape<BoardGpu> {
  static constexpr const char* name = "gpu";
  template <class V> static void fields(V&& v) {
    using Identity = use::GpuIdentity;
    using Now = use::GpuTick;
    const auto is = [](auto member) {
      return [member](const BoardGpu& gpu) { return gpu.identity.*member; };
    };
    const auto now = [](auto member) {
      return [member](const BoardGpu& gpu) { return gpu.now.*member; };
    };
    v("index", is(&Identity::index), "NVML's number of it, in PCI order");
    v("name", is(&Identity::name), "Product name");
    v("uuid", is(&Identity::uuid), "UUID, as CUDA_VISIBLE_DEVICES takes it");
    v("busy", now(&Now::busy), "Per cent of the time in which a kernel ran; null: not told");
    v("multiprocessors_busy", now(&Now::sm),
      "Per cent of the multiprocessors that had work; null: this GPU does not tell");
    v("memory", now(&Now::memory), "Bytes in use by all processes; null: not told");
    v("memory_total", is(&Identity::memory_total), "Bytes that it has; null: not told");
    v("power_watts", now(&Now::power), "Watts that it draws; null: not told");
    v("temperature", now(&Now::temperature), "Degrees Celsius; null: not told");
    v("sm_clock_mhz", now(&Now::sm_clock), "Clock of the multiprocessors in MHz; null: not told");
    v("clock_reasons", now(&Now::reasons),
      "Bits of NVML's nvmlClocksEventReasons: why the clocks are lowered; null: not told");
    v("error", now(&Now::error),
      "NVML's error code (nvmlReturn_t) where it does not answer; null: it answers");
  }
};

template <> struct Shape<BoardProcess> {
  static constexpr const char* name = "process";
  template <class V> static void fields(V&& v) {
    v("pid", &BoardProcess::pid, "Number of the process");
    v("gpu", &BoardProcess::gpu, "Index of the GPU that it is on");
    v("memory", &BoardProcess::memory, "Bytes that it holds there; null: not told");
    v("busy", &BoardProcess::sm,
      "Per cent of the time in which a kernel of it ran; null: not told");
    v("cores", &BoardProcess::cores,
      "Processor cores that it keeps busy: its processor time over the time; null: not known");
    v("frameworks", &BoardProcess::frameworks, "Frameworks that it has loaded");
    v("command", &BoardProcess::command, "Its command line; may be empty");
    v("unseen", or_null(&BoardProcess::unseen),
      "Why nothing more is known of it; null: nothing is hidden");
  }
};

template <> struct Shape<Board> {
  static constexpr const char* name = "board";
  template <class V> static void fields(V&& v) {
    v("driver", &Board::driver, "Version of the NVIDIA driver; empty: not known");
    v(
        "problem",
        [](const Board& board) {
          const auto& problem = board.nvml.problem;
          return problem.empty() ? std::optional<std::string>() : problem;
        },
        "Why NVML tells nothing, or no longer does; null: it works");
    v("gpus", &Board::gpus, "The GPUs as they are now");
    v("processes", &Board::processes, "Processes on the GPUs");
  }
};

} // namespace shapes

std::string board_json(const use::Board& board) {
  return report_text("watch", board, -1);
}

std::string board_schema() {
  return report_schema_of<use::Board>(
      "watch", "gpuwhy watch: the GPUs and the processes on them, one line a second");
}

} // namespace gpuwhy
