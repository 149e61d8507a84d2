// Chains of tf.data calls, followed through names from their source to their consumer.
#pragma once

#include "program/module.h"

#include <string>
#include <vector>

namespace gpuwhy::rules {

/// One map of a chain.
struct MapStep {
  enum class Cost { trivial, unknown, costly };
  program::NodeId call = program::kNoNode;
  program::NodeId name = program::kNoNode; // the word "map", where a reader looks
  bool parallel = false;
  bool cached = false; // a cache follows
  Cost cost = Cost::unknown;
};

struct DatasetChain {
  std::vector<MapStep> maps;
  program::NodeId generator = program::kNoNode; // from_generator
  program::NodeId last = program::kNoNode;      // word of the last step
  program::NodeId batch = program::kNoNode;
  program::NodeId late_shuffle = program::kNoNode; // a shuffle behind the batch
  program::NodeId consumer = program::kNoNode;     // fit, iterator, for
  bool from_files = false;                         // made by a helper that prefetches by itself
  bool prefetched = false;
  bool cached = false; // behind the last map
  bool returned = false;
  bool derived = false; // another chain goes on from it
};

std::vector<DatasetChain> dataset_chains(const program::Module& module);

} // namespace gpuwhy::rules
