#include "prove/ladder.h"

#include "base/amount.h"
#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr double kSlowLink = 0.35;   // of the link's limit, in one direction
constexpr double kSlowMemory = 0.3;  // of the memory's limit
constexpr double kSlowMatrix = 0.15; // of the chip's limit; GeForce reach half of it by design
constexpr std::uint64_t kBusyMemory = 1ULL << 30U;
constexpr int kBusyPercent = 10;
constexpr int kOutOfMemory = 2;

std::string code_words(const LayerRun& run) {
  std::string words = run.code_name.empty() ? run.api + " error " + std::to_string(run.code)
                                            : run.code_name + " (" + std::to_string(run.code) + ")";
  if (!run.text.empty() && run.text != run.code_name) words += ": " + run.text;
  return words;
}

/// One line: what was called, and what came of it.
std::string failure_words(const LayerRun& run) {
  const auto where = run.step.empty() ? std::string(text_of(run.layer).title) : run.step;
  switch (run.state) {
  case LayerRun::State::timed_out: return run.text;
  case LayerRun::State::crashed: return "the process ended with " + run.ended_by;
  case LayerRun::State::not_started: return run.text;
  default: return where + ": " + (run.api.empty() ? run.text : code_words(run));
  }
}

Rung rung_of(const LayerRun& run, const std::vector<LayerRun>& all, const NvmlDevice* device,
             const LibraryChoice* library) {
  Rung rung;
  rung.layer = run.layer;
  rung.run = run;
  if (library != nullptr) rung.files = library->files;
  switch (run.state) {
  case LayerRun::State::passed:
    rung.state = Rung::State::passed;
    rung.measures = measures_of(run, all, device);
    rung.summary = summary_of(run, rung.measures);
    return rung;
  case LayerRun::State::skipped:
    rung.state = Rung::State::skipped;
    rung.summary = run.text;
    return rung;
  default: break;
  }
  rung.state = Rung::State::failed;
  rung.summary = failure_words(run);
  if (!rung.files.empty()) rung.evidence.push_back(rung.files.back());
  for (const auto& detail : run.details) rung.evidence.push_back(detail);
  for (const auto line : split_lines(run.said)) {
    if (!trim(line).empty() && rung.evidence.size() < 8)
      rung.evidence.push_back(printable(trim(line)));
  }
  return rung;
}

/// A library that the framework asks for and will not get fails without being tried.
std::optional<Rung> rung_of_choice(Layer layer, const LibraryChoice& choice) {
  Rung rung;
  rung.layer = layer;
  if (!choice.missing.empty()) {
    rung.state = Rung::State::failed;
    rung.summary = choice.missing;
    return rung;
  }
  if (choice.files.empty()) {
    rung.state = Rung::State::skipped;
    rung.summary = choice.not_asked;
    return rung;
  }
  return std::nullopt;
}

bool bears_on(Gate gate, Layer layer) {
  switch (layer) {
  case Layer::driver:
  case Layer::device: return gate <= Gate::libcuda || gate == Gate::visibility;
  case Layer::context:
  case Layer::memory: return gate <= Gate::libcuda || gate == Gate::capacity;
  case Layer::kernel: return gate <= Gate::libcuda || gate == Gate::architecture;
  case Layer::peer: return gate <= Gate::access;
  case Layer::training: return false;
  default: return gate == Gate::libraries;
  }
}

Explanation explanation_of(const Cause& cause) {
  Explanation explanation;
  explanation.id = cause.id;
  explanation.slug = cause.slug;
  explanation.title = cause.title;
  explanation.summary = cause.summary;
  explanation.fix = cause.fix;
  explanation.found_by_check = true;
  return explanation;
}

/// "libcusparse.so.12" of "libcusparse.so.12: cannot open shared object file"; else nothing.
std::string named_library(const LayerRun& run) {
  const auto name = std::string(base_name(run.text.substr(0, run.text.find(':'))));
  return run.step == "dlopen" && name.starts_with("lib") ? lower(name) : std::string();
}

