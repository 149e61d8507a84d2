// Truth: the methods of tf.data.Dataset; what image and audio decoding cost on a CPU core.
#include "rules/P_program/dataset_chains.h"

#include "base/text.h"
#include "program/frameworks.h"

#include <map>

namespace gpuwhy::rules {
namespace {

using namespace program;

constexpr std::size_t kMostMaps = 32;

bool makes_dataset(std::string_view callee) {
  if (callee.starts_with("tensorflow.data.Dataset.") ||
      callee == "tensorflow.data.TFRecordDataset" || callee == "tensorflow.data.TextLineDataset" ||
      callee == "tensorflow.data.FixedLengthRecordDataset" ||
      callee == "tensorflow.data.experimental.make_csv_dataset" ||
      callee == "tensorflow_datasets.load" ||
      callee == "keras.utils.image_dataset_from_directory" ||
      callee == "keras.preprocessing.image_dataset_from_directory") {
    return true;
  }
  return false;
}

bool costly_op(const Module& module, NodeId call) {
  const auto& callee = module.callee(call);
  const auto name = module.called_name(call);
  const auto owner = callee.substr(0, callee.find('.'));
  if (begins_with_name(callee, "tensorflow.image") ||
      begins_with_name(callee, "tensorflow.audio") ||
      begins_with_name(callee, "tensorflow.signal") || callee == "tensorflow.io.read_file" ||
      callee == "tensorflow.read_file" || contains(name, "decode_") ||
      callee == "tensorflow.py_function" || callee == "tensorflow.numpy_function" ||
      callee == "tensorflow.py_func") {
    return name != "convert_image_dtype" && name != "resize_with_crop_or_pad";
  }
  return (owner == "cv2" && name != "cvtColor") || owner == "PIL" || owner == "librosa" ||
         owner == "ET" || owner == "skimage" || owner == "soundfile" || callee == "numpy.load";
}

/// What one call of the mapped function costs.
MapStep::Cost cost_of(const Module& module, NodeId function, int depth = 0) {
  const auto& tree = module.tree();
  if (function == kNoNode || depth > 3) return MapStep::Cost::unknown;
  NodeId body = kNoNode;
  if (tree.kind(function) == Kind::lambda || tree.kind(function) == Kind::function_definition) {
    body = tree.child(function, Field::body);
  } else if (tree.kind(function) == Kind::identifier || tree.kind(function) == Kind::attribute) {
    const auto name = tree.kind(function) == Kind::identifier
                          ? module.text(function)
                          : module.text(tree.child(function, Field::attribute));
    const auto* all = module.bindings(name);
    if (all != nullptr) {
      for (const auto& binding : *all) {
        if (binding.type == Binding::Type::function) return cost_of(module, binding.at, depth + 1);
        if (binding.type == Binding::Type::assigned && tree.kind(binding.value) == Kind::lambda) {
          return cost_of(module, binding.value, depth + 1);
        }
        if (binding.type == Binding::Type::assigned &&
            begins_with_name(module.callee(binding.value), "keras.layers")) {
          return MapStep::Cost::trivial;
        }
      }
    }
    return MapStep::Cost::unknown;
  } else {
    return MapStep::Cost::unknown;
  }
  if (body == kNoNode) return MapStep::Cost::unknown;
  auto cost = MapStep::Cost::trivial;
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    if (costly_op(module, id)) return MapStep::Cost::costly;
    const NodeId called = module.called_function(id);
    if (called != kNoNode && called != function) {
      const auto inner = cost_of(module, called, depth + 1);
      if (inner == MapStep::Cost::costly) return inner;
    } else if (module.receiver(id) == kNoNode &&
               !begins_with_name(module.callee(id), "tensorflow")) {
      const auto name = module.called_name(id);
      const bool plain = name == "dict" || name == "tuple" || name == "list" || name == "len" ||
                         name == "range" || name == "zip";
      if (!plain) cost = MapStep::Cost::unknown;
    }
  }
  return cost;
}

class Chains {
public:
  explicit Chains(const Module& module) : module_(module), tree_(module.tree()) {}

  std::vector<DatasetChain> run() {
    for (NodeId id = 0; id < tree_.size(); ++id) {
      const Kind kind = tree_.kind(id);
      if (kind == Kind::assignment) assign(id);
      if (kind == Kind::return_statement) give_back(tree_.at(id, 0));
      if (kind == Kind::for_statement) consume(tree_.child(id, Field::right), id);
      if (kind == Kind::call) use(id);
    }
    return std::move(chains_);
  }

private:
  /// A name within a scope: "12/ds", or "self.pairs" anywhere in a class.
  std::string key(NodeId expression) const {
    if (tree_.kind(expression) == Kind::attribute) return std::string(module_.text(expression));
    if (tree_.kind(expression) != Kind::identifier) return {};
    return std::to_string(module_.scope(expression)) + "/" + std::string(module_.text(expression));
  }

  /// Index of the chain that a name stands for; -1 for none.
  int lookup(NodeId expression) const {
    auto found = names_.find(key(expression));
    if (found == names_.end() && tree_.kind(expression) == Kind::identifier) {
      found = names_.find("0/" + std::string(module_.text(expression)));
    }
    return found == names_.end() ? -1 : found->second;
  }

