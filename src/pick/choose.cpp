#include "pick/choose.h"

#include "base/amount.h"
#include "base/text.h"

#include <algorithm>
#include <tuple>

namespace gpuwhy {
namespace {

constexpr int kBusyPercent = 10;
constexpr int kOneNode = 40;                 // NVML_TOPOLOGY_NODE
constexpr std::size_t kMostGroups = 200'000; // beyond: the freest one by one
constexpr std::uint64_t kGiB = 1ULL << 30U;

std::string gib(std::uint64_t bytes) {
  return decimal(static_cast<double>(bytes) / static_cast<double>(kGiB), 1) + " GiB";
}

std::string name_of(const Candidate& candidate) {
  return "GPU " + std::to_string(candidate.index) +
         (candidate.mig ? " instance " + candidate.uuid : std::string());
}

bool named_by(const Candidate& candidate, const std::string& name) {
  if (const auto number = to_number(name)) return *number == candidate.index;
  return !name.empty() && candidate.uuid.starts_with(name);
}

bool busy(const Candidate& candidate) {
  return candidate.processes > 0 || candidate.utilization > kBusyPercent;
}

/// Small is free. A GiB more or less of memory does not outweigh a GPU at work.
auto cost(const Candidate& c) {
  return std::make_tuple(busy(c), -static_cast<std::int64_t>(c.memory_free / kGiB), c.utilization,
                         c.temperature, c.index, c.uuid);
}

const GpuNeighbour* between(const Candidate& a, const Candidate& b) {
  for (const auto& neighbour : a.neighbours) {
    if (neighbour.index == b.index) return &neighbour;
  }
  return nullptr;
}

using Group = std::vector<const Candidate*>;

bool on_one_node(const Group& group) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    for (std::size_t j = i + 1; j < group.size(); ++j) {
      const auto* link = between(*group[i], *group[j]);
      if (link == nullptr || link->level > kOneNode) return false;
    }
  }
  return true;
}

/// Of two groups with as many GPUs at work: the one with more NVLink between its members, then the
/// nearer, then the freer one.
auto cost(const Group& group) {
  std::size_t at_work = 0;
  std::size_t unlinked = 0;
  int farthest = 0;
  std::uint64_t least_free = UINT64_MAX;
  int load = 0;
  std::vector<int> indices;
  for (std::size_t i = 0; i < group.size(); ++i) {
    at_work += busy(*group[i]) ? 1U : 0U;
    least_free = std::min(least_free, group[i]->memory_free);
    load += group[i]->utilization * 200 + group[i]->temperature;
    indices.push_back(group[i]->index);
    for (std::size_t j = i + 1; j < group.size(); ++j) {
      const auto* link = between(*group[i], *group[j]);
      if (link == nullptr || !link->nvlink) ++unlinked;
      farthest = std::max(farthest, link == nullptr ? 100 : link->level);
    }
  }
  return std::make_tuple(at_work, unlinked, farthest, -static_cast<std::int64_t>(least_free / kGiB),
                         load, indices);
}

/// How many groups of `count` there are, as far as kMostGroups.
std::size_t groups_of(std::size_t candidates, std::size_t count) {
  std::size_t groups = 1;
  for (std::size_t i = 0; i < count; ++i) {
    groups = groups * (candidates - i) / (i + 1);
    if (groups > kMostGroups) return groups;
  }
  return groups;
}

std::optional<Group> best_group(const Group& free, std::size_t count, bool same_node) {
  std::optional<Group> best;
  std::vector<bool> taken(free.size(), false);
  std::fill(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(count), true);
  do {
    Group group;
    for (std::size_t i = 0; i < free.size(); ++i) {
      if (taken[i]) group.push_back(free[i]);
    }
    if (same_node && !on_one_node(group)) continue;
    if (!best || cost(group) < cost(*best)) best = std::move(group);
  } while (std::prev_permutation(taken.begin(), taken.end()));
  return best;
}

/// For machines with more GPUs than can be tried in all groups.
std::optional<Group> freest_group(const Group& free, std::size_t count, bool same_node) {
  for (std::size_t first = 0; first < free.size(); ++first) {
    Group group{free[first]};
    for (std::size_t i = 0; i < free.size() && group.size() < count; ++i) {
      if (i == first) continue;
      group.push_back(free[i]);
      if (same_node && !on_one_node(group)) group.pop_back();
    }
    if (group.size() == count) return group;
  }
  return std::nullopt;
}

std::string refusal(const Candidate& candidate, const PickWish& wish,
                    const std::map<std::string, std::string>& claimed) {
  if (!candidate.refused.empty()) return candidate.refused;
  for (const auto& name : wish.excluded) {
    if (named_by(candidate, name)) return "excluded";
  }
  if (const auto claim = claimed.find(candidate.uuid); claim != claimed.end()) return claim->second;
  if (candidate.memory_free < wish.min_free)
    return gib(candidate.memory_free) + " free, " + gib(wish.min_free) + " wanted";
  if (candidate.mig && wish.count > 1) return "a process can use one MIG instance only";
  if (candidate.mig && wish.by_index) return "a MIG instance has no number";
  return {};
}

} // namespace

std::vector<std::string> unknown_names(const Candidates& candidates, const PickWish& wish) {
  std::vector<std::string> unknown;
  for (const auto& name : wish.excluded) {
    const bool known =
        std::any_of(candidates.all.begin(), candidates.all.end(),
                    [&](const Candidate& candidate) { return named_by(candidate, name); });
    if (!known) unknown.push_back(name);
  }
  return unknown;
}

Choice choose(const Candidates& candidates, const PickWish& wish,
              const std::map<std::string, std::string>& claimed) {
  Choice choice;
  Group free;
  for (const auto& candidate : candidates.all) {
    const auto reason = refusal(candidate, wish, claimed);
    if (reason.empty())
      free.push_back(&candidate);
    else
      choice.refused.push_back(name_of(candidate) + ": " + reason);
  }
  std::sort(free.begin(), free.end(),
            [](const auto* a, const auto* b) { return cost(*a) < cost(*b); });
  if (free.size() < wish.count) {
    choice.why_not = std::to_string(free.size()) + " of " + std::to_string(candidates.all.size()) +
                     (candidates.all.size() == 1 ? " GPU fits, " : " GPUs fit, ") +
                     std::to_string(wish.count) + (wish.count == 1 ? " is wanted" : " are wanted");
    return choice;
  }
  std::optional<Group> group;
  if (wish.count == 1)
    group = Group{free.front()};
  else if (groups_of(free.size(), wish.count) <= kMostGroups)
    group = best_group(free, wish.count, wish.same_node);
  else
    group = freest_group(free, wish.count, wish.same_node);
  if (!group) {
    choice.why_not = "no " + std::to_string(wish.count) +
                     " of the GPUs that fit are known to be on one NUMA node";
    return choice;
  }
  for (const auto* candidate : *group) choice.chosen.push_back(*candidate);
  std::sort(choice.chosen.begin(), choice.chosen.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.index, a.uuid) < std::tie(b.index, b.uuid);
  });
  return choice;
}

} // namespace gpuwhy
