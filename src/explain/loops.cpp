#include "explain/loops.h"

namespace gpuwhy::explain {

const Sighting* made_in_loop(const View& text) {
  for (const auto* signal : {"loop-model", "loop-jit", "model-loop", "graph-loop"}) {
    if (const auto* seen = text.find(signal)) return seen;
  }
  // "for i in range(200):", and a few lines further down the model; or a loop that calls whatever
  // makes one, in a program that ran the machine out of memory.
  constexpr std::uint64_t kBody = 5; // lines
  const bool died = text.has("host-killed");
  for (const auto* loop : text.all("for-loop")) {
    for (const auto* built : text.all("model-build")) {
      if (died || (built->first > loop->first && built->first <= loop->first + kBody)) return built;
    }
  }
  // Without a session these run at once, and add to no graph.
  return text.has("session-run") ? text.find("loop-graph") : nullptr;
}

} // namespace gpuwhy::explain
