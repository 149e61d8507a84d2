// Every object of the report has one table of its fields (render/shapes.h).
#include "render/verdict_json.h"

#include "render/report.h"
#include "render/verdict_shapes.h"
#include "render/wording.h"

#include <optional>

namespace gpuwhy {
namespace shapes {

// --- words of enums
// --------------------------------------------------------------------------------------

template <> struct Words<Reach> {
  static constexpr std::string_view all[] = {"shell",  "packages", "environment",
                                             "system", "driver",   "hardware"};
};
template <> struct Words<LogCause::Here> {
  static constexpr std::string_view all[] = {"found", "ruled_out", "open"};
};
template <> struct Words<LogReport::Says> {
  static constexpr std::string_view all[] = {"gpu", "no_gpu", "cannot_tell"};
};
template <> struct Words<Bearing> {
  static constexpr std::string_view all[] = {"note", "hides", "breaks"};
};
template <> struct Words<GateResult::State> {
  static constexpr std::string_view all[] = {"passed", "failed", "unknown"};
};
// --- fields
// ----------------------------------------------------------------------------------------------

template <> struct Shape<Fix> {
  static constexpr const char* name = "fix";
  template <class V> static void fields(V&& v) {
    v("words", &Fix::words, "What to do, for a person");
    v("commands", &Fix::commands, "Shell commands that do it, in order; may be empty");
    v("verified", &Fix::verified, "The fix was simulated and its cause was gone");
    v("reach", &Fix::reach,
      "How far it reaches. shell: a variable or a file of this user; packages: of this Python "
      "environment; environment: another environment, container or job; system: needs root; "
      "driver: the kernel's driver, mostly with a restart; hardware: nothing that can be typed");
  }
};

template <> struct Shape<Plan> {
  static constexpr const char* name = "plan";
  template <class V> static void fields(V&& v) {
    v("steps", &Plan::steps, "Fixes to make, in order; none can be left out");
  }
};

template <> struct Shape<Cause> {
  static constexpr const char* name = "cause";
  template <class V> static void fields(V&& v) {
    v("id", &Cause::id, "Id of the cause, never used again for another one");
    v("slug", &Cause::slug, "Name of the fault");
    v("gate", &Cause::gate, "Gate of the route at which it stands");
    v("effect", &Cause::effect,
      "hides: the framework lists no GPU; breaks: it lists the GPU and fails when it uses it; "
      "slows: it uses the "
      "GPU, badly or late");
    v("title", &Cause::title, "The cause in general");
    v("summary", &Cause::summary, "The cause as it is here, with versions and paths");
    v("evidence", &Cause::evidence, "What speaks for it");
    v("fix", &Cause::fix, "How to mend it; null: no fix is known");
  }
};

template <> struct Shape<GateResult> {
  static constexpr const char* name = "gate";
  template <class V> static void fields(V&& v) {
    v("gate", &GateResult::gate, "Name of the gate");
    v("state", &GateResult::state, "Whether the program gets past it");
    v("reason", &GateResult::reason,
      "failed: ids of the causes; unknown: what was missing; passed: empty");
  }
};

template <> struct Shape<FrameworkVerdict> {
  static constexpr const char* name = "verdict";
  template <class V> static void fields(V&& v) {
    using F = FrameworkVerdict;
    v("framework", &F::framework, "Package name of the framework in question");
    v("installed", &F::installed, "The environment has such a package");
    v("version", or_null(&F::version),
      "Version of the framework; null: not installed, or not known");
    v("interpreter", or_null(&F::interpreter), "Python interpreter; null: none was found");
    v("environment", or_null(&F::environment), "Directory of the Python environment (sys.prefix)");
    v("environment_kind", or_null(&F::environment_kind),
      "system, venv, virtualenv, conda, pyenv, uv or other");
    v("python", or_null(&F::python_version), "Python version");
    v("program", or_null(&F::program),
      "File that it would run; null: no program was named, or it computes with another framework");
    v("selected", &F::selected, "The environment that the program, or a plain 'python', uses");
    v("verdict", &F::answer,
      "gpu: the framework will list a GPU (look at the causes' effects too); no_gpu: it will not; "
      "unknown: see "
      "'unknown'");
    v(
        "sentence", [](const F& each) { return answer_words(each); },
        "The answer in one sentence, without a full stop");
    v("causes", &F::causes, "The root cause first, then what would fail next");
    v("plan", &F::plan, "Fixes to make, in order");
    v("plan_reaches_gpu", &F::plan_reaches_gpu,
      "The whole plan was simulated, and then the GPU is used");
    v("alternatives", &F::alternatives,
      "Other plans, each simulated as a whole: then the GPU is used. The one that reaches least "
      "first");
    v("obstacle", or_null(&F::obstacle),
      "What nothing that is typed on this machine mends; null: no such thing was found");
    v("route", &F::route, "The gates in the order in which a program meets them");
    v("unknown", &F::unknown, "Facts that were missing and would have mattered");
    v("ruled_out", &F::ruled_out, "Causes that were looked for and are not there, and why");
  }
};

template <> struct Shape<GpuLine> {
  static constexpr const char* name = "gpu";
  template <class V> static void fields(V&& v) {
    v("name", &GpuLine::name, "Product name");
    v("compute_capability", or_null(&GpuLine::compute_capability),
      "CUDA's number of the architecture, as in 8.9");
    v(
        "memory",
        [](const GpuLine& gpu) {
          return gpu.memory > 0 ? std::optional<std::uint64_t>(gpu.memory) : std::nullopt;
        },
        "Bytes; null: not known");
    v("driver", or_null(&GpuLine::driver),
      "Version of the NVIDIA driver; null: none, or not known");
    v("cuda", or_null(&GpuLine::cuda), "Newest CUDA version that the driver supports");
  }
};

template <> struct Shape<PlaceLine> {
  static constexpr const char* name = "place";
  template <class V> static void fields(V&& v) {
    v("kind", &PlaceLine::kind, "kernel, service, process, root or variables");
    v("name", &PlaceLine::name, "Name of the kernel or unit, number of the process, path");
    v("origin", &PlaceLine::origin, "File or folder that tells what it is like");
    v("shell", &PlaceLine::shell,
      "What the same framework would do in this shell; null: not compared");
    v("loaded", &PlaceLine::loaded, "CUDA and driver libraries that a running process has mapped");
  }
};

template <> struct Shape<CodeFinding> {
  static constexpr const char* name = "finding";
  template <class V> static void fields(V&& v) {
    using F = CodeFinding;
    v("id", &F::id, "Id of the cause");
    v("slug", &F::slug, "Name of the fault");
    v("path", &F::path, "File");
    v("line", &F::line, "Line in the file, or in the cell");
    v("column", &F::column, "Column in characters, from 1");
    v("end_line", &F::end_line, "Last line");
    v("end_column", &F::end_column, "One past the last column");
    v(
        "cell",
        [](const F& finding) {
          return finding.cell > 0 ? std::optional<std::uint32_t>(finding.cell) : std::nullopt;
        },
        "Cell of a notebook, counted from 1; null: not a notebook");
    v("title", &F::title, "The cause in general");
    v("severity", &F::severity, "How bad it is where it stands");
    v("bearing", &F::bearing,
      "What it does to the verdict: note: nothing; hides: the model does not get to the GPU; "
      "breaks: the program fails when it reaches for the GPU");
    v("framework", or_null(&F::framework), "Whose work it bears on; null: any framework's");
    v("message", &F::message, "What is wrong at this place");
    v("fix", &F::fix, "The smallest change, in words");
    v("edit", &F::edit,
      "A replacement in the file's bytes that is safe to make; null: there is none");
    v("lines", &F::lines, "The source lines, at most three");
  }
};

template <> struct Shape<ProgramReport> {
  static constexpr const char* name = "program";
  template <class V> static void fields(V&& v) {
    using F = ProgramReport;
    v("path", &F::path, "The program, as it was named");
    v("entry", &F::entry, "File that is started, where a folder was named");
    v("files", &F::files, "Files that were read: the program, and what it imports of its project");
    v("frameworks", &F::frameworks, "What it computes with, the framework that does most first");
    v("notes", &F::notes, "What was odd about it, or has no effect");
  }
};

template <> struct Shape<LogCause> {
  static constexpr const char* name = "log_cause";
  template <class V> static void fields(V&& v) {
    using F = LogCause;
    v("id", &F::id, "Id of the cause that the log names");
    v("slug", &F::slug, "Name of the fault");
    v("summary", &F::summary, "The cause as the log has it");
    v(
        "line",
        [](const F& cause) {
          return cause.line > 0 ? std::optional<std::uint64_t>(cause.line) : std::nullopt;
        },
        "Line of the log; null: no single one");
    v("here", &F::here,
      "found: this machine and program show it too; ruled_out: they show that it is not there; "
      "open: they cannot show it either way");
    v("reason", or_null(&F::reason), "What rules it out here; null: nothing does");
  }
};

template <> struct Shape<LogReport> {
  static constexpr const char* name = "log";
  template <class V> static void fields(V&& v) {
    using F = LogReport;
    v("path", &F::path, "The log");
    v("says", &F::says, "What the log alone says");
    v("causes", &F::causes, "Causes that it names, the root first");
    v("contradictions", &F::contradictions,
      "What it says of its environment that is not so here; empty: it may be of this one");
  }
};

template <> struct Shape<Supposed> {
  static constexpr const char* name = "supposed";
  template <class V> static void fields(V&& v) {
    v("change", &Supposed::change, "The change as it was typed");
    v("outcome", &Supposed::outcome, "What it would do, or why nobody can tell; may be empty");
    v("told", &Supposed::told, "False: what it brings is in no table, and the answer is open");
  }
};

/// Beside the members of a report, whose verdicts are then those after the changes.
struct WhatIfMember {
  const std::vector<Supposed>* changes = nullptr;
  const std::vector<FrameworkVerdict>* before = nullptr;
};
template <> struct Shape<WhatIfMember> {
  static constexpr const char* name = "what_if";
  template <class V> static void fields(V&& v) {
    v(
        "changes", [](const WhatIfMember& each) { return *each.changes; },
        "What was supposed, in order");
    v(
        "before", [](const WhatIfMember& each) { return *each.before; },
        "The verdicts without the changes");
  }
};

struct CheckReport {
  const Verdict* verdict = nullptr;
  const LogReport* log = nullptr;
  std::optional<WhatIfMember> what_if;
};
template <> struct Shape<CheckReport> {
  static constexpr const char* name = "report";
  template <class V> static void fields(V&& v) {
    constexpr auto of = &CheckReport::verdict;
    v(
        "what_if", [](const CheckReport& each) { return Omitted<WhatIfMember>{each.what_if}; },
        "With --what-if only: 'verdicts' are then those after the changes");
    v("verdicts", through<of>(&Verdict::frameworks),
      "One for each framework installation, the selected environment's first");
    v("gpus", through<of>(&Verdict::gpus), "GPUs of this machine, as far as they can be seen");
    v("place", through<of>(&Verdict::place), "Where the program runs; null: in this shell");
    v("program", through<of>(&Verdict::program), "The program in question; null: none was named");
    v("findings", through<of>(&Verdict::findings), "What was found in the program's code");
    v("problems", through<of>(&Verdict::problems), "What could not be looked at");
    v(
        "log",
        [](const CheckReport& each) {
          return each.log != nullptr ? std::optional(*each.log) : std::nullopt;
        },
        "The log of --log, held against this; null: none was named");
  }
};

} // namespace shapes

using shapes::CheckReport;
using shapes::WhatIfMember;

std::string verdict_json(const Verdict& verdict, const LogReport* log) {
  return report_text("check", CheckReport{&verdict, log, {}});
}

std::string what_if_json(const WhatIf& what_if) {
  const WhatIfMember member{&what_if.changes, &what_if.before.frameworks};
  return report_text("check", CheckReport{&what_if.after, nullptr, member});
}

std::string report_schema() {
  return report_schema_of<CheckReport>("check",
                                       "gpuwhy check: will the GPU be used, and if not, why?");
}

} // namespace gpuwhy
