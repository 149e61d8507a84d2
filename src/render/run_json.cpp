// Every object of the report has one table of its fields (render/shapes.h).
#include "render/run_json.h"

#include "render/run_shapes.h"

#include <algorithm>
#include <map>

namespace gpuwhy {
namespace shapes {

// --- the timeline

inline std::optional<double> mean(const use::Mean& mean) {
  return mean.known() ? finite(mean.value()) : std::nullopt;
}

template <> struct Shape<use::GpuMoment> {
  static constexpr const char* name = "gpu_moment";
  static constexpr bool row = true;
  template <class V> static void fields(V&& v) {
    using G = use::GpuMoment;
    const auto of = [](use::Mean G::*member) {
      return [member](const G& gpu) { return mean(gpu.*member); };
    };
    v("busy", of(&G::busy), "Per cent of the time in which a kernel ran; null: not told");
    v("multiprocessors_busy", of(&G::sm),
      "Per cent of the multiprocessors that had work; null: not told");
    v("power_watts", of(&G::power), "Watts; null: not told");
    v("memory", &G::memory, "Most bytes in use, by all processes");
  }
};

template <> struct Shape<use::Moment> {
  static constexpr const char* name = "moment";
  static constexpr bool row = true;
  template <class V> static void fields(V&& v) {
    using M = use::Moment;
    v("seconds", number(&M::start), "Seconds since the program started");
    v(
        "cores", [](const M& moment) { return mean(moment.host.cores); },
        "Processor cores that the program kept busy; null: not looked at");
    v("gpus", &M::gpus, "One for each of the report's GPUs, in their order");
  }
};

struct RunTimeline {
  double interval = 0;
  std::vector<use::Moment> rows;
};
template <> struct Shape<RunTimeline> {
  static constexpr const char* name = "timeline";
  template <class V> static void fields(V&& v) {
    v("interval", number(&RunTimeline::interval), "Seconds from one row to the next");
    v(
        "columns", [](const RunTimeline&) { return columns<use::Moment>(); },
        "Names of what a row holds");
    v(
        "gpu_columns", [](const RunTimeline&) { return columns<use::GpuMoment>(); },
        "Names of what a row holds of each GPU");
    v("rows", &RunTimeline::rows, "At most 240, each the mean of its interval");
  }
};

/// Every moment, or means of several where there are many.
inline RunTimeline timeline_of(const use::RunStatistics& run) {
  constexpr std::size_t kRows = 240;
  const std::size_t step = run.moments.size() / kRows + 1;
  RunTimeline timeline{run.moment_width * static_cast<double>(step), {}};
  for (std::size_t i = 0; i < run.moments.size(); i += step) {
    auto sum = run.moments[i];
    for (std::size_t j = i + 1; j < std::min(i + step, run.moments.size()); ++j)
      sum.add(run.moments[j]);
    timeline.rows.push_back(std::move(sum));
  }
  return timeline;
}

// --- the documents

struct RunReport {
  const RunVerdict* verdict = nullptr;
  const use::RunStatistics* run = nullptr;
  const std::vector<std::string>* frameworks = nullptr;
};
template <> struct Shape<RunReport> {
  static constexpr const char* name = "run";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &RunReport::verdict;
    constexpr auto run = &RunReport::run;
    v("verdict", through<of>(&RunVerdict::answer),
      "Whether the GPU was used; poorly_used: it was, and something holds it back");
    v("sentence", through<of>(&RunVerdict::sentence),
      "The answer in one sentence, without a full stop");
    v(
        "causes",
        [](const RunReport& report) {
          std::vector<RunCause> causes;
          for (const auto& each : report.verdict->causes) causes.push_back({&each});
          return causes;
        },
        "The root cause first");
    v("at_most_faster", through<of>(number(&RunVerdict::at_most_faster)),
      "How many times faster it would be at most, if the GPU never waited; null: nothing bounds "
      "that");
    v("gpus", through<run>(&use::RunStatistics::gpus),
      "GPUs of this machine, as the run used them");
    v(
        "program",
        [](const RunReport& report) {
          return RunProgram{report.run, report.frameworks};
        },
        "The program");
    v(
        "calls",
        [](const RunReport& report) {
          const auto& calls = report.run->calls;
          return calls.known() ? std::optional(calls) : std::nullopt;
        },
        "Calls of CUDA in the steady phase, counted in windows; null: none was observed");
    v(
        "sources", [](const RunReport& report) { return Sources{&report.run->end}; },
        "How far what was asked could tell");
    v(
        "libraries", [](const RunReport& report) { return report.run->end.libraries; },
        "With --libraries: what the loader was asked for, tried and took");
    v("unknown", through<of>(&RunVerdict::unknown), "What could not be told");
    v("ruled_out", through<of>(&RunVerdict::ruled_out),
      "Causes that were looked for and are not there, and why");
    v("notes", through<of>(&RunVerdict::notes), "What else is to know");
    v("loading", through<of>(&RunVerdict::loading),
      "With --libraries: what was loaded, held against what check expects");
    v(
        "timeline", [](const RunReport& report) { return timeline_of(*report.run); },
        "The run as it went");
  }
};

template <> struct Shape<use::LoadedLibrary> {
  static constexpr const char* name = "library";
  template <class V> static void fields(V&& v) {
    using L = use::LoadedLibrary;
    v("name", &L::name, "Name of the file");
    v("path", &L::path, "Where it was loaded from");
    v("deleted", &L::deleted, "Replaced on disk since it was loaded");
  }
};

template <> struct Shape<use::ProcessFacts> {
  static constexpr const char* name = "process";
  template <class V> static void fields(V&& v) {
    using P = use::ProcessFacts;
    v("pid", &P::pid, "Number of the process");
    v("name", &P::name, "Its name");
    v("command", &P::command, "Its command line, word for word");
    v("threads", &P::threads, "How many threads it has");
    v("frameworks", &P::frameworks, "Frameworks that it has loaded");
    v("libcuda_mapped", &P::has_libcuda, "It has loaded the driver's libcuda");
    v("libraries", &P::libraries, "Libraries of CUDA and of frameworks that it has loaded");
    v("devices", &P::devices, "NVIDIA's device files that it holds open");
    v(
        "variables",
        [](const P& process) {
          std::map<std::string, std::string> variables;
          for (const auto& [variable, value] : process.variables) variables[variable] = value;
          return variables;
        },
        "Environment variables that bear on the GPU, as it was given them");
    v("cgroup", &P::cgroup, "Its control group; may be empty");
    v("container", &P::other_root, "It sees other files than we do: it runs in a container");
    v(
        "inner_pid",
        [](const P& process) {
          return process.inner_pid != 0 ? std::optional(process.inner_pid) : std::nullopt;
        },
        "Its number within its container; null: the same");
    v("problems", &P::problems, "What could not be read, and what would let us");
  }
};

struct PidReport {
  RunReport run;
  const use::ProcessFacts* process = nullptr;
};
template <> struct Shape<PidReport> {
  static constexpr const char* name = "pid";
  template <class V> static void fields(V&& v) {
    Shape<RunReport>::fields([&v](const char* field, auto get, const char* prose) {
      v(
          field, [get](const PidReport& report) { return std::invoke(get, report.run); }, prose);
    });
    v(
        "process", [](const PidReport& report) { return *report.process; }, "The process itself");
  }
};

/// The first line of --on-request.
struct Watching {
  int pid = 0;
};
template <> struct Shape<Watching> {
  static constexpr const char* name = "watching";
  template <class V> static void fields(V&& v) {
    v("watching", &Watching::pid, "Number of the process that is observed from now on");
  }
};

} // namespace shapes

