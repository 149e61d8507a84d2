// The outcome of proving: what renderers see of `gpuwhy prove`. Plain values.
#pragma once

#include "facts/layer.h"
#include "verdict/verdict.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// One measured value, and what the link or chip can do.
struct Measure {
  std::string name; // "to_device"
  double value = 0;
  std::string unit; // "B/s", "FLOP/s", "s", "B", ""
  std::optional<double> limit;
  std::string limit_of; // "PCIe 5.0 x16"

  std::optional<double> fraction() const {
    if (!limit || *limit <= 0) return std::nullopt;
    return value / *limit;
  }
};

struct Rung {
  enum class State { passed, failed, skipped, not_reached };
  Layer layer = Layer::driver;
  State state = State::not_reached;
  std::string summary;               // one line: figures, or what failed
  std::vector<std::string> evidence; // of a failure: files, what a library printed
  std::vector<Measure> measures;
  std::vector<std::string> files; // opened for it
  LayerRun run;
};

/// The cause that explains the first failure.
struct Explanation {
  std::string id; // "L04"
  std::string slug;
  std::string title;
  std::string summary; // of this case, where the rules found it
  std::optional<Fix> fix;
  bool found_by_check = false; // false: it goes with the code of the failure; what is to look at
};

enum class Suspect { nobody, machine, libraries, program, unclear };

struct Proof {
  Effort effort = Effort::normal;
  std::string framework; // "tensorflow 2.18.0"; empty: none
  std::string environment;
  std::vector<Rung> rungs;
  std::optional<Layer> failed; // the first
  std::optional<Explanation> explanation;
  Suspect suspect = Suspect::unclear;
  std::string conclusion;
  std::vector<std::string> remarks;       // slow links, lanes that are missing
  Usable check = Usable::unknown;         // the verdict of check
  std::vector<std::string> check_causes;  // "F02 cpu-only-build: ..."
  std::vector<std::string> check_unknown; // what check lacked
};

} // namespace gpuwhy
