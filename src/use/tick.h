// What was seen at one moment of a run. Plain values; a member that nobody told is empty.
#pragma once

#include "use/libraries.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::use {

/// A GPU as it is throughout the run.
struct GpuIdentity {
  int index = 0; // NVML's, PCI order
  std::string name;
  std::string uuid;
  std::string pci;
  std::optional<std::uint64_t> memory_total; // bytes
  std::optional<double> power_limit;         // W
  std::optional<double> power_default;       // W
  std::optional<double> sm_clock_limit;      // MHz
  bool mig = false;
  bool monitor = false;     // tells how many multiprocessors work, not only whether any does
  std::optional<int> error; // nvmlReturn_t of asking for it

  bool operator==(const GpuIdentity&) const = default;
};

/// One process on one GPU, as NVML tells it.
struct GpuProcess {
  int pid = 0;
  std::optional<std::uint64_t> memory; // bytes
  std::optional<double> sm;            // percent of time with a kernel of this process

  bool operator==(const GpuProcess&) const = default;
};

/// Reasons for which the driver lowers the clocks: nvmlClocksEventReasons.
inline constexpr std::uint64_t kPowerCap = 0x4;
inline constexpr std::uint64_t kHardwareSlowdown = 0x8;
inline constexpr std::uint64_t kThermal = 0x20 | 0x40;
inline constexpr std::uint64_t kPowerBrake = 0x80;

struct GpuTick {
  int index = 0;
  std::optional<double> busy; // percent of time with any kernel, over the driver's last period
  std::optional<double> sm;   // percent of the multiprocessors with work
  std::optional<std::uint64_t> memory; // bytes in use by all
  std::optional<double> power;         // W
  std::optional<double> sm_clock;      // MHz
  std::optional<std::uint64_t> reasons;
  std::optional<double> temperature; // degrees Celsius
  std::optional<double> pcie_rx;     // KiB/s, to the GPU
  std::optional<double> pcie_tx;     // KiB/s, from the GPU
  std::optional<std::vector<GpuProcess>> processes;
  std::optional<int> error; // nvmlReturn_t: 15 is a GPU that is gone

  bool operator==(const GpuTick&) const = default;
};

/// The processes of the run together, since the last look.
struct HostTick {
  double seconds = 0;        // that the look covers
  double cores = 0;          // processor time over time
  double busiest_thread = 0; // share of one core, 0 to 1
  double io_wait = 0;        // share of the time that the thread which waits most waited for a disk
  double main_thread = 0;    // share of one core that the first thread of the main process took
  double switches = 0;       // context switches a second
  std::uint64_t rss = 0;     // bytes
  int processes = 0;
  int threads = 0;

  bool operator==(const HostTick&) const = default;
};

/// Calls of the CUDA API, counted within windows. All processes of the run together.
struct CudaTick {
  double window = 0; // seconds that were observed; of several processes: their sum
  std::uint64_t launches = 0;
  std::uint64_t graphs = 0;
  std::uint64_t to_device = 0; // copies
  std::uint64_t to_device_bytes = 0;
  std::uint64_t to_host = 0;
  std::uint64_t to_host_bytes = 0;
  double copy_time = 0; // seconds within calls that copy
  std::uint64_t syncs = 0;
  double sync_time = 0;    // seconds within calls that wait for the GPU
  std::uint64_t loads = 0; // of code
  double load_time = 0;
  std::uint64_t pauses = 0; // longer than a millisecond in which no call was made
  double pause_time = 0;
  std::uint64_t failed_allocations = 0;
  int error = 0; // the first CUresult that leaves a context unusable; 0: none

  bool operator==(const CudaTick&) const = default;
};

/// A process of the run: told when it appears, and again when it changes.
struct ProcessTick {
  int pid = 0;
  int parent = 0;
  std::string name;                   // "python3"
  std::vector<std::string> libraries; // sonames of CUDA and the frameworks that it has mapped
  bool opens_gpu = false;             // holds a /dev/nvidia* file
  bool ended = false;

  bool operator==(const ProcessTick&) const = default;
};

struct Tick {
  double time = 0; // seconds since the program started
  std::vector<GpuTick> gpus;
  std::optional<HostTick> host;
  std::optional<CudaTick> cuda;
  std::vector<ProcessTick> processes;

  bool operator==(const Tick&) const = default;
};

/// How far a source of observations came.
struct SourceState {
  bool works = false;
  std::string problem; // why not, or no longer
  bool operator==(const SourceState&) const = default;
};

/// What is known when the program starts.
struct RunStart {
  std::vector<std::string> command;
  std::vector<GpuIdentity> gpus;
  std::vector<GpuTick> before; // the GPUs before the program started
  std::string driver;
  SourceState nvml;
  std::optional<std::string> visible_devices; // CUDA_VISIBLE_DEVICES as the program was given it
  bool attached = false;                      // it was running already

  bool operator==(const RunStart&) const = default;
};

/// What the program said, or the kernel: a line that tells of a fault. `fatal`: what a program says
/// last when it dies, an exception that nobody caught or a failed check.
struct Sign {
  enum class Kind { out_of_memory, device_error, fatal };
  Kind kind = Kind::out_of_memory;
  std::string text;  // the line, printable
  std::string where; // "output", "kernel log"

  bool operator==(const Sign&) const = default;
};

/// What is known when it has ended.
struct RunEnd {
  double time = 0;
  std::optional<int> exit_status; // empty: it still runs
  int signal = 0;
  std::vector<GpuTick> after; // the GPUs once it was gone
  std::vector<Sign> signs;
  SourceState nvml;
  SourceState cuda;
  SourceState loader;
  std::vector<LibrarySearch> libraries; // what the loader was asked for, where that was wanted
  std::vector<int> left_behind;         // processes of the run that still lived
  std::vector<std::string> notes;       // what could not be done, one line each

  bool failed() const { return signal != 0 || exit_status.value_or(0) != 0; }
  /// The line that says why it failed; null: it did not fail, or said nothing.
  const Sign* last_words() const;

  bool operator==(const RunEnd&) const = default;
};

} // namespace gpuwhy::use
