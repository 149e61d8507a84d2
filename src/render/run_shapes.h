// The fields of a report on a run (render/shapes.h). All shares are of 1, all per cents of 100.
#pragma once

#include "render/report.h"
#include "render/verdict_shapes.h"
#include "use/process.h"
#include "use/statistics.h"
#include "verdict/run_verdict.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::shapes {

/// Three digits behind the point are more than any gauge has.
inline double rounded(double value) {
  return std::round(value * 1000) / 1000;
}
inline std::optional<double> rounded(const std::optional<double>& value) {
  return value ? std::optional(rounded(*value)) : std::nullopt;
}
/// Of what was divided by a time: null where that is no number.
inline std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(rounded(value)) : std::nullopt;
}
template <class T, class Member> auto number(Member T::*member) {
  return [member](const T& object) { return rounded(object.*member); };
}

template <> struct Words<Used> {
  static constexpr std::string_view all[] = {"used", "poorly_used", "not_used", "unknown"};
};

/// A cause of a run: its fix has no reach.
struct RunCause {
  const Cause* cause = nullptr;
};
template <> struct Shape<RunCause> {
  static constexpr const char* name = "cause";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &RunCause::cause;
    v("id", through<of>(&Cause::id), "Id of the cause, never used again for another one");
    v("slug", through<of>(&Cause::slug), "Name of the fault");
    v("gate", through<of>(&Cause::gate), "Gate of the route at which it stands");
    v("effect", through<of>(&Cause::effect),
      "hides: the framework lists no GPU; breaks: it lists the GPU and fails when it uses it; "
      "slows: it uses the GPU, badly or late");
    v("title", through<of>(&Cause::title), "The cause in general");
    v("summary", through<of>(&Cause::summary), "The cause as it is here");
    v("evidence", through<of>(&Cause::evidence), "What speaks for it");
    v(
        "fix", [](const RunCause& each) { return plain(each.cause->fix); },
        "How to mend it; null: no fix is known");
  }
};

template <> struct Shape<use::Span> {
  static constexpr const char* name = "span";
  static constexpr bool row = true;
  template <class V> static void fields(V&& v) {
    v("from", number(&use::Span::from), "Seconds since the program started");
    v("to", number(&use::Span::to), "Seconds since the program started");
  }
};

struct MemoryUse {
  const use::GpuUse* gpu = nullptr;
};
template <> struct Shape<MemoryUse> {
  static constexpr const char* name = "memory";
  template <class V> static void fields(V&& v) {
    using G = use::GpuUse;
    constexpr auto of = &MemoryUse::gpu;
    v(
        "total", [](const MemoryUse& each) { return each.gpu->identity.memory_total; },
        "Bytes that the GPU has; null: not told");
    v("before", through<of>(&G::memory_before), "Bytes in use before the run, by all processes");
    v("peak", through<of>(&G::memory_peak), "Most bytes in use, by all processes");
    v("own_peak", through<of>(&G::own_peak), "Most bytes that the run itself held");
    v(
        "after",
        [](const MemoryUse& each) {
          return each.gpu->after_known ? std::optional(each.gpu->memory_after) : std::nullopt;
        },
        "Bytes in use once the run was over, by all processes; null: not looked at");
  }
};

template <> struct Shape<use::GpuUse> {
  static constexpr const char* name = "gpu";
  template <class V> static void fields(V&& v) {
    using G = use::GpuUse;
    const auto is = [](auto member) {
      return [member](const G& gpu) { return gpu.identity.*member; };
    };
    const auto bytes = [](auto member) {
      return [member](const G& gpu) {
        const std::optional<double>& kib = gpu.*member;
        return kib ? std::optional(rounded(*kib * 1024)) : std::nullopt;
      };
    };
    v("index", is(&use::GpuIdentity::index), "NVML's number of it, in PCI order");
    v("name", is(&use::GpuIdentity::name), "Product name");
    v("uuid", is(&use::GpuIdentity::uuid), "UUID, as CUDA_VISIBLE_DEVICES takes it");
    v("used", &G::used, "Kernels of the run ran on it");
    v("held", &G::held, "A process of the run held memory on it");
    v("steady", &G::steady,
      "The steady phase, without start-up, compiling and what follows the last use; null: none");
    v("busy", number(&G::busy),
      "Per cent of the steady phase in which a kernel ran; 0 also where there is no such phase");
    v("busy_whole_run", number(&G::busy_whole), "Per cent of the whole run in which a kernel ran");
    v("multiprocessors_busy", number(&G::sm),
      "Per cent of the multiprocessors that had work, in the steady phase; null: this GPU does not "
      "tell");
    v("power_watts", number(&G::power), "Watts that it drew in the steady phase; null: not told");
    v("sm_clock_mhz", number(&G::sm_clock),
      "Clock of the multiprocessors in MHz, in the steady phase; null: not told");
    v("temperature_max", number(&G::hottest), "Highest temperature, in degrees Celsius");
    v("pcie_to_gpu", bytes(&G::pcie_rx),
      "Bytes a second to the GPU, in the steady phase; null: not told");
    v("pcie_from_gpu", bytes(&G::pcie_tx),
      "Bytes a second from the GPU, in the steady phase; null: not told");
    v(
        "memory", [](const G& gpu) { return MemoryUse{&gpu}; }, "Its memory");
  }
};

struct Shares {
  const use::CallUse* calls = nullptr;
};
template <> struct Shape<Shares> {
  static constexpr const char* name = "shares";
  template <class V> static void fields(V&& v) {
    using C = use::CallUse;
    const auto share = [](double C::*member) {
      return [member](const Shares& each) { return finite(each.calls->*member); };
    };
    v("pause", share(&C::pause), "Between two calls for longer than a millisecond");
    v("copy", share(&C::copy), "In calls that copy");
    v("sync", share(&C::sync), "In calls that wait for the GPU");
    v("load", share(&C::load), "In calls that load code");
    v("issue", share(&C::issue), "The rest: preparing and making calls");
  }
};

