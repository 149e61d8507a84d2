#include "judge/plan.h"

#include "base/text.h"

#include <algorithm>
#include <tuple>

namespace gpuwhy {
namespace {

constexpr std::size_t kLongestPlan = 12;
constexpr std::size_t kMostWays = 24;        // that are walked
constexpr std::size_t kMostJudgings = 200;   // in all, for one installation
constexpr std::size_t kMostAlternatives = 3; // that are told

Fix fix_of(const Edit& edit) {
  return {edit.words, edit.commands, false, reach_of(edit.words, edit.commands)};
}

Cause cause_of(const Ruling& ruling) {
  Cause cause;
  cause.id = ruling.rule->id;
  cause.slug = ruling.rule->slug;
  cause.gate = ruling.rule->gate;
  cause.effect = ruling.outcome.effect.value_or(ruling.rule->effect);
  cause.title = ruling.rule->title;
  cause.summary = ruling.outcome.text;
  cause.evidence = ruling.outcome.evidence;
  return cause;
}

bool has_cause(const Rulings& rulings, std::string_view id) {
  return std::any_of(rulings.found.begin(), rulings.found.end(),
                     [&](const Ruling& ruling) { return ruling.rule->id == id; });
}

bool arrived(const Rulings& rulings) {
  return rulings.found.empty() && usable(rulings) == Usable::gpu;
}

/// What reaches least first; of equals as the rule has them.
std::vector<Edit> ordered(const Ruling& ruling) {
  auto edits = ruling.outcome.edits;
  std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
    // Advice that cannot be simulated proves nothing.
    if (!a.apply != !b.apply) return static_cast<bool>(a.apply);
    return reach_of(a.words, a.commands) < reach_of(b.words, b.commands);
  });
  return edits;
}

/// One way: at each root cause a fix, until nothing is found any more or no fix is left.
struct Way {
  std::vector<Cause> causes;
  std::vector<Edit> edits;                // that were made, one a cause
  std::vector<std::vector<Edit>> untried; // what else each cause offered
  std::vector<Ruling> behind;             // found where the way ended
  bool arrives = false;
};

class Walker {
public:
  explicit Walker(const Case& subject) : subject_(subject) {}

  /// Makes `first` at the causes they belong to, then the fix that reaches least.
  Way walk(const Rulings& start, const std::vector<Edit>& first) const {
    Way way;
    Facts facts = subject_.facts;
    Rulings rulings = start;
    while (way.causes.size() < kLongestPlan && !rulings.found.empty()) {
      const Ruling root = rulings.found.front();
      Cause cause = cause_of(root);
      const auto known = std::any_of(way.causes.begin(), way.causes.end(),
                                     [&](const Cause& other) { return other.id == cause.id; });
      if (known) break; // round in circles
      const auto step = way.edits.size();
      auto edits = step < first.size() ? std::vector<Edit>{first[step]} : ordered(root);
      const auto chosen = choose(facts, rulings, edits, cause);
      if (!edits.empty()) {
        cause.fix = fix_of(edits[chosen]);
        cause.fix->verified = !has_cause(rulings, cause.id);
      }
      const bool stuck = !cause.fix || !cause.fix->verified;
      if (cause.fix) way.edits.push_back(edits[chosen]);
      if (!edits.empty()) edits.erase(edits.begin() + static_cast<std::ptrdiff_t>(chosen));
      way.untried.push_back(std::move(edits));
      way.causes.push_back(std::move(cause));
      if (stuck) break;
    }
    way.arrives = arrived(rulings);
    way.behind = std::move(rulings.found);
    return way;
  }

  /// Do these edits, made in order on the facts as they are, lead to the GPU?
  bool lead_there(const std::vector<Edit>& edits) const {
    Facts facts = subject_.facts;
    for (const auto& edit : edits) edit.apply(facts);
    ++judgings_;
    const auto again = case_again(facts, subject_);
    return again && arrived(ask_rules(*again));
  }

  /// Without the steps that the others make needless.
  std::vector<Edit> least(std::vector<Edit> edits) const {
    for (std::size_t index = 0; edits.size() > 1 && index < edits.size();) {
      auto fewer = edits;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(index));
      if (lead_there(fewer)) {
        edits = std::move(fewer);
      } else {
        ++index;
      }
    }
    return edits;
  }

  bool tired() const { return judgings_ > kMostJudgings; }

