// Works in the shell, not where the program runs: which difference is to blame, proven by judging.
#pragma once

#include "judge/judge.h"

#include <optional>
#include <string_view>
#include <vector>

namespace gpuwhy {

/// What the framework of that name answers in the selected environment; nothing: it is not there.
std::optional<Usable> answer_of(const Facts& facts, std::string_view wanted);
/// The same in the shell, where there is one to compare with.
std::optional<Usable> answer_of_shell(const Facts& facts, std::string_view wanted);

/// A smallest set of differences with which the place would use the GPU as the shell does; none if
/// the place uses it, or the shell does not. Each was needed: without it the judge says something
/// else.
std::vector<Difference> find_decisive(const Facts& facts, std::string_view wanted);

} // namespace gpuwhy
