// What a framework does with the dynamic loader before it has a GPU, step by step. Truth: for
// TensorFlow docs/tensorflow_loading_observed.md; for JAX jax_plugins/cuda/__init__.py and
// jax/_src/xla_bridge.py of 0.4.17 to 0.11.0; for PyTorch torch/__init__.py of 2.6 and 2.11 and the
// DT_NEEDED entries of their libraries.
#pragma once

#include "rules/rule.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

struct Opening {
  loader::Request request;
  std::string product;    // empty: not asked for by name, but it stays in the process (a preload)
  bool required = true;   // without it the GPU is not listed; else it is opened at its first use
  bool at_import = false; // else when GPUs are listed, or later
};

/// "libcudart.so.12", "libcudnn.so.9": a name of CUDA's or of what belongs to it, but not the
/// driver's.
bool is_cuda_name(std::string_view name);
/// In order. `subject` needs its framework, python and facts.
std::vector<Opening> openings_of(const Case& subject);
/// What PyTorch does if its first library does not load: NVIDIA's wheels by full path, wherever
/// sys.path has them.
std::vector<Opening> second_attempt(const Case& subject);

} // namespace gpuwhy