private:
  /// Makes the first of `edits` that removes the cause; its place. If none does, the first stays
  /// unmade, and `facts` and `rulings` are as before.
  std::size_t choose(Facts& facts, Rulings& rulings, const std::vector<Edit>& edits,
                     const Cause& cause) const {
    for (std::size_t index = 0; index < edits.size(); ++index) {
      if (!edits[index].apply) continue;
      Facts after = facts;
      edits[index].apply(after);
      const auto again = case_again(after, subject_);
      if (!again) continue;
      ++judgings_;
      auto asked = ask_rules(*again);
      if (has_cause(asked, cause.id)) continue;
      facts = std::move(after);
      rulings = std::move(asked);
      return index;
    }
    return 0;
  }

  const Case& subject_;
  mutable std::size_t judgings_ = 0;
};

struct Proven {
  std::vector<Cause> causes;
  std::vector<Fix> steps;

  auto cost() const {
    int most = 0;
    int sum = 0;
    for (const auto& step : steps) {
      const int reach = static_cast<int>(step.reach);
      most = std::max(most, reach);
      sum += reach;
    }
    return std::tuple(most, steps.size(), sum);
  }
  bool same_steps(const Proven& other) const {
    return std::equal(
        steps.begin(), steps.end(), other.steps.begin(), other.steps.end(),
        [](const Fix& a, const Fix& b) { return a.words == b.words && a.commands == b.commands; });
  }
};

/// All ways that differ from `first` in one choice, and `first` itself; the cheapest first.
std::vector<Proven> proven_ways(const Walker& walker, const Rulings& rulings, const Way& first) {
  std::vector<Way> ways{first};
  for (std::size_t step = 0; step < first.edits.size(); ++step) {
    for (const auto& other : first.untried[step]) {
      if (!other.apply || ways.size() >= kMostWays || walker.tired()) continue;
      auto prefix = std::vector<Edit>(first.edits.begin(),
                                      first.edits.begin() + static_cast<std::ptrdiff_t>(step));
      prefix.push_back(other);
      ways.push_back(walker.walk(rulings, prefix));
    }
  }
  std::vector<Proven> all;
  for (auto& way : ways) {
    if (!way.arrives || (!all.empty() && walker.tired())) continue;
    Proven proven{std::move(way.causes), {}};
    for (const auto& edit : walker.least(way.edits)) {
      proven.steps.push_back(fix_of(edit));
      proven.steps.back().verified = true;
    }
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Proven& other) { return other.same_steps(proven); });
    if (!known) all.push_back(std::move(proven));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Proven& a, const Proven& b) { return a.cost() < b.cost(); });
  return all;
}

/// Where a way ends because nothing that is typed here goes on.
std::string obstacle_of(const Way& way) {
  if (way.causes.empty() || way.arrives) return {};
  const auto& last = way.causes.back();
  if (last.fix && last.fix->verified) return {};
  const bool typed = last.fix && last.fix->reach != Reach::hardware;
  return typed && last.gate != Gate::hardware ? std::string() : last.summary;
}

/// Cannot see behind the end of the way by simulation: tell what else was found as things are.
void add_behind(const Way& way, std::vector<Cause>& causes) {
  for (const auto& other : way.behind) {
    const bool known = std::any_of(causes.begin(), causes.end(),
                                   [&](const Cause& cause) { return cause.id == other.rule->id; });
    if (known) continue;
    causes.push_back(cause_of(other));
    const auto edits = ordered(other);
    if (!edits.empty()) causes.back().fix = fix_of(edits.front());
  }
}

} // namespace

void make_plan(const Case& subject, const Rulings& rulings, FrameworkVerdict& verdict) {
  const Walker walker(subject);
  auto first = walker.walk(rulings, {});
  auto ways = first.edits.empty() ? std::vector<Proven>() : proven_ways(walker, rulings, first);
  if (!ways.empty()) {
    verdict.causes = std::move(ways.front().causes);
    verdict.plan = std::move(ways.front().steps);
    verdict.plan_reaches_gpu = true;
    for (std::size_t i = 1; i < ways.size() && i <= kMostAlternatives; ++i)
      verdict.alternatives.push_back({std::move(ways[i].steps)});
    return;
  }
  verdict.obstacle = obstacle_of(first);
  for (const auto& cause : first.causes) {
    if (cause.fix) verdict.plan.push_back(*cause.fix);
  }
  add_behind(first, first.causes);
  verdict.causes = std::move(first.causes);
}

} // namespace gpuwhy
