// The way to the GPU: which fixes, in which order, proven by making them on the facts and judging
// again. Pure.
#pragma once

#include "judge/judge.h"

#include <string>
#include <vector>

namespace gpuwhy {

/// How far the commands of a fix reach; without commands, what its words say. Truth: the commands
/// themselves, for they are what a person types.
Reach reach_of(const std::string& words, const std::vector<std::string>& commands);

/// Fills `verdict`'s causes, plan, alternatives and obstacle. `rulings` are those of `subject`.
void make_plan(const Case& subject, const Rulings& rulings, FrameworkVerdict& verdict);

} // namespace gpuwhy
