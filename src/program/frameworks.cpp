#include "program/frameworks.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::program {
namespace {

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr auto kModelWords = std::to_array<std::string_view>(
    {"model",      "mdl",       "net",         "network",       "cnn",          "rnn",
     "lstm",       "gru",       "gan",         "vae",           "unet",         "resnet",
     "resnet50",   "densenet",  "vgg",         "vgg16",         "vgg19",        "bert",
     "gpt",        "gpt2",      "transformer", "encoder",       "decoder",      "autoencoder",
     "classifier", "clf",       "generator",   "discriminator", "detector",     "segmenter",
     "regressor",  "predictor", "learner",     "agent",         "actor",        "critic",
     "policy",     "yolo",      "xception",    "mobilenet",     "efficientnet", "inception",
     "backbone",   "tower",     "translator",  "recognizer",    "seq2seq",      "tagger",
     "embedder",   "llm",       "vit",         "mlp",           "dnn",          "estimator",
     "nn",         "ae",        "reranker",    "denoiser",      "diffusion",    "perceptron",
     "forecaster"});

/// Beside a model word these say that something else is meant.
constexpr auto kOtherWords = std::to_array<std::string_view>(
    {"path",  "dir",        "file",   "name",         "data",   "dataset",  "loader",
     "input", "inputs",     "config", "cfg",          "params", "size",     "summary",
     "plot",  "checkpoint", "ckpt",   "weights",      "log",    "saver",    "export",
     "save",  "print",      "info",   "args",         "card",   "version",  "id",
     "list",  "type",       "utils",  "embedding",    "lookup", "count",    "download",
     "url",   "json",       "batch",  "generator_fn", "label",  "metadata", "spec"});

constexpr auto kWork = std::to_array<std::string_view>({"fit",
                                                        "fit_generator",
                                                        "train",
                                                        "train_on_batch",
                                                        "predict",
                                                        "predict_on_batch",
                                                        "predict_generator",
                                                        "evaluate",
                                                        "evaluate_generator",
                                                        "test_on_batch",
                                                        "train_step",
                                                        "train_epoch",
                                                        "train_one_epoch",
                                                        "minimize",
                                                        "apply_gradients",
                                                        "compute_gradients",
                                                        "gradient",
                                                        "backward",
                                                        "generate",
                                                        "main",
                                                        "train_model",
                                                        "run_training",
                                                        "learn",
                                                        "fit_model",
                                                        "train_and_evaluate",
                                                        "run_epoch",
                                                        "sample",
                                                        "inference",
                                                        "infer",
                                                        "detect",
                                                        "classify",
                                                        "run_experiment",
                                                        "training",
                                                        "train_loop",
                                                        "do_train",
                                                        "start_training",
                                                        "optimize",
                                                        "extract_features",
                                                        "transcribe",
                                                        "fine_tune",
                                                        "finetune"});

/// Keras layers that belong on the host, or that are no work.
constexpr auto kHostLayers = std::to_array<std::string_view>(
    {"Embedding",  "TextVectorization", "StringLookup",  "IntegerLookup", "Discretization",
     "Hashing",    "CategoryEncoding",  "Normalization", "Rescaling",     "Resizing",
     "RandomFlip", "RandomRotation",    "RandomZoom",    "RandomCrop",    "RandomContrast",
     "CenterCrop", "RandomTranslation", "Input",         "InputLayer",    "deserialize",
     "serialize"});

constexpr auto kTensorMakers =
    std::to_array<std::string_view>({"constant",   "Variable",    "zeros",
                                     "ones",       "eye",         "fill",
                                     "range",      "linspace",    "convert_to_tensor",
                                     "zeros_like", "ones_like",   "cast",
                                     "reduce_sum", "reduce_mean", "matmul",
                                     "add",        "multiply",    "reshape",
                                     "stack",      "concat",      "one_hot",
                                     "transpose",  "expand_dims", "square",
                                     "abs",        "identity",    "tensordot",
                                     "einsum",     "Session",     "InteractiveSession",
                                     "norm",       "cumsum",      "argmax",
                                     "where"});

bool keras_model_class(const Module& module, NodeId call) {
  const auto& callee = module.callee(call);
  if (callee == "keras.models.Sequential" || callee == "keras.models.Model" ||
      callee == "keras.models.load_model" || callee == "keras.models.model_from_json" ||
      callee == "keras.models.model_from_yaml" || callee == "keras.models.clone_model" ||
      callee == "keras.saving.load_model" || callee == "tensorflow.saved_model.load" ||
      callee == "tensorflow_hub.load" || callee == "tensorflow_hub.KerasLayer" ||
      callee == "tensorflow_hub.Module") {
    return true;
  }
  if (begins_with_name(callee, "keras.applications")) {
    const auto last = callee.substr(callee.rfind('.') + 1);
    return !last.empty() && last.front() >= 'A' && last.front() <= 'Z';
  }
  return false;
}

bool is_upper(char letter) {
  return letter >= 'A' && letter <= 'Z';
}
bool is_lower(char letter) {
  return letter >= 'a' && letter <= 'z';
}
bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// A condition that somebody or the machine decides: a parameter, an option, a device.
bool depends_on_choice(const Module& module, NodeId condition) {
  const auto& tree = module.tree();
  for (NodeId id = condition; id < tree[condition].end; ++id) {
    if (tree.kind(id) == Kind::identifier) {
      const auto name = module.text(id);
      for (const auto& word : words_of(name)) {
        if (word == "cpu" || word == "gpu" || word == "gpus" || word == "cuda" ||
            word == "device" || word == "devices" || word == "tpu" || word == "debug" ||
            word == "available" || word == "flags" || word == "environ" || word == "getenv" ||
            word == "argv" || word == "args" || word == "opt" || word == "opts" || word == "cfg" ||
            word == "config" || word == "platform" || word == "eager" || word == "eagerly" ||
            word == "test" || word == "testing" || word == "ci" || word == "mps" || word == "xla" ||
            word == "version") {
          return true;
        }
      }
      if (tree[id].field == Field::attribute) continue;
      const auto* binding = module.reaching(name, id);
      if (binding != nullptr && binding->type == Binding::Type::parameter && name != "self")
        return true;
    }
    if (tree.kind(id) == Kind::attribute) {
      const NodeId parent = tree.parent(id);
      const bool called = tree.kind(parent) == Kind::call && tree[id].field == Field::function;
      const NodeId object = tree.child(id, Field::object);
      const bool self = module.text(object) == "self";
      if (!called && !module.fold(id).known() && !self) return true;
      if (!called && self && !module.fold(id).known()) return true;
    }
    if (tree.kind(id) == Kind::string) {
      const auto words = lower(module.text(id));
      if (contains(words, "cpu") || contains(words, "gpu") || contains(words, "cuda")) return true;
    }
  }
  return false;
}

bool chosen(const Module& module, NodeId id, int depth) {
  for (const auto& guard : module.guards(id)) {
    if (guard.condition == kNoNode || depends_on_choice(module, guard.condition)) return true;
  }
  const NodeId function = module.function(id);
  if (function == kNoNode || depth > 4) return false;
  const auto& calls = module.calls_of(function);
  if (calls.empty()) return named_for_cpu(module.function_name(function));
  return std::all_of(calls.begin(), calls.end(), [&](NodeId call) {
    return module.tree().inside(call, function) || chosen(module, call, depth + 1);
  });
}

} // namespace

