// Weighs the suspects of a reading: what comes first on the route is the root, what follows from it
// is no cause.
#pragma once

#include "explain/reading.h"
#include "verdict/explanation.h"

#include <optional>
#include <string_view>

namespace gpuwhy::explain {

Judgement judge(const Reading& reading, std::optional<std::string_view> rank = std::nullopt);
/// A judgement for each group of ranks that fare alike; none if all do.
std::vector<Judgement> judge_ranks(const Reading& reading);

} // namespace gpuwhy::explain