  /// The chain of an expression, built from its innermost receiver; -1 if it is no dataset.
  int chain_of(NodeId expression) {
    std::vector<NodeId> calls;
    NodeId at = expression;
    while (tree_.kind(at) == Kind::parenthesized_expression) at = tree_.at(at, 0);
    while (tree_.kind(at) == Kind::call) {
      if (makes_dataset(module_.callee(at))) break;
      calls.push_back(at);
      at = module_.receiver(at);
      if (at == kNoNode) return -1;
      while (tree_.kind(at) == Kind::parenthesized_expression) at = tree_.at(at, 0);
    }
    DatasetChain chain;
    if (tree_.kind(at) == Kind::call) {
      const auto callee = module_.callee(at);
      if (callee.ends_with(".from_generator")) chain.generator = at;
      if (callee.ends_with(".zip") || callee.ends_with(".sample_from_datasets")) return -1;
      chain.last = word(at);
    } else {
      const int base = lookup(at);
      if (base < 0) return -1;
      if (calls.empty()) return base;
      chain = chains_[static_cast<std::size_t>(base)];
      chain.consumer = kNoNode;
      chain.returned = false;
      chain.derived = false;
      chains_[static_cast<std::size_t>(base)].derived = true;
    }
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
      if (!step(*call, chain)) return -1;
    }
    chains_.push_back(chain);
    return static_cast<int>(chains_.size()) - 1;
  }

  NodeId word(NodeId call) const {
    const NodeId function = tree_.child(call, Field::function);
    return tree_.kind(function) == Kind::attribute ? tree_.child(function, Field::attribute)
                                                   : function;
  }

  bool step(NodeId call, DatasetChain& chain) {
    const auto name = module_.called_name(call);
    chain.last = word(call);
    if (name == "map") {
      MapStep map;
      map.call = call;
      map.name = word(call);
      map.parallel = module_.argument(call, 1, "num_parallel_calls") != kNoNode;
      map.cost = cost_of(module_, module_.argument(call, 0, "map_func"));
      if (chain.maps.size() < kMostMaps) chain.maps.push_back(map);
      chain.cached = false;
    } else if (name == "prefetch") {
      chain.prefetched = true;
    } else if (name == "cache") {
      chain.cached = true;
      for (auto& map : chain.maps) map.cached = true;
    } else if (name == "batch" || name == "padded_batch") {
      chain.batch = call;
    } else if (name == "shuffle") {
      if (chain.batch != kNoNode) chain.late_shuffle = call;
    } else if (name == "unbatch") {
      chain.batch = kNoNode;
    } else if (name == "apply") {
      const auto words = module_.text(call);
      if (contains(words, "prefetch") || contains(words, "copy_to_device")) chain.prefetched = true;
      if (contains(words, "map_and_batch") || contains(words, "parallel")) chain.prefetched = true;
    } else if (name.starts_with("make_") || name == "__iter__") {
      chain.consumer = call;
    } else if (name == "as_numpy_iterator" || name == "element_spec" || name == "reduce") {
      return false;
    }
    return true;
  }

  void assign(NodeId assignment) {
    NodeId value = tree_.child(assignment, Field::right);
    const NodeId target = tree_.child(assignment, Field::left);
    if (tree_.kind(value) == Kind::conditional_expression) value = tree_.at(value, 0);
    const int chain = chain_of(value);
    const auto name = key(target);
    if (chain >= 0 &&
        tree_.kind(target) == Kind::pattern_list) { // (train, test), info = tfds.load(...)
      for (NodeId id = target; id < tree_[target].end; ++id) {
        if (tree_.kind(id) == Kind::identifier) names_[key(id)] = chain;
      }
    }
    if (name.empty()) return;
    if (chain >= 0) {
      names_[name] = chain;
    } else {
      names_.erase(name);
    }
    handled_ = value == kNoNode ? handled_ : std::max(handled_, tree_[value].end);
  }

  void give_back(NodeId expression) {
    if (expression == kNoNode) return;
    if (tree_.kind(expression) == Kind::expression_list || tree_.kind(expression) == Kind::tuple) {
      for (const NodeId part : tree_.children(expression)) give_back(part);
      return;
    }
    const int chain = chain_of(expression);
    if (chain >= 0) chains_[static_cast<std::size_t>(chain)].returned = true;
    handled_ = std::max(handled_, tree_[expression].end);
  }

  void consume(NodeId expression, NodeId by) {
    if (expression == kNoNode) return;
    const int chain = chain_of(expression);
    if (chain >= 0) chains_[static_cast<std::size_t>(chain)].consumer = by;
    handled_ = std::max(handled_, tree_[expression].end);
  }

  void use(NodeId call) {
    if (call < handled_) return;
    const auto name = module_.called_name(call);
    if (name == "fit" || name == "train_on_batch" || name == "fit_generator") {
      const NodeId data = module_.argument(call, 0, "x");
      if (data != kNoNode) consume(data, call);
    } else if (name == "iter" && module_.receiver(call) == kNoNode) {
      // next(iter(ds)) looks at one element
      const NodeId outer = tree_.parent(tree_.parent(call));
      if (tree_.kind(outer) == Kind::call && module_.called_name(outer) == "next") return;
      consume(module_.argument(call, 0, {}), call);
    }
  }

  const Module& module_;
  const Tree& tree_;
  std::vector<DatasetChain> chains_;
  std::map<std::string, int> names_;
  NodeId handled_ = 0;
};

} // namespace

std::vector<DatasetChain> dataset_chains(const Module& module) {
  return Chains(module).run();
}

} // namespace gpuwhy::rules
