// The outcome of judging: what renderers see. Plain values, no rule and no fact behind them.
#pragma once

#include "facts/code_finding.h"
#include "facts/fact.h"
#include "verdict/gate.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// What a cause does to the program.
enum class Effect {
  hides,  // the framework does not list the GPU and runs on the CPU
  breaks, // the framework lists the GPU and fails when it uses it
  slows,  // the GPU is used, badly or late
};

/// One observation that speaks for a cause, and where it was seen.
struct Evidence {
  std::string text;
  Source source;
};

/// How far a fix reaches. Of several that serve, the one that reaches least comes first.
enum class Reach {
  shell,       // a variable, or a file of this user: undone by one line
  packages,    // packages of one Python environment
  environment, // another environment, container or job; what is there stays as it is
  system,      // the system's files: needs root
  driver,      // the kernel's driver, mostly with a restart
  hardware,    // nothing that can be typed
};

struct Fix {
  std::string words;                 // "remove /usr/local/cuda-11.8/lib64 from LD_LIBRARY_PATH"
  std::vector<std::string> commands; // what to type; may be empty
  bool verified = false;             // applied to the facts and judged again: this cause is gone
  Reach reach = Reach::shell;
};

/// Steps after which the answer is gpu: all of them made on the facts and judged again, and none of
/// them can be left out.
struct Plan {
  std::vector<Fix> steps;
};

struct Cause {
  std::string id;   // "L04"
  std::string slug; // "cudnn-version-mismatch"
  Gate gate = Gate::hardware;
  Effect effect = Effect::hides;
  std::string title;   // of the rule: general
  std::string summary; // of this case: names the versions and paths
  std::vector<Evidence> evidence;
  std::optional<Fix> fix;
};

struct GateResult {
  enum class State { passed, failed, unknown };
  Gate gate = Gate::hardware;
  State state = State::unknown;
  std::string reason;             // for failed: ids; for unknown: what was missing
  std::vector<Evidence> evidence; // what let it pass or fail
};

enum class Usable { gpu, no_gpu, unknown };

/// One framework installation in one environment.
struct FrameworkVerdict {
  std::string framework;        // "tensorflow"; also when it is not installed
  bool installed = false;       // there is such a package in the environment
  std::string version;          // empty: not installed or not known
  std::string backend;          // of Keras: "jax"; else empty
  std::string interpreter;      // path; empty: no interpreter
  std::string environment;      // directory of the environment
  std::string environment_kind; // "venv", "conda", ...
  std::string python_version;
  std::string program;   // the file that it would run; empty: no program was named, or another
                         // framework runs it
  bool selected = false; // the one that the program or a plain `python` would use
  Usable answer = Usable::unknown;
  std::vector<Cause> causes; // root first, then what would fail next
  std::vector<Fix> plan;     // the way that reaches least; as far as it goes if none ends in gpu
  bool plan_reaches_gpu = false;
  std::vector<Plan> alternatives; // other ways to the GPU, the one that reaches least first
  std::string obstacle;           // what nothing that is typed here mends; empty: no such thing
  std::vector<GateResult> route;
  std::vector<std::string> unknown; // facts that were missing and would have mattered
  std::vector<std::string>
      ruled_out; // "L04 cudnn-version-mismatch: cuDNN 9.3.0 found, 9.3.0 needed"
};

/// One line for the reader about a GPU of this machine.
struct GpuLine {
  std::string name;
  std::string compute_capability; // "8.9"; empty: not known
  std::uint64_t memory = 0;       // bytes; 0: not known
  std::string driver;             // "550.54.14"; empty: none
  std::string cuda;               // CUDA version of the driver, "12.4"; empty: not known
};

/// Where the program runs, if not in the shell.
struct PlaceLine {
  std::string kind;                // "kernel", "service", "process", "root", "variables"
  std::string name;                // of the kernel or unit, number of the process, path
  std::string origin;              // file or folder that tells what it is like
  std::optional<Usable> shell;     // what the shell's own Python would do; nothing: not compared
  std::vector<std::string> loaded; // CUDA libraries that a running process has mapped
};

/// The program in question, as it was read.
struct ProgramReport {
  std::string path;                    // as the user named it
  std::string entry;                   // the file that is started
  std::vector<std::string> files;      // that it consists of, as far as they were read
  std::vector<std::string> frameworks; // that it computes with, the one that does most first
  std::vector<std::string> notes;
};

struct Verdict {
  std::vector<FrameworkVerdict> frameworks; // the selected environment's first; of a program's
                                            // frameworks the one that does most
  std::vector<GpuLine> gpus;
  std::optional<PlaceLine> place;
  std::optional<ProgramReport> program;
  std::vector<CodeFinding> findings; // in the program
  std::vector<std::string> problems; // what could not be looked at
};

} // namespace gpuwhy
