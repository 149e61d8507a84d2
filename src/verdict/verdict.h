// The outcome of judging: what renderers see. Plain values, no rule and no fact behind them.
#pragma once

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

struct Fix {
  std::string words;                 // "remove /usr/local/cuda-11.8/lib64 from LD_LIBRARY_PATH"
  std::vector<std::string> commands; // what to type; may be empty
  bool verified = false;             // applied to the facts and judged again: this cause is gone
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
  bool selected = false; // the one that the program or a plain `python` would use
  Usable answer = Usable::unknown;
  std::vector<Cause> causes; // root first, then what would fail next
  std::vector<Fix> plan;     // steps after which the answer is gpu; empty: none was found
  bool plan_reaches_gpu = false;
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

struct Verdict {
  std::vector<FrameworkVerdict> frameworks; // the selected environment's first
  std::vector<GpuLine> gpus;
  std::optional<PlaceLine> place;
  std::vector<std::string> problems; // what could not be looked at
};

} // namespace gpuwhy