template <> struct Shape<use::CallUse> {
  static constexpr const char* name = "calls";
  template <class V> static void fields(V&& v) {
    using C = use::CallUse;
    const auto rate = [](auto member) {
      return [member](const C& calls) { return finite(calls.per_second(calls.sums.*member)); };
    };
    v("observed_seconds", number(&C::window),
      "Seconds in which calls were counted; where these are too short to divide by, rates and "
      "shares are null");
    v("launches_per_second", rate(&use::CudaTick::launches), "Kernels started a second");
    v("graphs_per_second", rate(&use::CudaTick::graphs), "CUDA graphs started a second");
    v("to_gpu_bytes_per_second", rate(&use::CudaTick::to_device_bytes),
      "Bytes a second that were copied to the GPU");
    v("from_gpu_bytes_per_second", rate(&use::CudaTick::to_host_bytes),
      "Bytes a second that were copied from the GPU");
    v("syncs_per_second", rate(&use::CudaTick::syncs), "Calls a second that wait for the GPU");
    v("loads_per_second", rate(&use::CudaTick::loads), "Calls a second that load code");
    v(
        "shares", [](const C& calls) { return Shares{&calls}; },
        "Where the time of the threads that call CUDA goes, as shares of the time observed");
  }
};

template <> struct Shape<use::LibraryTry> {
  static constexpr const char* name = "try";
  template <class V> static void fields(V&& v) {
    v("path", &use::LibraryTry::path, "File");
    v("rule", &use::LibraryTry::rule, "What sent the loader there, as in LD_LIBRARY_PATH");
    v("present", &use::LibraryTry::present, "The file was there");
  }
};
template <> struct Shape<use::LibrarySearch> {
  static constexpr const char* name = "search";
  template <class V> static void fields(V&& v) {
    using S = use::LibrarySearch;
    v("name", &S::name, "Name, as the loader was asked for it");
    v("pid", &S::pid, "Number of the process");
    v("tried", &S::tried, "Files that were tried, in order");
    v("took", or_null(&S::took), "File that was loaded; null: nothing new was");
  }
};

template <> struct Shape<use::SourceState> {
  static constexpr const char* name = "source";
  template <class V> static void fields(V&& v) {
    v("works", &use::SourceState::works, "It told something");
    v("problem", or_null(&use::SourceState::problem),
      "Why it did not, or no longer does; null: no problem");
  }
};
struct Sources {
  const use::RunEnd* end = nullptr;
};
template <> struct Shape<Sources> {
  static constexpr const char* name = "sources";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &Sources::end;
    v("nvml", through<of>(&use::RunEnd::nvml), "NVML: use, memory, power and clocks of the GPUs");
    v("cupti", through<of>(&use::RunEnd::cuda), "CUPTI: the calls of CUDA");
    v("loader", through<of>(&use::RunEnd::loader), "The dynamic loader, with --libraries");
  }
};

struct RunProgram {
  const use::RunStatistics* run = nullptr;
  const std::vector<std::string>* frameworks = nullptr;
};
template <> struct Shape<RunProgram> {
  static constexpr const char* name = "program";
  template <class V> static void fields(V&& v) {
    using E = use::RunEnd;
    using H = use::HostUse;
    using R = use::RunStatistics;
    const auto end = [](auto member) {
      return [member](const RunProgram& each) { return each.run->end.*member; };
    };
    const auto host = [](double H::*member) {
      return [member](const RunProgram& each) { return rounded(each.run->host.*member); };
    };
    constexpr auto of = &RunProgram::run;
    v(
        "command", [](const RunProgram& each) { return each.run->start.command; },
        "The command line, word for word");
    v(
        "seconds", [](const RunProgram& each) { return rounded(each.run->end.time); },
        "Seconds that were observed");
    v("exit_status", end(&E::exit_status), "Its exit status; null: a signal ended it, or it runs");
    v(
        "signal",
        [](const RunProgram& each) {
          const auto signal = each.run->end.signal;
          return signal != 0 ? std::optional(signal) : std::nullopt;
        },
        "Number of the signal that ended it; null: none did");
    v(
        "last_words",
        [](const RunProgram& each) {
          const auto* words = each.run->end.last_words();
          return words != nullptr ? std::optional(words->text) : std::nullopt;
        },
        "The line that says why it failed; null: it did not fail, or said nothing");
    v(
        "frameworks", [](const RunProgram& each) { return *each.frameworks; },
        "Frameworks that it had loaded");
    v("cores", host(&H::cores),
      "Processor cores that it kept busy in the steady phase: its processor time over the time");
    v("busiest_thread", host(&H::busiest_thread),
      "Share of one core that its busiest thread took in the steady phase, 0 to 1");
    v("io_wait", host(&H::io_wait),
      "Share of the steady phase in which the thread that waits most waited for a disk, 0 to 1");
    v(
        "memory_peak", [](const RunProgram& each) { return each.run->host.rss_peak; },
        "Most bytes of main memory that its processes held together, in the steady phase");
    v("gpu_opened", through<of>(number(&R::opened)),
      "Seconds after its start at which it first held a GPU; null: it never did");
    v("first_kernel", through<of>(number(&R::first_use)),
      "Seconds after its start at which the first kernel was seen; null: none was");
    v("last_kernel", through<of>(number(&R::last_use)),
      "Seconds after its start at which the last kernel was seen; null: none was");
    v("left_behind", end(&E::left_behind), "Numbers of its processes that still lived at the end");
  }
};

} // namespace gpuwhy::shapes