using shapes::PidReport;
using shapes::RunReport;
using shapes::Watching;

std::string run_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks) {
  return report_text("run", RunReport{&verdict, &run, &frameworks});
}

std::string pid_json(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const use::ProcessFacts& process,
                     int indent) {
  return report_text("pid", PidReport{{&verdict, &run, &frameworks}, &process}, indent);
}

std::string watching_json(int pid) {
  return report_text("pid", Watching{pid}, -1);
}

std::string run_schema() {
  return report_schema_of<RunReport>("run", "gpuwhy run: was the GPU used, and how well?");
}

std::string pid_schema() {
  using shapes::Json;
  Json definitions = {{"begun", nullptr}, {"report", nullptr}};
  definitions["begun"] = report_object<Watching>("pid", definitions);
  definitions["report"] = report_object<PidReport>("pid", definitions);
  const Json schema = {
      {"$schema", shapes::kDraft},
      {"title", "gpuwhy pid: how a process that runs already uses the GPU"},
      {"description", "'begun' is the first line of --on-request; all else is a 'report'."},
      {"anyOf", {{{"$ref", "#/$defs/begun"}}, {{"$ref", "#/$defs/report"}}}},
      {"$defs", definitions}};
  return schema.dump(2) + "\n";
}

} // namespace gpuwhy
