// What a run that was observed says: plain values for renderers.
#pragma once

#include "verdict/verdict.h"

#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

enum class Used { used, poorly_used, not_used, unknown };

struct RunVerdict {
  Used answer = Used::unknown;
  std::string sentence;      // the answer in one line, without a full stop
  std::vector<Cause> causes; // root first
  std::optional<double>
      at_most_faster;                 // if the GPU never waited; nothing where that bounds nothing
  std::vector<std::string> unknown;   // what could not be told
  std::vector<std::string> ruled_out; // "R06 throttled: clocks stayed up"
  std::vector<std::string> notes;
  std::vector<std::string> loading; // the loader's searches against those predicted
};

} // namespace gpuwhy
