// The input is prepared one element after the other while the GPU waits.
// Truth: the tf.data performance guide; the documentation of ImageDataGenerator and DataLoader.
#include "rules/P_program/dataset_chains.h"

#include "program/frameworks.h"
#include "rules/report.h"
#include "rules/rule.h"

#include "base/text.h"

#include <array>

namespace gpuwhy::rules {
namespace {

using namespace program;

/// Consumed in training or by an iterator, as far as this file shows.
bool feeds(const DatasetChain& chain) {
  return chain.consumer != kNoNode && !chain.derived;
}

/// A loop over a few elements to look at them is no training.
bool only_looks(const Module& module, const DatasetChain& chain) {
  const auto& tree = module.tree();
  if (tree.kind(chain.consumer) != Kind::for_statement) return false;
  const NodeId body = tree.child(chain.consumer, Field::body);
  for (NodeId id = body; id < tree[body].end; ++id) {
    if (tree.kind(id) != Kind::call) continue;
    const auto name = module.called_name(id);
    if (names_work(name) || contains(name, "step") || contains(name, "train") ||
        contains(name, "loss"))
      return false;
  }
  return true;
}

void chains(const Module& module, lint::Report& report) {
  for (const auto& chain : dataset_chains(module)) {
    const NodeId where = chain.last;
    if (module.dead(where) || module.in_test(where)) continue;
    bool told = false;
    for (const auto& map : chain.maps) {
      if (map.parallel || map.cost == MapStep::Cost::trivial || chain.cached) continue;
      const bool known = map.cost == MapStep::Cost::costly;
      if (!known && (chain.prefetched || !feeds(chain) || only_looks(module, chain))) continue;
      if (known && chain.prefetched && chain.derived) continue;
      report.at(map.name, known && !chain.prefetched ? Severity::warning : Severity::info,
                std::string("map works on one element after the other") +
                    (chain.prefetched || !feeds(chain) ? "" : ", and nothing is prefetched"),
                "add num_parallel_calls=tf.data.AUTOTUNE" +
                    std::string(chain.prefetched
                                    ? ""
                                    : ", and end the chain with .prefetch(tf.data.AUTOTUNE)"));
      told = true;
    }
    const bool training = feeds(chain) && !only_looks(module, chain);
    if (chain.generator != kNoNode && (training || chain.returned) && !chain.cached) {
      report.at(chain.generator, Severity::info,
                "a Python generator yields one element at a time under the interpreter's lock",
                "make the dataset from tensors or files, and do the work in a parallel map");
    }
    if (training && !chain.prefetched && !told &&
        (chain.generator != kNoNode || !chain.maps.empty()) && !chain.cached) {
      bool heavy = chain.generator != kNoNode;
      for (const auto& map : chain.maps) heavy = heavy || map.cost == MapStep::Cost::costly;
      if (heavy) {
        report.at(chain.last, chain.generator != kNoNode ? Severity::warning : Severity::info,
                  "the next batch is prepared only when the GPU asks for it",
                  "end the chain with .prefetch(tf.data.AUTOTUNE)");
      }
    }
    if (chain.late_shuffle != kNoNode && training) {
      report.at(chain.late_shuffle, Severity::info,
                "shuffle behind batch keeps whole batches in memory and mixes only their order",
                "shuffle before batch");
    }
  }
}

void image_data_generator(const Module& module, lint::Report& report) {
  static constexpr auto kCostly = std::to_array<std::string_view>(
      {"rotation_range", "zoom_range", "shear_range", "width_shift_range", "height_shift_range",
       "channel_shift_range", "brightness_range"});
  bool trained = false;
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto name = module.called_name(call);
    trained = trained || name == "fit" || name == "fit_generator";
  }
  if (!trained) return;
  for (const NodeId call : module.tree().all(Kind::call)) {
    if (module.called_name(call) != "ImageDataGenerator" || module.dead(call) ||
        module.in_test(call))
      continue;
    int costly = 0;
    for (const auto name : kCostly) {
      const NodeId given = module.keyword(call, name);
      const auto amount = module.fold(given).number();
      costly += given != kNoNode && !(amount && *amount == 0) ? 1 : 0;
    }
    if (costly == 0) continue;
    report.at(
        call, Severity::info,
        "ImageDataGenerator augments in Python on the host, one image after the other",
        "use a tf.data pipeline, or Keras' Random... layers in the model, which run on the GPU");
  }
}

void workers(const Module& module, lint::Report& report) {
  for (const NodeId call : module.tree().all(Kind::call)) {
    const auto name = module.called_name(call);
    const bool fit =
        (name == "fit" || name == "fit_generator" || name == "predict" ||
         name == "predict_generator" || name == "evaluate" || name == "evaluate_generator") &&
        module.receiver(call) != kNoNode;
    const bool loader = name == "DataLoader" && module.imports("torch");
    if (!fit && !loader) continue;
    const NodeId given = module.keyword(call, fit ? "workers" : "num_workers");
    const auto count = module.fold(given);
    if (!count.is_integer() || count.integer != 0 || module.in_test(call) || module.dead(call) ||
        chosen(module, call))
      continue;
    report.at(given, Severity::info,
              "the batches are prepared in the training thread itself, while the GPU waits",
              "use several workers");
  }
}

void lint(const Unit& unit, lint::Report& report) {
  if (!unit.module) return;
  workers(*unit.module, report); // the argument is Keras' own, imports or not
  if (!unit.module->uses_framework()) return;
  chains(*unit.module, report);
  image_data_generator(*unit.module, report);
}

} // namespace

extern constexpr Rule P08{
    .id = "P08",
    .slug = "input-pipeline",
    .title = "The input pipeline keeps the GPU waiting",
    .since = "0.1",
    .gate = Gate::code,
    .effect = Effect::slows,
    .explanation =
        R"(A `tf.data` chain works in the thread that asks for the next batch, unless it is
told otherwise: `map` takes one element at a time without `num_parallel_calls`, and without `prefetch`
at its end nothing is prepared while the GPU computes. Python generators and ImageDataGenerator hold
the interpreter's lock.)",
    .fix =
        R"(`.map(f, num_parallel_calls=tf.data.AUTOTUNE)`, `.prefetch(tf.data.AUTOTUNE)` last, `.cache()`
where the data fit into memory.)",
    .references =
        R"(- [Better performance with the tf.data API](https://www.tensorflow.org/guide/data_performance))",
    .explains = {},
    .lint = lint,
};

} // namespace gpuwhy::rules