std::optional<Explanation> explain_by_check(const Rung& rung, const LibraryChoice* library,
                                            const FrameworkVerdict& verdict) {
  const auto name = std::string(text_of(rung.layer).name);
  for (const auto& cause : verdict.causes) {
    if (!bears_on(cause.gate, rung.layer)) continue;
    if (library == nullptr) return explanation_of(cause);
    const auto words =
        lower(cause.summary + " " + (cause.evidence.empty() ? "" : cause.evidence.front().text));
    const auto needed = named_library(rung.run);
    if (contains(words, name) || (!needed.empty() && contains(words, needed)) ||
        (!library->soname.empty() && contains(words, lower(library->soname)))) {
      return explanation_of(cause);
    }
  }
  return std::nullopt;
}

/// The causes that a code is known for, likeliest first. Source: the rules' own texts.
std::optional<Explanation> explain_by_code(const LayerRun& run) {
  struct Known {
    std::string_view api;
    int code;
    std::vector<std::string_view> rules;
  };
  static const std::vector<Known> kKnown = {
      {"cuda", 2, {"R01"}},     {"cuda", 34, {"L08"}},         {"cuda", 46, {"H13"}},
      {"cuda", 101, {"E02"}},   {"cuda", 209, {"H12", "H11"}}, {"cuda", 214, {"H07"}},
      {"cuda", 222, {"H10"}},   {"cuda", 802, {"H14"}},        {"cuda", 803, {"H17", "H05"}},
      {"cuda", 804, {"H17"}},   {"cuda", 999, {"H09"}},        {"cudart", 2, {"R01"}},
      {"cudart", 35, {"H10"}},  {"cudnn", 1002, {"L04"}},      {"cudnn", 1008, {"L03"}},
      {"cudnn", 3009, {"L03"}},
  };
  for (const auto& known : kKnown) {
    if (known.api != run.api || known.code != run.code) continue;
    for (const auto id : known.rules) {
      if (const Rule* rule = find_rule(id)) {
        Explanation explanation;
        explanation.id = rule->id;
        explanation.slug = rule->slug;
        explanation.title = rule->title;
        return explanation;
      }
    }
  }
  return std::nullopt;
}

/// The GPU's memory: starting the driver takes none of it, but memory of the host.
bool is_memory_full(const LayerRun& run) {
  return run.layer != Layer::driver && (run.api == "cuda" || run.api == "cudart") &&
         run.code == kOutOfMemory;
}

std::string highest_passed(const Proof& proof) {
  std::string name;
  for (const auto& rung : proof.rungs) {
    if (rung.state == Rung::State::failed) break;
    if (rung.state == Rung::State::passed) name = text_of(rung.layer).title;
  }
  return name;
}

std::string owners(const NvmlDevice* device) {
  if (device == nullptr || !device->processes.known() || device->processes.value().empty())
    return {};
  std::vector<std::string> pids;
  for (const auto& process : device->processes.value()) {
    if (pids.size() < 4) pids.push_back(std::to_string(process.pid));
  }
  return (pids.size() == 1 ? " process " : " processes ") + join(pids, ", ");
}

bool is_busy(const NvmlDevice& device) {
  return !owners(&device).empty() || device.memory_used.value_or(0) > kBusyMemory ||
         device.utilization.value_or(0) > kBusyPercent;
}

std::string by_explanation(const Proof& proof) {
  if (!proof.explanation || !proof.explanation->found_by_check) return {};
  return ": " + proof.explanation->summary;
}