Device parse_device(std::string_view text) {
  Device device;
  auto words = lower(trim(text));
  if (const auto at = words.rfind("device:"); at != std::string::npos) words = words.substr(at + 7);
  if (const auto at = words.rfind('/'); at != std::string::npos) words = words.substr(at + 1);
  const auto colon = words.find(':');
  const auto type = words.substr(0, colon);
  if (type == "cpu") {
    device.type = Device::Type::cpu;
  } else if (type == "gpu" || type == "cuda") {
    device.type = Device::Type::gpu;
  } else if (type == "tpu" || type == "mps" || type == "xpu" || type == "meta" || type == "xla") {
    device.type = Device::Type::other;
  } else {
    return device;
  }
  if (colon != std::string::npos) {
    if (const auto number = to_number(words.substr(colon + 1)); number && *number < 4096) {
      device.index = static_cast<int>(*number);
    }
  }
  return device;
}

Device device_list(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  const NodeId call = module.deref(expression);
  if (tree.kind(call) != Kind::call) return {};
  const auto& name = module.callee(call);
  NodeId which = kNoNode;
  if (name == "jax.devices" || name == "jax.local_devices") {
    which = module.argument(call, name == "jax.devices" ? 0 : 1, "backend");
  } else if (name == "tensorflow.config.list_physical_devices" ||
             name == "tensorflow.config.list_logical_devices" ||
             name == "tensorflow.config.get_visible_devices") {
    which = module.argument(call, 0, "device_type");
  }
  const auto value = module.fold(which);
  if (!value.is_string()) return {};
  auto device = parse_device(value.string);
  device.origin = call;
  return device;
}

