// Installations that no fix asks for, but a person who asks "what if" may: a PyTorch for another
// CUDA, a build without CUDA.
#pragma once

#include "facts/facts.h"
#include "knowledge/knowledge.h"

#include <string>
#include <string_view>

namespace gpuwhy::rules {

/// This build of PyTorch; nullptr: one of which nothing is known.
void put_torch_build(Facts& facts, std::string_view interpreter, std::string_view version,
                     const TorchBuild* release);
/// A build of "tensorflow", "jax" or "torch" without CUDA, in place of the one that is there.
void put_cpu_framework(Facts& facts, std::string_view interpreter, const std::string& name,
                       const std::string& distribution, std::string_view version);

} // namespace gpuwhy::rules
