#include "render/plan_text.h"

#include "base/text.h"
#include "render/page.h"
#include "render/wording.h"

#include <algorithm>

namespace gpuwhy {
namespace {

class PlanSheet {
public:
  PlanSheet(const Mending& mending, const Style& style)
      : mending_(mending), verdict_(mending.verdict), style_(style), page_(style, true) {}

  std::string text() {
    headline();
    if (!verdict_.causes.empty()) {
      page_.blank();
      const auto& root = verdict_.causes.front();
      page_.row("cause", root.summary, {root.id + " " + root.slug, root.id});
    }
    steps();
    outcome();
    others();
    who();
    return page_.take();
  }

private:
  void headline() {
    switch (tone_of(verdict_)) {
    case Tone::good: return page_.headline(mark_good(style_), Ink::good, answer_words(verdict_));
    case Tone::limited: return page_.headline("!", Ink::open, answer_words(verdict_));
    case Tone::bad: return page_.headline(mark_bad(style_), Ink::bad, answer_words(verdict_));
    case Tone::open: break;
    }
    page_.headline(mark_open(style_), Ink::open, answer_words(verdict_));
  }

  void steps() {
    int number = 0;
    for (const auto& step : mending_.steps) {
      ++number;
      page_.item(number == 1 ? "plan" : "", std::to_string(number) + ".", Ink::strong,
                 step.fix.words);
      for (const auto& command : step.fix.commands) page_.command(command);
      if (!step.by_hand.empty()) page_.under("left to you: " + step.by_hand, Ink::faint, 1);
    }
  }

  void outcome() {
    if (verdict_.causes.empty()) {
      page_.blank();
      return page_.row("plan", verdict_.answer == Usable::gpu ? "nothing is to be mended"
                                                              : "none: no cause was found");
    }
    if (verdict_.plan_reaches_gpu)
      return page_.row("then", "the GPU is used", {"verified", {}, Ink::good});
    if (!verdict_.obstacle.empty())
      return page_.row("limit",
                       "nothing that is typed on this machine mends this: " + verdict_.obstacle);
    page_.row("then", "run gpuwhy again: whether this is enough could not be verified beforehand");
  }

  void others() {
    std::size_t number = 1;
    for (const auto& other : verdict_.alternatives) {
      ++number;
      std::vector<std::string> words;
      for (const auto& step : other.steps) words.push_back(step.words);
      page_.row("or", join(words, "; and "), {"--plan " + std::to_string(number), {}, Ink::faint});
    }
  }

  void who() {
    if (!verdict_.plan_reaches_gpu || mending_.steps.empty()) return;
    const bool any = std::any_of(mending_.steps.begin(), mending_.steps.end(),
                                 [](const MendStep& step) { return step.by_hand.empty(); });
    page_.blank();
    if (!any) return page_.row("apply", "gpuwhy does none of these steps itself");
    std::string words = "'gpuwhy fix --apply' does ";
    const bool all = std::all_of(mending_.steps.begin(), mending_.steps.end(),
                                 [](const MendStep& step) { return step.by_hand.empty(); });
    words += all ? "this" : "what is not left to you";
    if (!mending_.file.empty()) words += ", variables in " + mending_.file;
    page_.row("apply", words + "; '--undo' takes it back, '--dry-run' shows it");
  }

  const Mending& mending_;
  const FrameworkVerdict& verdict_;
  const Style& style_;
  Page page_;
};

} // namespace

std::string plan_text(const Mending& mending, const Style& style) {
  return PlanSheet(mending, style).text();
}

} // namespace gpuwhy