Device device_of(const Module& module, NodeId expression) {
  const auto& tree = module.tree();
  if (expression == kNoNode) return {};
  if (const auto value = module.fold(expression); value.is_string()) {
    auto device = parse_device(value.string);
    device.origin = value.origin;
    return device;
  }
  const NodeId node = module.deref(expression);
  if (tree.kind(node) == Kind::subscript) {
    auto device = device_list(module, tree.child(node, Field::value));
    if (device.type != Device::Type::unknown) {
      const auto index = module.fold(tree.child(node, Field::subscript));
      device.origin = node;
      if (index.is_integer() && index.integer >= 0 && index.integer < 4096) {
        device.index = static_cast<int>(index.integer);
      }
    }
    return device;
  }
  if (tree.kind(node) != Kind::call) return {};
  const auto& name = module.callee(node);
  if (name == "torch.device") {
    auto device = device_of(module, module.argument(node, 0, "device"));
    const auto index = module.fold(module.argument(node, 1, "index"));
    if (index.is_integer()) device.index = static_cast<int>(index.integer);
    device.origin = device.origin == kNoNode ? node : device.origin;
    return device;
  }
  if (name == "tensorflow.DeviceSpec") {
    auto device = device_of(module, module.keyword(node, "device_type"));
    return device;
  }
  if (name == "tensorflow.train.replica_device_setter") return {};
  return {};
}

std::vector<std::string> words_of(std::string_view identifier) {
  std::vector<std::string> words;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) words.push_back(lower(word));
    word.clear();
  };
  for (std::size_t at = 0; at < identifier.size(); ++at) {
    const char letter = identifier[at];
    if (!is_upper(letter) && !is_lower(letter) && !is_digit(letter)) {
      flush();
      continue;
    }
    const char before = at > 0 ? identifier[at - 1] : '\0';
    const char after = at + 1 < identifier.size() ? identifier[at + 1] : '\0';
    if (is_upper(letter) && (is_lower(before) || (is_upper(before) && is_lower(after)))) flush();
    word += letter;
  }
  flush();
  // "UNet", "ResNet", "XLNet" fall apart at the capitals; together they are one word more.
  const auto parts = words.size();
  for (std::size_t at = 0; at + 1 < parts; ++at) words.push_back(words[at] + words[at + 1]);
  return words;
}

