// Which GPUs to take: the freest of those that this process may use, and near each other where
// there are several. Pure.
#pragma once

#include "facts/facts.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// A GPU, or one MIG instance of it, that a program could be given.
struct Candidate {
  std::string uuid; // "GPU-..." or "MIG-..."
  int index = 0;    // of the GPU, in PCI order
  std::string name;
  bool mig = false;
  std::uint64_t memory_total = 0;
  std::uint64_t memory_free = 0;
  int utilization = 0; // percent; not told counts as none
  int temperature = 0;
  std::size_t processes = 0;
  int nvlinks = 0;
  std::vector<GpuNeighbour> neighbours;
  std::string refused; // why it must not be taken; empty: it may
};

struct Candidates {
  std::vector<Candidate> all; // in PCI order
  std::string
      bounds; // what limits the choice: "$CUDA_VISIBLE_DEVICES", "slurm job 17"; empty: nothing
  std::string problem; // why there are none
  bool open = false;   // of a problem: it could not be found out
};

/// The GPUs of the machine; those outside of CUDA_VISIBLE_DEVICES or of what a scheduler gave are
/// refused.
Candidates candidates_of(const Facts& facts);

struct PickWish {
  std::size_t count = 1;
  std::uint64_t min_free = 0;        // bytes that must be free on each
  bool same_node = false;            // all on one NUMA node
  bool by_index = false;             // MIG instances have no index
  std::vector<std::string> excluded; // numbers in PCI order, UUIDs or their beginnings
};

/// Names of `excluded` that no candidate has.
std::vector<std::string> unknown_names(const Candidates& candidates, const PickWish& wish);

struct Choice {
  std::vector<Candidate> chosen;    // in PCI order; empty: not enough
  std::vector<std::string> refused; // a line for each GPU that was not considered
  std::string why_not;              // of an empty choice
};

/// `claimed`: UUIDs that another pick has taken, and by whom.
Choice choose(const Candidates& candidates, const PickWish& wish,
              const std::map<std::string, std::string>& claimed);

} // namespace gpuwhy
