// A cause is one file: a `Rule` with its texts and its check. A check is pure: it reads a Case and
// answers found, clear or unknown. It prints nothing and opens nothing.
//
//   Outcome check(const Case& c) {
//     const auto& gpus = c.facts.hardware.gpus;
//     if (gpus.open()) return Outcome::unknown("PCI devices: " + gpus.reason());
//     if (has_nvidia(gpus.value())) return Outcome::clear("NVIDIA GPU on the PCI bus");
//     return Outcome::found("no GPU on the PCI bus").because("0 display controllers",
//     gpus.source());
//   }
#pragma once

#include "facts/differences.h"
#include "facts/edit.h"
#include "facts/facts.h"
#include "loader/search.h"
#include "verdict/verdict.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

namespace use {
struct RunStatistics; // use/statistics.h
}

/// One library that the framework opens, and the loader's answer.
struct LibraryNeed {
  std::string soname;   // "libcudnn.so.9"
  std::string product;  // "cudnn", "cudart", "cublas", "cublasLt", "cufft", "curand", "cusolver",
                        // "cusparse", ...
  bool required = true; // without it the GPU is not listed; else what uses it fails
  loader::Found found;
};

/// What is judged: one framework installation (or its absence) on one machine.
struct Case {
  const Facts& facts;
  std::string wanted = "tensorflow";         // the framework in question
  const PythonEnvironment* python = nullptr; // none: no interpreter was found
  const Framework* framework = nullptr;      // none: not installed there; of Keras: its backend
  std::vector<LibraryNeed> libraries = {};   // in the order of opening; empty: not a CUDA build
  loader::Found libcuda = {};                // dlopen("libcuda.so.1") from the framework's opener
  std::optional<loader::Found> libnvidia_ml =
      {};                           // likewise; nothing: this framework does not open it
  const Framework* keras = nullptr; // the Keras in question, on top of `framework`
  std::string backend = {};         // of Keras: "tensorflow", "jax", "torch", "openvino", ...
  /// The shell would use the GPU, the place of the program does not: what makes the difference,
  /// nothing of which can be left out.
  std::vector<Difference> decisive = {};

  /// Whose build is asked: the framework, or the backend of Keras.
  std::string_view kind() const { return keras == nullptr ? wanted : backend; }
  const FrameworkBuild* build() const {
    return framework == nullptr ? nullptr : framework->build.get();
  }
  /// The driver itself answered cuInit with success and at least one device (visibility put aside).
  bool driver_answers() const {
    const auto* probe = facts.observed.cuda_unhidden.get();
    return probe != nullptr && probe->init == 0 && probe->count > 0;
  }
  /// The framework needs NVML too, and it is known not to be found or not to start.
  bool management_fails() const {
    if (!libnvidia_ml) return false;
    const auto outcome = libnvidia_ml->outcome;
    if (outcome != loader::Outcome::found && outcome != loader::Outcome::unknown) return true;
    const auto* probe = facts.observed.nvml.get();
    return probe != nullptr && (probe->init != 0 || !probe->load_error.empty());
  }
  const LibraryNeed* library(std::string_view product) const {
    for (const auto& need : libraries) {
      if (need.product == product) return &need;
    }
    return nullptr;
  }
};

class Outcome {
public:
  enum class State { found, clear, unknown, not_applicable };

  /// The cause is there; `summary` is the sentence of this case, without a full stop.
  static Outcome found(std::string summary) { return {State::found, std::move(summary)}; }
  /// Looked, and it is not the cause; `reason` says what ruled it out.
  static Outcome clear(std::string reason) { return {State::clear, std::move(reason)}; }
  /// Could not tell; `missing` names the fact that would settle it.
  static Outcome unknown(std::string missing) { return {State::unknown, std::move(missing)}; }
  /// The question does not arise (a CUDA library for a CPU build).
  static Outcome not_applicable() { return {State::not_applicable, {}}; }

  Outcome&& because(std::string seen, Source source = {}) && {
    evidence.push_back({std::move(seen), std::move(source)});
    return std::move(*this);
  }
  /// Cheapest and least invasive first; the first is the fix that is shown.
  Outcome&& mend(Edit edit) && {
    edits.push_back(std::move(edit));
    return std::move(*this);
  }
  /// Overrides the rule's effect in this case.
  Outcome&& with_effect(Effect value) && {
    effect = value;
    return std::move(*this);
  }

  State state = State::unknown;
  std::string text;
  std::vector<Evidence> evidence;
  std::vector<Edit> edits;
  std::optional<Effect> effect;

private:
  Outcome(State s, std::string t) : state(s), text(std::move(t)) {}
};

namespace program {
struct Unit;
}
namespace lint {
class Report;
}

struct Rule {
  std::string_view id;    // "L03", as in causes.md; never re-used
  std::string_view slug;  // "cudnn-missing": names the fault, not the remedy
  std::string_view title; // one line, sentence case, no full stop
  std::string_view since; // gpuwhy version that introduced it
  Gate gate;
  Effect effect = Effect::hides;
  /// A driver that starts proves that this is not the cause: the judge does not ask.
  bool settled_by_driver = false;
  /// Says that something fails, not why: any named cause at its gate or before explains it.
  bool last_resort = false;
  std::string_view explanation; // Markdown: what it is, why it happens
  std::string_view fix;         // Markdown: how it is mended in general
  std::string_view references;  // Markdown list of links, or empty
  /// Ids at any gate that are mere consequences of this one: they are dropped when this is found.
  std::span<const std::string_view> explains;
  /// Before the program runs; nothing for a cause that no fact of a machine can settle.
  Outcome (*check)(const Case&) = nullptr;
  /// Finds the cause in a program or a project file (rules/report.h); nothing where it cannot be
  /// seen there.
  void (*lint)(const program::Unit&, lint::Report&) = nullptr;
  /// After a run was observed; nothing where a run does not show this cause.
  Outcome (*check_run)(const use::RunStatistics&) = nullptr;
};

/// All rules, sorted by id. Generated at build time from the files in this folder.
std::span<const Rule* const> all_rules();
/// Nothing for an unknown id or slug; letters' case does not matter.
const Rule* find_rule(std::string_view id_or_slug);

} // namespace gpuwhy
