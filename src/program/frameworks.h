// What the frameworks' calls do: name a device, open the GPU, make a model, train it.
// Truth: the public APIs of TensorFlow 1 and 2, Keras 2 and 3, PyTorch and JAX.
#pragma once

#include "program/module.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::program {

struct Device {
  enum class Type { unknown, cpu, gpu, other };
  Type type = Type::unknown;
  std::optional<int> index;
  NodeId origin = kNoNode; // where it is written

  bool is_cpu() const { return type == Type::cpu; }
  bool is_gpu() const { return type == Type::gpu; }
};

/// "/job:worker/device:GPU:1", "cuda:1", "cpu".
Device parse_device(std::string_view text);
/// The device that an expression names: strings, torch.device(...), jax.devices("cpu")[0].
Device device_of(const Module& module, NodeId expression);
/// `jax.devices("cpu")` and the like name a list of devices of one type.
Device device_list(const Module& module, NodeId expression);

/// Words of an identifier: "buildUNet_model" is build, unet, model.
std::vector<std::string> words_of(std::string_view identifier);
bool has_word(std::string_view identifier, std::string_view word);
/// The name of a model, or of a function that makes or trains one.
bool names_model(std::string_view identifier);
/// "fit", "train_on_batch", "apply_gradients": a call that trains or runs a model.
bool names_work(std::string_view method);

/// A call that builds or loads a network, or a layer of it (embeddings and preprocessing put
/// aside).
bool makes_model(const Module& module, NodeId call);
/// A whole model, as opposed to a layer.
bool makes_whole_model(const Module& module, NodeId call);
/// A call after which TensorFlow's devices are fixed: tensors, models, datasets made of arrays,
/// strategies.
bool opens_tensorflow(const Module& module, NodeId call);
/// A call that initialises CUDA in this process, whatever the framework: CUDA_VISIBLE_DEVICES has
/// been read.
bool opens_cuda(const Module& module, NodeId call);

/// The node runs only on somebody's choice: a parameter, a parsed option, an environment variable,
/// the kind of machine, or the handler of an exception.
bool chosen(const Module& module, NodeId id);
/// The function says by its name that it is for the CPU (or for measuring).
bool named_for_cpu(std::string_view function_name);
bool named_for_measuring(std::string_view function_name);

/// Body of the `with` statements that `context` (a call) opens, directly or through a name.
std::vector<NodeId> bodies_of(const Module& module, NodeId context);
/// The text "cuda", "gpu" in code (not in comments): the author knows of the GPU.
bool mentions_gpu(const Module& module);

} // namespace gpuwhy::program
