// From facts to a verdict. Pure: same facts, same verdict.
#pragma once

#include "facts/facts.h"
#include "rules/rule.h"
#include "verdict/verdict.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

/// Every framework installation in `facts`, the selected environment's first: TensorFlow, JAX,
/// PyTorch, then the Keras on top of one of them. An environment without any counts only if it is
/// the selected one.
Verdict judge(const Facts& facts);

/// The cases that judge() looks at: one an installation, with the loader's answers for what it
/// opens.
std::vector<Case> cases_of(const Facts& facts);
/// The same, not compared with the shell.
std::vector<Case> cases_without_shell(const Facts& facts);

/// The case of the same installation in facts that were edited; nothing if it is gone.
std::optional<Case> case_again(const Facts& facts, const Case& subject);

/// The backend that Keras takes when it is imported: "tensorflow", "jax", "torch", "openvino", or
/// any other word that a variable or keras.json holds. Source: keras/src/backend/config.py.
std::string keras_backend(const Facts& facts, const Framework& keras);

/// What one rule says about one case.
struct Ruling {
  const Rule* rule = nullptr;
  Outcome outcome;
};

/// All rules asked about one case, without the consequences of other findings, root cause first.
struct Rulings {
  std::vector<Ruling> found;
  std::vector<Ruling> comes_of_it; // found too, and proven to come of the first one in `found`
  std::vector<Ruling> clear;
  std::vector<Ruling> unknown;
};
Rulings ask_rules(const Case& subject);
/// What they come to. What breaks or slows the use of a GPU that is listed anyway decides nothing
/// here.
Usable usable(const Rulings& rulings);

} // namespace gpuwhy