void conclude_failure(Proof& proof, const Rung& rung, const NvmlDevice* device, Gate gate) {
  const auto title = std::string(text_of(rung.layer).title);
  const auto fine = highest_passed(proof);
  const auto up_to = fine.empty() ? std::string() : "the machine is fine up to " + fine + "; ";
  const auto place = proof.environment.empty() ? std::string() : " in " + proof.environment;
  if (is_memory_full(rung.run)) {
    proof.suspect = Suspect::machine;
    const auto who = owners(device);
    proof.conclusion = up_to + "the GPU's memory is full" + (who.empty() ? "" : ", taken by" + who);
  } else if (rung.layer == Layer::driver && rung.run.api == "cuda" &&
             rung.run.code == kOutOfMemory) {
    proof.suspect = Suspect::program;
    proof.conclusion = "the driver does not get enough of the host's memory: look at 'ulimit -v' "
                       "and at the limits of the container";
  } else if (gate == Gate::visibility) {
    proof.suspect = Suspect::program;
    proof.conclusion = "the environment of this process hides the GPU" + by_explanation(proof);
  } else if (is_library(rung.layer)) {
    proof.suspect = Suspect::libraries;
    proof.conclusion = up_to + "the fault is in " + title +
                       (proof.framework.empty() ? "" : " as " + proof.framework + " gets it") +
                       place + by_explanation(proof);
  } else {
    proof.suspect = rung.layer == Layer::training ? Suspect::unclear : Suspect::machine;
    proof.conclusion = up_to + "the fault is in the machine, not in Python: " + title + " fails" +
                       by_explanation(proof);
  }
}

void conclude_success(Proof& proof) {
  const auto what = proof.framework.empty() ? std::string("the framework") : proof.framework;
  switch (proof.check) {
  case Usable::gpu:
    proof.suspect = Suspect::nobody;
    proof.conclusion = "the machine and the libraries work, and 'gpuwhy check' expects " + what +
                       " to use the GPU";
    break;
  case Usable::no_gpu:
    proof.suspect = Suspect::program;
    proof.conclusion = "the machine is fine; the fault is in the Python environment";
    if (!proof.check_causes.empty()) proof.conclusion += ": " + proof.check_causes.front();
    break;
  case Usable::unknown:
    proof.suspect = Suspect::unclear;
    proof.conclusion =
        "the machine is fine; 'gpuwhy check' could not tell whether " + what + " will use the GPU";
    break;
  }
}

void remark_on_speed(Proof& proof, const NvmlDevice* device) {
  const auto slow = [&](const Measure& measure, double least, std::string_view what) {
    const auto fraction = measure.fraction();
    if (!fraction || *fraction >= least) return;
    proof.remarks.push_back(std::string(what) + ": " + rate_words(measure.value, measure.unit) +
                            ", " + std::to_string(static_cast<int>(*fraction * 100)) + " % of " +
                            measure.limit_of);
  };
  if (proof.effort != Effort::quick) { // quick ones are too short to be a measure
    for (const auto& rung : proof.rungs) {
      for (const auto& measure : rung.measures) {
        if (measure.name == "to_device") slow(measure, kSlowLink, "copies to the GPU are slow");
        if (measure.name == "from_device") slow(measure, kSlowLink, "copies from the GPU are slow");
        if (measure.name == "on_device") slow(measure, kSlowMemory, "the GPU's memory is slow");
        if (measure.name.ends_with("_product"))
          slow(measure, kSlowMatrix, "matrix products are slow");
      }
    }
  }
  if (device == nullptr) return;
  const auto most = device->pcie_lanes.value_or(0);
  const auto now = device->pcie_lanes_now.value_or(most);
  if (now < most) {
    proof.remarks.push_back("the GPU's link runs with " + std::to_string(now) + " of " +
                            std::to_string(most) + " PCIe lanes");
  }
}

Rung rung_for(const LayerText& each, const NvmlDevice* device,
              const std::map<Layer, LibraryChoice>& libraries, const std::vector<LayerRun>& runs) {
  const auto found = libraries.find(each.layer);
  const LibraryChoice* library = found == libraries.end() ? nullptr : &found->second;
  for (const auto& run : runs) {
    if (run.layer == each.layer) return rung_of(run, runs, device, library);
  }
  Rung rung;
  rung.layer = each.layer;
  return rung;
}

} // namespace

