// The question of most tests of explain.
#pragma once

#include "explain/explainer.h"

#include <string>
#include <string_view>

namespace gpuwhy::explain {

/// The id of the first cause of a text; "-" where it names none.
inline std::string root(std::string_view text) {
  Explainer explainer;
  explainer.feed(text);
  const auto explanation = explainer.finish();
  return explanation.whole.causes.empty() ? "-" : explanation.whole.causes.front().id;
}

} // namespace gpuwhy::explain
