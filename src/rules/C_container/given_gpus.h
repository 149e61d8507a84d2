// What was this container given, what was asked for it, and how is it started with a GPU?
#pragma once

#include "rules/rule.h"

#include <string>

namespace gpuwhy::rules {

/// "this Docker container".
std::string container_text(const Facts& facts);
/// /dev/nvidiactl or a GPU's node, usable or not.
bool has_gpu_nodes(const Facts& facts);
/// The container's control group refuses the nodes that it shows.
const DeviceNode* refused_node(const Facts& facts);
/// NVIDIA_VISIBLE_DEVICES names GPUs one by one. "all" proves nothing: CUDA's base images set it.
bool names_gpus(const Facts& facts);
/// Neither mounted nor in the image: no libcuda.so.1 of a driver.
bool lacks_libcuda(const Case& c);

/// Starts it anew with every GPU, in the words of what started it.
Edit start_with_gpus(const Facts& facts);
/// The container's driver works, as the host's module tells its version; empty where it does not.
std::function<void(Facts&)> given(const Facts& facts);

} // namespace gpuwhy::rules
