// From what the layers did to a ladder for a reader: ticks with measured figures, the first layer that
// fails, what explains it, and where the fault lies. Pure.
#pragma once

#include "facts/facts.h"
#include "prove/layer.h"
#include "prove/libraries.h"
#include "verdict/verdict.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// One measured value, and what the link or chip can do.
struct Measure {
  std::string name;  // "to_device"
  double value = 0;
  std::string unit;  // "B/s", "FLOP/s", "s", "B", ""
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
  std::string summary;                // one line: figures, or what failed
  std::vector<std::string> evidence;  // of a failure: files, what a library printed
  std::vector<Measure> measures;
  std::vector<std::string> files;     // opened for it
  LayerRun run;
};

/// The cause that explains the first failure.
struct Explanation {
  std::string id;   // "L04"
  std::string slug;
  std::string title;
  std::string summary;           // of this case, where the rules found it
  std::optional<Fix> fix;
  bool found_by_check = false;   // false: it goes with the code of the failure; what is to look at
};

enum class Suspect { nobody, machine, libraries, program, unclear };

struct Proof {
  Effort effort = Effort::normal;
  std::string framework;            // "tensorflow 2.18.0"; empty: none
  std::string environment;
  std::vector<Rung> rungs;
  std::optional<Layer> failed;      // the first
  std::optional<Explanation> explanation;
  Suspect suspect = Suspect::unclear;
  std::string conclusion;
  std::vector<std::string> remarks; // slow links, lanes that are missing
  Usable check = Usable::unknown;   // the verdict of check
  std::vector<std::string> check_causes; // "F02 cpu-only-build: ..."
  std::vector<std::string> check_unknown; // what check lacked
};

/// `runs` in the order of running; a layer without a run was not reached.
Proof prove(const Facts& facts, const Case& subject, const FrameworkVerdict& verdict, Effort effort,
            int ordinal, const std::map<Layer, LibraryChoice>& libraries, const std::vector<LayerRun>& runs);

/// The driver's layer, where asking cuInit for the facts has already hung or crashed: nobody waits twice.
std::optional<LayerRun> failed_already(const Facts& facts);

/// Before any work: why the GPU should be left alone. Empty: nothing speaks against it.
struct Objection {
  std::string reason;  // "GPU 0 is in exclusive-process mode and process 4711 has it"
  bool may_ask = false; // a person may overrule it
};
std::optional<Objection> objection_to(const NvmlDevice* device, std::uint64_t memory_limit);

/// The GPU of NVML with this CUDA ordinal; nullptr where they cannot be matched.
const NvmlDevice* nvml_device(const Facts& facts, int ordinal);

/// "512 MiB", "78.7 GiB"; "55.2 GB/s"; "4.1 ms".
std::string bytes_words(double bytes);
std::string rate_words(double per_second, std::string_view unit);
std::string time_words(double seconds);

/// The measures of a layer that passed, and a line made of them.
std::vector<Measure> measures_of(const LayerRun& run, const std::vector<LayerRun>& all, const NvmlDevice* device);
std::string summary_of(const LayerRun& run, const std::vector<Measure>& measures);

} // namespace gpuwhy
