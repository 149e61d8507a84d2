// tensorflow/python/platform/build_info.py: what TensorFlow's own build wrote about itself
// (generator: tensorflow/tools/build_info/gen_build_info.py). One assignment of an OrderedDict
// since 2.3, plain variables before.
#pragma once

#include "facts/python.h"

#include <string_view>

namespace gpuwhy {

/// Fills cuda, rocm, cuda_version, cudnn_version and compute_capabilities. False if `text` says
/// nothing of the kind; then nothing is changed.
bool read_build_info(std::string_view text, const std::string& path, FrameworkBuild& build);

} // namespace gpuwhy