bool has_word(std::string_view identifier, std::string_view word) {
  const auto words = words_of(identifier);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool names_model(std::string_view identifier) {
  bool model = false;
  for (const auto& word : words_of(identifier)) {
    if (one_of(kOtherWords, word)) return false;
    model = model || one_of(kModelWords, word);
  }
  return model;
}

bool names_work(std::string_view method) {
  return one_of(kWork, method);
}

bool makes_whole_model(const Module& module, NodeId call) {
  if (keras_model_class(module, call)) return true;
  const auto name = module.called_name(call);
  if (name == "from_pretrained" || name == "from_preset") {
    return names_model(module.text(module.receiver(call)));
  }
  if (name.empty() || module.receiver(call) != kNoNode) {
    const auto owner = module.resolve(module.receiver(call));
    const bool library = !owner.empty() && module.imports(owner.substr(0, owner.find('.')));
    return library && !begins_with_name(owner, "tensorflow") && !begins_with_name(owner, "keras") &&
           is_upper(name.empty() ? 'a' : name.front()) && names_model(name);
  }
  if (is_upper(name.front())) return names_model(name);
  for (const auto& word : words_of(name)) {
    if (word == "build" || word == "create" || word == "make" || word == "get" ||
        word == "define" || word == "load" || word == "construct" || word == "init" ||
        word == "compile" || word == "setup") {
      return names_model(name);
    }
  }
  return false;
}

bool makes_model(const Module& module, NodeId call) {
  if (makes_whole_model(module, call)) return true;
  const auto& callee = module.callee(call);
  const auto last = std::string_view(callee).substr(callee.rfind('.') + 1);
  if (begins_with_name(callee, "keras.layers")) {
    return !one_of(kHostLayers, last) && is_upper(last.empty() ? 'a' : last.front());
  }
  if (begins_with_name(callee, "tensorflow.layers") ||
      begins_with_name(callee, "tensorflow.contrib.layers") ||
      begins_with_name(callee, "tensorflow.contrib.slim") || begins_with_name(callee, "tf_slim") ||
      begins_with_name(callee, "slim")) {
    return true;
  }
  return callee == "tensorflow.nn.conv2d" || callee == "tensorflow.nn.conv1d" ||
         callee == "tensorflow.nn.conv3d" || callee == "tensorflow.nn.dynamic_rnn" ||
         callee == "tensorflow.nn.bidirectional_dynamic_rnn" || callee == "tensorflow.matmul" ||
         callee == "tensorflow.nn.xw_plus_b" ||
         (begins_with_name(callee, "torch.nn") && is_upper(last.empty() ? 'a' : last.front()));
}

bool opens_tensorflow(const Module& module, NodeId call) {
  if (keras_model_class(module, call)) return true;
  const auto& name = module.callee(call);
  if (name == "tensorflow.config.list_logical_devices" ||
      name == "tensorflow.test.is_gpu_available" || name == "tensorflow.test.gpu_device_name" ||
      name == "tensorflow.distribute.MirroredStrategy" ||
      name == "tensorflow.device_lib.list_local_devices" ||
      name == "device_lib.list_local_devices" || module.called_name(call) == "list_local_devices" ||
      name == "tensorflow.distribute.MultiWorkerMirroredStrategy" ||
      name == "tensorflow.distribute.experimental.MultiWorkerMirroredStrategy" ||
      name == "keras.utils.image_dataset_from_directory" ||
      name == "keras.preprocessing.image_dataset_from_directory" ||
      name == "keras.preprocessing.text_dataset_from_directory" ||
      name == "keras.utils.text_dataset_from_directory" || name == "tensorflow_datasets.load" ||
      name == "keras.preprocessing.timeseries_dataset_from_array" ||
      name == "keras.utils.timeseries_dataset_from_array") {
    return true;
  }
  if (begins_with_name(name, "tensorflow.data.Dataset.from_tensor") ||
      name == "tensorflow.data.Dataset.range" || name == "tensorflow.data.Dataset.list_files" ||
      name == "tensorflow.data.TFRecordDataset" || begins_with_name(name, "tensorflow.random") ||
      begins_with_name(name, "tensorflow.linalg") || begins_with_name(name, "tensorflow.math")) {
    return name != "tensorflow.random.set_seed" && name != "tensorflow.random.set_random_seed";
  }
  if (begins_with_name(name, "keras.layers")) return is_upper(name[name.rfind('.') + 1]);
  if (name.starts_with("tensorflow.") && name.rfind('.') == 10) {
    return one_of(kTensorMakers, std::string_view(name).substr(11));
  }
  const auto method = module.called_name(call);
  if (method == "fit" || method == "fit_generator" || method == "train_on_batch") {
    return module.imports("tensorflow") || module.imports("keras");
  }
  return makes_whole_model(module, call) && module.receiver(call) == kNoNode &&
         (module.imports("tensorflow") || module.imports("keras"));
}

bool opens_cuda(const Module& module, NodeId call) {
  const auto& name = module.callee(call);
  if (opens_tensorflow(module, call)) {
    // In a torch or JAX program a function that is merely named for a model proves nothing.
    return module.imports("tensorflow") || module.imports("keras");
  }
  if (name == "tensorflow.config.list_physical_devices" ||
      name == "tensorflow.config.get_visible_devices" ||
      name == "tensorflow.config.set_memory_growth" ||
      name == "tensorflow.test.is_built_with_gpu_support" ||
      name == "tensorflow.config.get_device_details") {
    return name != "tensorflow.test.is_built_with_gpu_support";
  }
  if (begins_with_name(name, "torch.cuda")) {
    const auto last = std::string_view(name).substr(name.rfind('.') + 1);
    return last == "is_available" || last == "device_count" || last == "current_device" ||
           last == "get_device_name" || last == "init" || last == "set_device" ||
           last == "empty_cache" || last == "mem_get_info" || last == "get_device_properties" ||
           last == "synchronize";
  }
  if (module.called_name(call) == "cuda" && module.receiver(call) != kNoNode)
    return module.imports("torch");
  if (module.called_name(call) == "to" && module.imports("torch")) {
    return device_of(module, module.argument(call, 0, "device")).is_gpu();
  }
  if (name == "jax.devices" || name == "jax.local_devices" || name == "jax.device_count" ||
      name == "jax.local_device_count" || name == "jax.default_backend" ||
      name == "jax.device_put" || begins_with_name(name, "jax.random") ||
      name == "jax.numpy.array" || name == "jax.numpy.zeros" || name == "jax.numpy.ones" ||
      name == "jax.numpy.asarray" || name == "jax.numpy.arange") {
    return true;
  }
  return false;
}

bool named_for_cpu(std::string_view name) {
  const auto words = words_of(name);
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  return has("cpu") || has("host") || has("nogpu") || has("nocuda") ||
         ((has("disable") || has("hide") || has("no") || has("without")) &&
          (has("gpu") || has("gpus") || has("cuda"))) ||
         has("fallback") || has("offload");
}

bool named_for_measuring(std::string_view name) {
  for (const auto& word : words_of(name)) {
    if (word.starts_with("bench") || word == "timing" || word == "timeit" || word == "race" ||
        word == "compare" || word == "speed" || word == "profile" || word == "latency" ||
        word == "stopwatch" || word == "clock") {
      return true;
    }
  }
  return false;
}

bool chosen(const Module& module, NodeId id) {
  return chosen(module, id, 0);
}

std::vector<NodeId> bodies_of(const Module& module, NodeId context) {
  const auto& tree = module.tree();
  std::vector<NodeId> bodies;
  NodeId item = tree.parent(context);
  if (tree.kind(item) == Kind::as_pattern) item = tree.parent(item);
  if (tree.kind(item) == Kind::with_item) {
    bodies.push_back(tree.child(tree.around(item, Kind::with_statement), Field::body));
    return bodies;
  }
  // name = context; with name: ...
  const NodeId assignment = tree.parent(context);
  if (tree.kind(assignment) != Kind::assignment) return bodies;
  const NodeId target = tree.child(assignment, Field::left);
  for (const NodeId with : tree.all(Kind::with_item)) {
    const NodeId value = tree.at(with, 0);
    if (tree.kind(value) != tree.kind(target) || module.text(value) != module.text(target))
      continue;
    if (tree.kind(value) == Kind::identifier && module.scope(value) != module.scope(target) &&
        module.scope(target) != 0) {
      continue;
    }
    bodies.push_back(tree.child(tree.around(with, Kind::with_statement), Field::body));
  }
  return bodies;
}

bool mentions_gpu(const Module& module) {
  const auto& tree = module.tree();
  for (const Kind kind : {Kind::identifier, Kind::string_content}) {
    for (const NodeId id : tree.all(kind)) {
      const auto words = lower(module.text(id).substr(0, 200));
      if (tree.kind(tree.parent(tree.parent(id))) == Kind::expression_statement)
        continue; // docstring
      if (contains(words, "cuda") || contains(words, "gpu") || contains(words, "accelerat"))
        return true;
    }
  }
  return false;
}

} // namespace gpuwhy::program
