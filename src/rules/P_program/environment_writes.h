// Environment variables that a program sets for itself, in the order in which it runs.
#pragma once

#include "program/module.h"

#include <string>
#include <vector>

namespace gpuwhy::rules {

struct EnvironmentWrite {
  std::string name;
  program::Value value;                  // unknown: not a constant
  program::NodeId at = program::kNoNode; // what a reader would edit: the assignment, the call
  program::NodeId where =
      program::kNoNode; // the node by which it is ordered (a call or an assignment)
  program::NodeId expression = program::kNoNode; // the value's expression
};

/// os.environ[...] = ..., .update(...), os.putenv: not setdefault, which yields to the user.
std::vector<EnvironmentWrite> environment_writes(const program::Module& module);

/// `CUDA_VISIBLE_DEVICES` of this value shows no GPU: empty, -1, or something that is no GPU at
/// all.
bool hides_every_gpu(const std::string& value);

} // namespace gpuwhy::rules
