// Environment variables that a program sets for itself, in the order in which it runs.
#pragma once

#include "program/module.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

struct EnvironmentWrite {
  enum class Type { set, set_default, unset };
  Type type = Type::set;
  std::string name;
  program::Value value;                  // unknown: not a constant
  program::NodeId at = program::kNoNode; // what a reader would edit: the assignment, the call
  program::NodeId where =
      program::kNoNode; // the node by which it is ordered (a call or an assignment)
  program::NodeId expression = program::kNoNode; // the value's expression
};

/// os.environ[...] = ..., .update(...), os.putenv: not setdefault, which yields to the user.
std::vector<EnvironmentWrite> environment_writes(const program::Module& module);
/// Those, and setdefault, pop and del.
std::vector<EnvironmentWrite> environment_changes(const program::Module& module);

/// What runs at `node` reads the variable `name`, or has CUDA read it: a later write is too late.
/// Truth: the driver reads its variables at its first initialisation in the process, JAX and Keras
/// theirs when they are imported, the dynamic loader LD_LIBRARY_PATH before Python starts.
bool reads_variable(const program::Module& module, program::NodeId node, std::string_view name);

/// `CUDA_VISIBLE_DEVICES` of this value shows no GPU: empty, -1, or something that is no GPU at
/// all.
bool hides_every_gpu(const std::string& value);

} // namespace gpuwhy::rules