const NvmlDevice* nvml_device(const Facts& facts, int ordinal) {
  const auto* cuda = facts.observed.cuda.get();
  const auto* nvml = facts.observed.nvml.get();
  if (cuda == nullptr || nvml == nullptr) return nullptr;
  for (const auto& device : cuda->devices) {
    if (device.ordinal != ordinal) continue;
    for (const auto& other : nvml->devices) {
      const bool same = !device.pci.empty() ? device.pci == other.pci
                                            : !device.uuid.empty() && device.uuid == other.uuid;
      if (same) return &other;
    }
  }
  return nullptr;
}

bool is_idle(const NvmlDevice* device) {
  return device != nullptr && device->compute_mode.known() && device->compute_mode.value() == 0 &&
         !is_busy(*device);
}

std::optional<LayerRun> failed_already(const Facts& facts) {
  const auto& cuda = facts.observed.cuda;
  if (cuda.state() != Fact<CudaProbe>::State::unknown) return std::nullopt;
  LayerRun run;
  run.layer = Layer::driver;
  run.state = LayerRun::State::failed;
  run.step = "cuInit";
  run.text = cuda.reason();
  return run;
}

std::optional<Objection> objection_to(const NvmlDevice* device, std::uint64_t memory_limit) {
  if (device == nullptr) return std::nullopt;
  const auto name = "GPU " + std::to_string(device->index);
  const auto mode = device->compute_mode.value_or(0);
  const bool has_processes = !owners(device).empty();
  if ((mode == 1 || mode == 3) && has_processes) {
    return Objection{name + " is in exclusive mode and" + owners(device) + " has it", false};
  }
  if (is_busy(*device) && memory_limit > kBusyMemory) {
    return Objection{name + " is busy" +
                         (has_processes ? " with" + owners(device) : std::string()) +
                         ", and up to " + bytes_words(static_cast<double>(memory_limit)) +
                         " of its memory would be taken",
                     true};
  }
  return std::nullopt;
}

Proof prove(const Facts& facts, const Case& subject, const FrameworkVerdict& verdict, Effort effort,
            int ordinal, const std::map<Layer, LibraryChoice>& libraries,
            const std::vector<LayerRun>& runs) {
  Proof proof;
  proof.effort = effort;
  if (subject.framework != nullptr) {
    proof.framework = subject.framework->name;
    if (subject.framework->version.known())
      proof.framework += " " + subject.framework->version.value();
  }
  if (subject.python != nullptr) proof.environment = subject.python->prefix;
  proof.check = verdict.answer;
  proof.check_unknown = verdict.unknown;
  for (const auto& cause : verdict.causes)
    proof.check_causes.push_back(cause.id + " " + cause.slug + ": " + cause.summary);
  const auto* device = nvml_device(facts, ordinal);
  bool broken = false;
  for (const auto& each : kLayers) {
    const auto found = libraries.find(each.layer);
    Rung rung = rung_for(each, device, libraries, runs);
    if (rung.state == Rung::State::not_reached && found != libraries.end() && !broken) {
      if (auto chosen = rung_of_choice(each.layer, found->second)) rung = std::move(*chosen);
    }
    if (rung.state == Rung::State::failed) {
      if (!proof.failed) proof.failed = each.layer;
      broken = broken || is_foundation(each.layer);
    }
    proof.rungs.push_back(std::move(rung));
  }
  if (proof.failed) {
    const auto& rung = proof.rungs[static_cast<std::size_t>(*proof.failed)];
    const auto found = libraries.find(*proof.failed);
    proof.explanation =
        explain_by_check(rung, found == libraries.end() ? nullptr : &found->second, verdict);
    if (!proof.explanation) proof.explanation = explain_by_code(rung.run);
    Gate gate = Gate::use;
    if (proof.explanation && proof.explanation->found_by_check) {
      if (const Rule* rule = find_rule(proof.explanation->id)) gate = rule->gate;
    }
    conclude_failure(proof, rung, device, gate);
  } else if (std::none_of(proof.rungs.begin(), proof.rungs.end(),
                          [](const Rung& rung) { return rung.state == Rung::State::passed; })) {
    proof.conclusion = "nothing was tried";
  } else {
    conclude_success(proof);
  }
  remark_on_speed(proof, device);
  return proof;
}

} // namespace gpuwhy
